//! What an app answers to somebody who asks for a WebSocket: heads, and behind a 101 frames.

use crate::web::Frames;

/// Follows the bytes from the app, so that something can be said between two frames.
#[derive(Debug)]
pub(super) enum Handover {
    Head(Head),
    Frames(Frames),
    /// Whatever it is, nothing may be said into it.
    Other,
}

/// A head that is not whole.
#[derive(Debug, Default)]
pub(super) struct Head {
    begin: [u8; BEGIN],
    come: u8,
    /// How much of the empty line at its end has come.
    ended: u8,
}

impl Handover {
    pub(super) fn new() -> Self {
        Self::Head(Head::default())
    }

    /// Follows these bytes.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) {
        while let (Self::Head(head), Some((byte, rest))) = (&mut *self, bytes.split_first()) {
            bytes = rest;
            if head.ends_with(*byte) {
                *self = head.before();
            }
        }
        if let Self::Frames(frames) = self {
            frames.pass(bytes);
        }
    }

    /// The frames, once there are any.
    pub(super) fn frames(&mut self) -> Option<&mut Frames> {
        match self {
            Self::Frames(frames) => Some(frames),
            Self::Head(_) | Self::Other => None,
        }
    }
}

impl Head {
    fn ends_with(&mut self, byte: u8) -> bool {
        if let Some(place) = self.begin.get_mut(usize::from(self.come)) {
            *place = byte;
            self.come += 1;
        }
        self.ended = match (byte, self.ended) {
            (b'\r', 2) => 3,
            (b'\r', _) => 1,
            (b'\n', ended @ (1 | 3)) => ended + 1,
            _ => 0,
        };
        self.ended == 4
    }

    /// What it stands before.
    fn before(&self) -> Handover {
        match &self.begin[STATUS..] {
            b"101" => Handover::Frames(Frames::default()),
            [b'1', ..] => Handover::new(),
            _ => Handover::Other,
        }
    }
}

/// `HTTP/1.1 101`.
const BEGIN: usize = 12;
/// Where in it the status begins.
const STATUS: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;

    const HEADS: &[u8] = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n\
        HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX: \r\n\r\n";

    #[test]
    fn frames_begin_behind_the_101_however_bytes_are_cut() {
        let all = [HEADS, b"\x81\x05hel"].concat();
        for cut in [1, 2, 3, 7, 1000] {
            let mut followed = Handover::new();
            all.chunks(cut).for_each(|piece| followed.pass(piece));
            assert!(!followed.frames().unwrap().is_between(), "cut by {cut}");
            followed.pass(b"lo");
            assert!(followed.frames().unwrap().is_between(), "cut by {cut}");
        }
    }

    #[test]
    fn nothing_is_said_into_another_answer() {
        let mut followed = Handover::new();
        followed.pass(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\x81\x00\r\n");
        assert!(followed.frames().is_none());
        let mut unfinished = Handover::new();
        unfinished.pass(&HEADS[..HEADS.len() - 1]);
        assert!(unfinished.frames().is_none());
    }
}
