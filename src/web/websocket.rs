//! Where a WebSocket may be interrupted, between two frames (RFC 6455 §5.2), and what is said there.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// Follows one direction of a tunnel. Payloads are counted, never looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frames {
    /// Bytes of the payload that have not come.
    payload: u64,
    header: [u8; 14],
    /// Bytes of the header that have come.
    come: u8,
    closed: bool,
}

/// Why a WebSocket is closed, in words both sides know (RFC 6455 §7.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    code: u16,
    /// 123 bytes at most: a control frame is short (RFC 6455 §5.5).
    reason: &'static str,
}

impl Frames {
    /// Follows these bytes.
    pub fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = &bytes[self.pass_one(bytes)..];
        }
    }

    /// Follows these bytes to the first end of a frame; returns how many that are.
    pub fn pass_one(&mut self, bytes: &[u8]) -> usize {
        let mut passed = 0;
        while passed < bytes.len() {
            if self.payload > 0 {
                let rest = bytes.len() - passed;
                let count = usize::try_from(self.payload).map_or(rest, |payload| payload.min(rest));
                self.payload -= count as u64;
                passed += count;
            } else {
                self.header[usize::from(self.come)] = bytes[passed];
                self.come += 1;
                passed += 1;
                if self.come < self.header_length() {
                    continue;
                }
                self.closed |= self.header[0] & OPCODE == CLOSE;
                self.payload = self.payload_length();
                self.come = 0;
            }
            if self.is_between() {
                return passed;
            }
        }
        passed
    }

    /// Whether the next byte begins a frame.
    pub fn is_between(&self) -> bool {
        self.come == 0 && self.payload == 0
    }

    /// Whether a close frame has passed, or begun to.
    pub fn has_closed(&self) -> bool {
        self.closed
    }

    fn header_length(&self) -> u8 {
        if self.come < 2 {
            return 2;
        }
        let mask = if self.header[1] & MASKED == 0 { 0 } else { 4 };
        match self.header[1] & LENGTH {
            126 => 4 + mask,
            127 => 10 + mask,
            _ => 2 + mask,
        }
    }

    fn payload_length(&self) -> u64 {
        let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        match self.header[1] & LENGTH {
            126 => number(&self.header[2..4]),
            127 => number(&self.header[2..10]),
            length => u64::from(length),
        }
    }
}

impl Close {
    /// The machine leaves: whoever wants to go on connects anew.
    pub const GOING_AWAY: Self = Self { code: 1001, reason: "" };
    /// Nobody is signed in any more: connecting anew is answered with 401.
    pub const SESSION_OVER: Self = Self { code: 1008, reason: "session over" };

    /// The frame, as a server sends it.
    pub fn of_server(self) -> Vec<u8> {
        let length = 2 + self.reason.len() as u8;
        [&[FINAL | CLOSE, length], &self.code.to_be_bytes()[..], self.reason.as_bytes()].concat()
    }

    /// The same as a client sends it, whose every frame is masked (RFC 6455 §5.3).
    pub fn of_client(self) -> Vec<u8> {
        let plain = self.of_server();
        let random = RandomState::new().build_hasher().finish().to_be_bytes();
        let mask = &random[..4];
        let masked = plain[2..].iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        [plain[0], plain[1] | MASKED]
            .into_iter()
            .chain(mask.iter().copied())
            .chain(masked)
            .collect()
    }
}

const FINAL: u8 = 0x80;
const OPCODE: u8 = 0x0f;
const CLOSE: u8 = 0x08;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;

#[cfg(test)]
mod tests {
    use super::*;

    /// A small frame, a masked one, an empty one, and one with each longer length.
    fn frames() -> Vec<Vec<u8>> {
        let long = |second: u8, length: &[u8], payload: usize| {
            [&[0x82, second], length, &vec![0x88; payload]].concat()
        };
        vec![
            b"\x81\x05hello".to_vec(),
            b"\x81\x85maskHELLO".to_vec(),
            b"\x89\x00".to_vec(),
            b"\x8a\x80mask".to_vec(),
            long(126, &[1, 0], 256),
            long(127, &[0, 0, 0, 0, 0, 1, 0, 0], 65_536),
            long(0x80 | 126, b"\x00\x80mask", 128),
        ]
    }

    #[test]
    fn every_end_of_a_frame_is_found_however_bytes_are_cut() {
        let all = frames();
        for cut in [1, 2, 3, 7, 1000, usize::MAX] {
            let mut followed = Frames::default();
            for frame in &all {
                for piece in frame.chunks(cut.min(frame.len())) {
                    assert_eq!(followed.pass_one(piece), piece.len());
                }
                assert!(followed.is_between(), "{} bytes, cut by {cut}", frame.len());
            }
            assert!(!followed.has_closed(), "payloads are not looked at");
        }
    }

    #[test]
    fn a_frame_ends_before_the_next_begins() {
        let all = frames();
        let stream = all.concat();
        let (mut followed, mut rest) = (Frames::default(), stream.as_slice());
        for frame in &all {
            let passed = followed.pass_one(rest);
            assert_eq!(passed, frame.len());
            rest = &rest[passed..];
        }
        let mut inside = Frames::default();
        inside.pass(&stream[..3]);
        assert!(!inside.is_between());
        inside.pass(&stream[3..]);
        assert!(inside.is_between());
    }

    #[test]
    fn a_close_frame_says_why_and_a_clients_is_masked() {
        assert_eq!(Close::GOING_AWAY.of_server(), b"\x88\x02\x03\xe9");
        assert_eq!(Close::SESSION_OVER.of_server(), b"\x88\x0e\x03\xf0session over");
        let masked = Close::SESSION_OVER.of_client();
        assert_eq!(masked[..2], [0x88, 0x8e]);
        let mask: Vec<u8> = masked[2..6].to_vec();
        let plain: Vec<u8> =
            masked[6..].iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        assert_eq!(plain, b"\x03\xf0session over");
    }

    #[test]
    fn a_close_frame_is_noticed() {
        let mut followed = Frames::default();
        followed.pass(b"\x81\x02\x88\x88");
        assert!(!followed.has_closed());
        followed.pass(b"\x88\x02\x03\xe8");
        assert!(followed.has_closed() && followed.is_between());
    }
}
