//! The chunked coding, strictly (RFC 9112 §7.1).
//!
//! Extensions are tokens only, and bounded; the trailer section must be empty. pingora passes on
//! neither: an app never sees them, so a client that relies on one is told so.

use super::alphabet::is_token;
use super::fault::Fault;

/// Where in a chunked body we are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunks {
    place: Place,
    /// The size as read so far, then the data still to come.
    left: u64,
    /// Digits of the size, then bytes of its extensions.
    count: u16,
}

/// How a run of bytes ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Broken(Fault),
    Complete,
    More,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Complete,
    Data,
    DataCr,
    DataLf,
    ExtensionName,
    ExtensionNameStart,
    ExtensionValue,
    ExtensionValueStart,
    LastCr,
    LastLf,
    Size,
    SizeLf,
}

impl Default for Chunks {
    fn default() -> Self {
        Self { place: Place::Size, left: 0, count: 0 }
    }
}

impl Chunks {
    pub(super) fn is_complete(&self) -> bool {
        self.place == Place::Complete
    }

    /// How many of `bytes` belong to the body and are as they should be, and what comes after.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> (usize, Outcome) {
        let mut at = 0;
        while at < bytes.len() {
            if self.place == Place::Data {
                at += self.data(bytes.len() - at);
                continue;
            }
            match self.step(bytes[at]) {
                Ok(place) => self.place = place,
                Err(fault) => return (at, Outcome::Broken(fault)),
            }
            at += 1;
            if self.place == Place::Complete {
                return (at, Outcome::Complete);
            }
        }
        (at, Outcome::More)
    }

    fn data(&mut self, there: usize) -> usize {
        let count = there.min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= count as u64;
        if self.left == 0 {
            self.place = Place::DataCr;
        }
        count
    }

    fn step(&mut self, byte: u8) -> Result<Place, Fault> {
        match self.place {
            Place::Size => self.size(byte),
            Place::ExtensionName
            | Place::ExtensionNameStart
            | Place::ExtensionValue
            | Place::ExtensionValueStart => self.extension(byte),
            Place::SizeLf => self.size_line_end(byte),
            Place::DataCr if byte == b'\r' => Ok(Place::DataLf),
            Place::DataLf if byte == b'\n' => {
                *self = Self::default();
                Ok(Place::Size)
            }
            Place::LastCr if byte == b'\r' => Ok(Place::LastLf),
            Place::LastLf if byte == b'\n' => Ok(Place::Complete),
            Place::LastCr => Err(Fault::Trailers),
            Place::LastLf => Err(Fault::LineEnd),
            Place::Complete | Place::Data | Place::DataCr | Place::DataLf => Err(Fault::ChunkEnd),
        }
    }

    fn size(&mut self, byte: u8) -> Result<Place, Fault> {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            b'\r' if self.count > 0 => return Ok(Place::SizeLf),
            b';' if self.count > 0 => {
                self.count = 0;
                return Ok(Place::ExtensionNameStart);
            }
            _ => return Err(Fault::ChunkSize),
        };
        self.count += 1;
        self.left = (self.left << 4) | u64::from(digit);
        // Beyond 60 bits no parser is asked to count.
        if self.count > MOST_DIGITS || self.left >> 60 != 0 {
            return Err(Fault::ChunkSize);
        }
        Ok(Place::Size)
    }

    fn extension(&mut self, byte: u8) -> Result<Place, Fault> {
        self.count += 1;
        if self.count > MOST_EXTENSION {
            return Err(Fault::ChunkExtension);
        }
        match (self.place, byte) {
            (Place::ExtensionName | Place::ExtensionNameStart, byte) if is_token(byte) => {
                Ok(Place::ExtensionName)
            }
            (Place::ExtensionValue | Place::ExtensionValueStart, byte) if is_token(byte) => {
                Ok(Place::ExtensionValue)
            }
            (Place::ExtensionName, b'=') => Ok(Place::ExtensionValueStart),
            (Place::ExtensionName | Place::ExtensionValue, b';') => Ok(Place::ExtensionNameStart),
            (Place::ExtensionName | Place::ExtensionValue, b'\r') => Ok(Place::SizeLf),
            _ => Err(Fault::ChunkExtension),
        }
    }

    fn size_line_end(&self, byte: u8) -> Result<Place, Fault> {
        match (byte, self.left) {
            (b'\n', 0) => Ok(Place::LastCr),
            (b'\n', _) => Ok(Place::Data),
            _ => Err(Fault::LineEnd),
        }
    }
}

const MOST_DIGITS: u16 = 16;
const MOST_EXTENSION: u16 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &str) -> (usize, Outcome) {
        Chunks::default().pass(bytes.as_bytes())
    }

    #[test]
    fn good_bodies_end_where_they_end() {
        for body in [
            "0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "A\r\n0123456789\r\n000\r\n\r\n",
            "0000000000000005\r\nhello\r\n0\r\n\r\n",
            "5;a;b=c;d\r\nhello\r\n0;last\r\n\r\n",
        ] {
            assert_eq!(all(&format!("{body}GET /")), (body.len(), Outcome::Complete), "{body}");
            for cut in 0..body.len() {
                let mut chunks = Chunks::default();
                assert_eq!(chunks.pass(&body.as_bytes()[..cut]), (cut, Outcome::More));
                let rest = &body.as_bytes()[cut..];
                assert_eq!(chunks.pass(rest), (rest.len(), Outcome::Complete), "{body} at {cut}");
            }
        }
    }

    #[test]
    fn what_two_parsers_could_read_differently_ends_the_body() {
        let cases = [
            ("\r\n", 0, Fault::ChunkSize),
            (" 5\r\nhello", 0, Fault::ChunkSize),
            ("+5\r\nhello", 0, Fault::ChunkSize),
            ("-5\r\nhello", 0, Fault::ChunkSize),
            ("0x5\r\nhello", 1, Fault::ChunkSize),
            ("5 \r\nhello", 1, Fault::ChunkSize),
            ("5\nhello", 1, Fault::ChunkSize),
            ("5\rhello", 2, Fault::LineEnd),
            ("00000000000000005\r\n", 16, Fault::ChunkSize),
            ("ffffffffffffffff\r\n", 15, Fault::ChunkSize),
            ("5;\r\nhello", 2, Fault::ChunkExtension),
            ("5; a\r\nhello", 2, Fault::ChunkExtension),
            ("5;a=\r\nhello", 4, Fault::ChunkExtension),
            ("5;a=\"b\"\r\nhello", 4, Fault::ChunkExtension),
            ("5;a\nhello", 3, Fault::ChunkExtension),
            ("5;a\rhello", 4, Fault::LineEnd),
            ("5\r\nhello0\r\n\r\n", 8, Fault::ChunkEnd),
            ("5\r\nhello\n0\r\n\r\n", 8, Fault::ChunkEnd),
            ("5\r\nhello\r0\r\n\r\n", 9, Fault::ChunkEnd),
            ("0\r\nA: b\r\n\r\n", 3, Fault::Trailers),
            ("0\r\n\r\r", 4, Fault::LineEnd),
            ("0\r\n\n", 3, Fault::Trailers),
        ];
        for (body, count, fault) in cases {
            assert_eq!(all(body), (count, Outcome::Broken(fault)), "{body:?}");
        }
        let long = format!("5;{}\r\n", "a".repeat(300));
        assert_eq!(all(&long), (258, Outcome::Broken(Fault::ChunkExtension)));
    }
}
