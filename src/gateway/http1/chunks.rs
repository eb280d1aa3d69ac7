//! The chunked coding of answers (RFC 9112 §7.1).
//!
//! Sizes are read strictly: what two parsers could read differently ends the answer. Extensions and
//! trailers are left out, and bounded.

/// Where in a chunked body we are.
#[derive(Debug)]
pub(in crate::gateway) struct Chunks {
    place: Place,
    /// The size as read so far, then the data still to come.
    left: u64,
    /// Digits of the size, then bytes of a line that is left out.
    count: usize,
}

/// What comes next of a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// So many bytes are no data; then more has to be read.
    Skip(usize),
    /// Behind so many bytes that are none, so many are data.
    Data { skip: usize, count: usize },
    /// Behind so many bytes the body is over.
    End(usize),
}

/// What no chunked body has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Data,
    DataCr,
    DataLf,
    Extension,
    Size,
    SizeLf,
    /// At the beginning of a line behind the last chunk.
    Trailer,
    TrailerField,
    TrailerFieldLf,
    TrailerLf,
}

impl Default for Chunks {
    fn default() -> Self {
        Self { place: Place::Size, left: 0, count: 0 }
    }
}

impl Chunks {
    /// What `bytes` begin with. Data that is named counts as taken.
    ///
    /// # Errors
    /// [`Broken`] when this is no chunked body.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Next, Broken> {
        for (at, byte) in bytes.iter().enumerate() {
            if self.place == Place::Data {
                let there = bytes.len() - at;
                let count = there.min(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= count as u64;
                if self.left == 0 {
                    self.place = Place::DataCr;
                }
                return Ok(Next::Data { skip: at, count });
            }
            if self.place == Place::TrailerLf && *byte == b'\n' {
                return Ok(Next::End(at + 1));
            }
            self.place = self.step(*byte)?;
        }
        Ok(Next::Skip(bytes.len()))
    }

    fn step(&mut self, byte: u8) -> Result<Place, Broken> {
        match (self.place, byte) {
            (Place::Size, _) => self.size(byte),
            (Place::Extension, b'\r') => Ok(Place::SizeLf),
            (Place::Extension, byte) => self.left_out(byte, Place::Extension),
            (Place::SizeLf, b'\n') if self.left == 0 => {
                self.count = 0;
                Ok(Place::Trailer)
            }
            (Place::SizeLf, b'\n') => Ok(Place::Data),
            (Place::DataCr, b'\r') => Ok(Place::DataLf),
            (Place::DataLf, b'\n') => {
                *self = Self::default();
                Ok(Place::Size)
            }
            (Place::Trailer, b'\r') => Ok(Place::TrailerLf),
            (Place::Trailer, byte) => self.left_out(byte, Place::TrailerField),
            (Place::TrailerField, b'\r') => Ok(Place::TrailerFieldLf),
            (Place::TrailerField, byte) => self.left_out(byte, Place::TrailerField),
            (Place::TrailerFieldLf, b'\n') => Ok(Place::Trailer),
            _ => Err(Broken),
        }
    }

    fn size(&mut self, byte: u8) -> Result<Place, Broken> {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            b'\r' if self.count > 0 => return Ok(Place::SizeLf),
            // Old servers fill the line with blanks.
            b';' | b' ' | b'\t' if self.count > 0 => {
                self.count = 0;
                return Ok(Place::Extension);
            }
            _ => return Err(Broken),
        };
        self.count += 1;
        self.left = (self.left << 4) | u64::from(digit);
        // Beyond 60 bits no parser is asked to count.
        if self.count > MOST_DIGITS || self.left >> 60 != 0 {
            return Err(Broken);
        }
        Ok(Place::Size)
    }

    fn left_out(&mut self, byte: u8, place: Place) -> Result<Place, Broken> {
        self.count += 1;
        let is_control = byte < b' ' && byte != b'\t' || byte == 0x7f;
        if is_control || self.count > MOST_LEFT_OUT { Err(Broken) } else { Ok(place) }
    }
}

const MOST_DIGITS: usize = 16;
/// Bytes of a chunk's extensions, and of all trailers.
const MOST_LEFT_OUT: usize = 8 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    /// The data of `body`, read in pieces of so many bytes, and how many bytes it took.
    fn read(body: &[u8], piece: usize) -> Result<(Vec<u8>, Option<usize>), Broken> {
        let (mut chunks, mut data) = (Chunks::default(), Vec::new());
        let mut at = 0;
        while at < body.len() {
            let bytes = &body[at..body.len().min(at + piece)];
            match chunks.next(bytes)? {
                Next::Skip(count) => at += count,
                Next::Data { skip, count } => {
                    data.extend_from_slice(&bytes[skip..skip + count]);
                    at += skip + count;
                }
                Next::End(count) => return Ok((data, Some(at + count))),
            }
        }
        Ok((data, None))
    }

    #[test]
    fn a_body_ends_where_it_ends_in_whatever_pieces_it_comes() {
        for (body, data) in [
            ("0\r\n\r\n", ""),
            ("5\r\nhello\r\n0\r\n\r\n", "hello"),
            ("A\r\n0123456789\r\n000\r\n\r\n", "0123456789"),
            ("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"),
            ("5;a=\"b, c\"\r\nhello\r\n0;last\r\n\r\n", "hello"),
            ("5   \r\nhello\r\n0\r\n\r\n", "hello"),
            ("5\r\nhello\r\n0\r\nDigest: x\r\nSet-Cookie: a=b\r\n\r\n", "hello"),
        ] {
            let more = format!("{body}HTTP/1.1 200 OK\r\n");
            for piece in 1..more.len() {
                let (read, end) = read(more.as_bytes(), piece).unwrap();
                assert_eq!(read, data.as_bytes(), "{body:?} by {piece}");
                assert_eq!(end, Some(body.len()), "{body:?} by {piece}");
            }
        }
    }

    #[test]
    fn what_two_parsers_could_read_differently_ends_the_answer() {
        for body in [
            "\r\n",
            " 5\r\nhello",
            "+5\r\nhello",
            "-5\r\nhello",
            "0x5\r\nhello",
            "5\nhello",
            "5\rhello",
            "00000000000000005\r\n",
            "ffffffffffffffff\r\n",
            "5;a\nhello",
            "5;a\rhello",
            "5\r\nhello0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "5\r\nhello\r0\r\n\r\n",
            "0\r\n\r\r",
            "0\r\nA: b\n\r\n",
            "0\r\nA: b\r\r\n",
            "0\r\n\n",
            "0\r\nA: \0\r\n\r\n",
        ] {
            assert_eq!(read(body.as_bytes(), 64), Err(Broken), "{body:?}");
        }
        for begin in ["5;", "0\r\nA: "] {
            let long = format!("{begin}{}\r\n", "a".repeat(MOST_LEFT_OUT + 1));
            assert_eq!(read(long.as_bytes(), 99_999), Err(Broken));
        }
    }
}
