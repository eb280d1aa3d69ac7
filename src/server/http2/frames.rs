//! Frames told apart in a stream of bytes, whole ones and the one that has only begun (RFC 9113
//! §4.1).

/// A frame that has passed whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) length: usize,
    /// The first bytes of its payload; zeros where it has fewer.
    pub(super) begins: [u8; KEPT],
}

/// Where one direction of a connection stands. Holds no bytes but those of one frame's head.
#[derive(Debug)]
pub(super) struct Frames {
    head: [u8; HEAD + KEPT],
    /// Bytes of head and payload seen of the frame that has begun.
    seen: usize,
    /// Bytes before the first frame.
    preface: usize,
}

impl Frames {
    /// What a client sends: its preface, then frames (RFC 9113 §3.4).
    pub(super) fn of_client() -> Self {
        Self { head: [0; HEAD + KEPT], seen: 0, preface: PREFACE }
    }

    /// What a server sends.
    pub(super) fn of_server() -> Self {
        Self { preface: 0, ..Self::of_client() }
    }

    /// The next frame that ends in `bytes`, which then hold what follows it; `None` once all of them
    /// are taken in.
    pub(super) fn next(&mut self, bytes: &mut &[u8]) -> Option<Frame> {
        let skipped = self.preface.min(bytes.len());
        self.preface -= skipped;
        *bytes = &bytes[skipped..];
        while !bytes.is_empty() {
            let taken = self.take(bytes);
            *bytes = &bytes[taken..];
            if self.seen >= HEAD && self.seen == HEAD + self.length() {
                let frame = self.frame();
                self.seen = 0;
                self.head = [0; HEAD + KEPT];
                return Some(frame);
            }
        }
        None
    }

    /// Whether nothing has begun that has not ended.
    pub(super) fn is_between(&self) -> bool {
        self.seen == 0 && self.preface == 0
    }

    /// Whether what has begun may be waited for as long as a body may.
    pub(super) fn is_in_data(&self) -> bool {
        self.seen >= HEAD && self.head[3] == DATA
    }

    fn take(&mut self, bytes: &[u8]) -> usize {
        let end = match self.seen < HEAD {
            true => HEAD,
            false => HEAD + self.length(),
        };
        let count = bytes.len().min(end - self.seen);
        let kept = self.head.len().saturating_sub(self.seen).min(count);
        let at = self.seen.min(self.head.len());
        self.head[at..at + kept].copy_from_slice(&bytes[..kept]);
        self.seen += count;
        count
    }

    fn length(&self) -> usize {
        let [high, middle, low] = [self.head[0], self.head[1], self.head[2]].map(usize::from);
        high << 16 | middle << 8 | low
    }

    fn frame(&self) -> Frame {
        let [_, _, _, kind, flags, a, b, c, d, begins @ ..] = self.head;
        let stream = u32::from_be_bytes([a, b, c, d]) & !RESERVED;
        Frame { kind, flags, stream, length: self.length(), begins }
    }
}

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const CONTINUATION: u8 = 9;
/// Of a PING or SETTINGS.
pub(super) const ACK: u8 = 0x1;
pub(super) const END_STREAM: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;
pub(super) const PADDED: u8 = 0x8;

/// Bytes of a payload that are kept: a code, or a status alone.
pub(super) const KEPT: usize = 12;
const HEAD: usize = 9;
/// `PRI * HTTP/2.0` and what follows it.
const PREFACE: usize = 24;
/// The first bit before a stream's number says nothing.
const RESERVED: u32 = 1 << 31;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_the_same_however_their_bytes_are_cut() {
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        bytes.extend([0, 0, 0, SETTINGS, 0, 0, 0, 0, 0]);
        bytes.extend([0, 0, 5, HEADERS, 5, 0x80, 0, 0, 1, b'a', b'b', b'c', b'd', b'e']);
        bytes.extend([0, 0, 2, RST_STREAM, 0, 0, 0, 1, 3, 7, 9]);
        bytes.extend([0, 1, 0, DATA, 1, 0, 0, 0, 1]);
        bytes.extend([7; 256]);
        let frame = |kind, flags, stream, length, begins: &[u8]| {
            let mut kept = [0; KEPT];
            kept[..begins.len()].copy_from_slice(begins);
            Frame { kind, flags, stream, length, begins: kept }
        };
        let wanted = [
            frame(SETTINGS, 0, 0, 0, b""),
            frame(HEADERS, 5, 1, 5, b"abcde"),
            frame(RST_STREAM, 0, 0x103, 2, &[7, 9]),
            frame(DATA, 1, 1, 256, &[7; KEPT]),
        ];
        for size in 1..bytes.len() {
            let (mut frames, mut heard) = (Frames::of_client(), Vec::new());
            for mut piece in bytes.chunks(size) {
                heard.extend(std::iter::from_fn(|| frames.next(&mut piece)));
            }
            assert_eq!(heard, wanted, "in pieces of {size}");
            assert!(frames.is_between());
        }
    }

    #[test]
    fn what_has_begun_is_known_before_it_ends() {
        let mut frames = Frames::of_server();
        assert!(frames.is_between());
        assert_eq!(frames.next(&mut &[0, 0, 9, DATA][..]), None);
        assert!(!frames.is_between() && !frames.is_in_data());
        assert_eq!(frames.next(&mut &[0, 0, 0, 0, 1, 1][..]), None);
        assert!(frames.is_in_data());
    }
}
