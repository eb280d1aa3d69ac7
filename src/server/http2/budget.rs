//! How much a connection may do that brings nothing on.

use std::time::Duration;

use tokio::time::Instant;

use super::frames::{DATA, END_STREAM, Frame, GOAWAY, HEADERS, KEPT, PADDED, RST_STREAM};

/// Points that frames cost. Full at first; answers earn some back, and so does time.
#[derive(Debug)]
pub(super) struct Budget {
    most: u32,
    left: u32,
    counted: Instant,
}

/// A connection that has spent all of its points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spent;

/// What an outgoing frame says of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Nothing,
    /// It was refused a stream: too many were open.
    StreamRefused,
    /// Its header was too large, said by a status alone.
    HeaderTooLarge,
    /// A request was none: said by a status alone, or by a reset.
    Malformed,
    /// The connection ends.
    Goodbye {
        code: u8,
    },
}

impl Budget {
    pub(super) fn new(most: u32) -> Self {
        Self { most, left: most, counted: Instant::now() }
    }

    /// A frame came from the client.
    pub(super) fn heard(&mut self, frame: Frame) -> Result<(), Spent> {
        match frame.kind {
            DATA if !is_empty(frame) || frame.flags & END_STREAM != 0 => Ok(()),
            HEADERS => Ok(()),
            RST_STREAM => self.spend(RESET),
            _ => self.spend(1),
        }
    }

    /// A frame went to the client.
    pub(super) fn said(&mut self, frame: Frame) -> Result<Told, Spent> {
        let told = told(frame);
        match (told, frame.kind) {
            (_, RST_STREAM) => self.spend(RESET)?,
            (Told::HeaderTooLarge | Told::Malformed, _) => self.spend(REFUSAL)?,
            (_, HEADERS) => self.earn(ANSWER),
            (_, DATA) if frame.length >= SOME_DATA => self.earn(PIECE),
            _ => {}
        }
        Ok(told)
    }

    fn earn(&mut self, points: u32) {
        self.left = self.left.saturating_add(points).min(self.most);
    }

    fn spend(&mut self, points: u32) -> Result<(), Spent> {
        if self.left < points {
            self.rest();
        }
        self.left = self.left.checked_sub(points).ok_or(Spent)?;
        Ok(())
    }

    /// Looks at the clock only when there is nothing left: a connection that was quiet before may
    /// spend twice as much at once.
    fn rest(&mut self) {
        let share = self.counted.elapsed().as_secs_f64() / REFILL.as_secs_f64();
        self.counted = Instant::now();
        self.earn((share.min(1.0) * f64::from(self.most)) as u32);
    }
}

/// Nothing but padding is nothing, too.
fn is_empty(frame: Frame) -> bool {
    let padding = match frame.flags & PADDED {
        0 => 0,
        _ => 1 + usize::from(frame.begins[0]),
    };
    frame.length <= padding
}

fn told(frame: Frame) -> Told {
    match frame.kind {
        GOAWAY => Told::Goodbye { code: frame.begins[7] },
        RST_STREAM if frame.begins.starts_with(&REFUSED_STREAM) => Told::StreamRefused,
        RST_STREAM if FORBIDDEN.contains(&frame.begins[3]) => Told::Malformed,
        HEADERS if is_bad_request_alone(frame) => Told::Malformed,
        HEADERS if is_status_alone(frame) => Told::HeaderTooLarge,
        _ => Told::Nothing,
    }
}

/// The library answers 431 by itself, before anybody hears of the request. Every other answer has
/// a date, or a status with a number of its own in HPACK's table (RFC 7541 Appendix A: below 16).
fn is_status_alone(frame: Frame) -> bool {
    let kept = &frame.begins[..frame.length.min(KEPT)];
    let field = past_table_sizes(kept);
    let length = frame.length - (kept.len() - field.len());
    let alone = match field {
        [STATUS_LITERAL, coded, ..] => length == 2 + usize::from(coded & !HUFFMAN),
        [remembered] => length == 1 && remembered & !INDEXED > LAST_STATIC,
        _ => false,
    };
    frame.flags & END_STREAM != 0 && alone
}

/// pingora answers 400 by itself where it cannot read the authority. Ours have a date.
fn is_bad_request_alone(frame: Frame) -> bool {
    let kept = &frame.begins[..frame.length.min(KEPT)];
    let whole = frame.length <= KEPT && frame.flags & END_STREAM != 0;
    whole && past_table_sizes(kept) == [BAD_REQUEST]
}

/// A block may begin with new sizes of the table (RFC 7541 §6.3), which the client can ask for.
fn past_table_sizes(mut block: &[u8]) -> &[u8] {
    while let [first @ 0x20..=0x3f, rest @ ..] = block {
        let more = rest.iter().take_while(|byte| **byte & MORE != 0).count() + 1;
        block = if *first == 0x3f { rest.get(more..).unwrap_or_default() } else { rest };
    }
    block
}

/// What a request costs that is given up, by either side, before its answer has begun: it may have
/// reached the app by then.
const RESET: u32 = 5;
/// What a header costs that was decoded and thrown away.
const REFUSAL: u32 = 20;
/// What an answer earns: it may be followed by updates, priorities, a reset.
const ANSWER: u32 = 10;
/// What a piece of one earns: two windows to be updated, and one more of each.
const PIECE: u32 = 4;
/// Smaller pieces earn nothing: a client whose window opens byte by byte chooses them itself.
const SOME_DATA: usize = 64;
/// The time in which all points come back.
const REFILL: Duration = Duration::from_secs(50);

const REFUSED_STREAM: [u8; 4] = [0, 0, 0, 7];
/// PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, FRAME_SIZE_ERROR, COMPRESSION_ERROR (RFC 9113 §7).
const FORBIDDEN: [u8; 5] = [1, 3, 5, 6, 9];
/// `:status: 400`, the twelfth of HPACK's table (RFC 7541 Appendix A).
const BAD_REQUEST: u8 = 0x8c;
/// The bit by which an integer goes on (RFC 7541 §5.1).
const MORE: u8 = 0x80;
/// A literal with incremental indexing whose name is the eighth of the table, `:status` (RFC 7541
/// §6.2.1).
const STATUS_LITERAL: u8 = 0x48;
const HUFFMAN: u8 = 0x80;
const INDEXED: u8 = 0x80;
const LAST_STATIC: u8 = 61;

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, length: usize) -> Frame {
        Frame { kind, flags: 0, stream: 1, length, begins: [0; KEPT] }
    }

    /// How many of it, one after the other, a fresh budget of 1,000 lets pass.
    fn passing(frame: Frame) -> usize {
        let mut budget = Budget::new(1_000);
        (0..5_000).take_while(|_| budget.heard(frame).is_ok()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn what_brings_nothing_on_is_counted_and_requests_and_bodies_are_not() {
        for kind in [2, 4, 6, 7, 8, 9, 0xbe] {
            assert_eq!(passing(frame(kind, 8)), 1_000, "frames of type {kind}");
        }
        assert_eq!(passing(frame(RST_STREAM, 4)), 200);
        assert_eq!(passing(frame(DATA, 0)), 1_000, "empty DATA");
        let padded = Frame { flags: PADDED, begins: [9; KEPT], ..frame(DATA, 10) };
        assert_eq!(passing(padded), 1_000, "nothing but padding");
        assert_eq!(passing(Frame { length: 11, ..padded }), 5_000);
        assert_eq!(passing(Frame { flags: END_STREAM, ..frame(DATA, 0) }), 5_000);
        assert_eq!(passing(frame(HEADERS, 30)), 5_000);
    }

    #[tokio::test(start_paused = true)]
    async fn answers_and_time_earn_points_back() {
        let mut budget = Budget::new(1_000);
        let window_update = frame(8, 4);
        let spend = |budget: &mut Budget| {
            (0..9_000).take_while(|_| budget.heard(window_update).is_ok()).count()
        };
        assert_eq!(spend(&mut budget), 1_000);
        assert_eq!(budget.said(frame(HEADERS, 50)), Ok(Told::Nothing));
        assert_eq!(spend(&mut budget), 10);
        assert_eq!(budget.said(frame(DATA, 16_384)), Ok(Told::Nothing));
        assert_eq!(spend(&mut budget), 4);
        assert_eq!(budget.said(frame(DATA, 1)), Ok(Told::Nothing));
        assert_eq!(spend(&mut budget), 0, "a window that opens byte by byte earns nothing");
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(spend(&mut budget), 100);
        tokio::time::advance(Duration::from_secs(500)).await;
        assert_eq!(spend(&mut budget), 1_000);
    }

    #[tokio::test(start_paused = true)]
    async fn streams_that_we_are_made_to_reset_or_to_refuse_are_counted() {
        let mut budget = Budget::new(1_000);
        let reset = frame(RST_STREAM, 4);
        let refused = Frame { begins: beginning(&REFUSED_STREAM), ..reset };
        assert_eq!(budget.said(refused), Ok(Told::StreamRefused));
        assert_eq!((0..999).take_while(|_| budget.said(reset).is_ok()).count(), 199);
    }

    #[test]
    fn only_a_status_alone_is_the_librarys_own_431() {
        let answer = |begins: &[u8], length| Frame {
            flags: END_STREAM,
            begins: beginning(begins),
            ..frame(HEADERS, length)
        };
        for (begins, length, wanted) in [
            (&[0x48, 0x82, 0x68, 0x5f][..], 4, Told::HeaderTooLarge),
            (&[0x48, 0x03, b'4', b'3', b'1'], 5, Told::HeaderTooLarge),
            (&[0xbe], 1, Told::HeaderTooLarge),
            (&[0x20, 0x48, 0x82, 0x68, 0x5f], 5, Told::HeaderTooLarge),
            (&[0x20, 0x3f, 0x45, 0xbe], 4, Told::HeaderTooLarge),
            (&[0x48, 0x82, 0x68, 0x5f], 40, Told::Nothing),
            (&[0x8c], 1, Told::Malformed),
            (&[0x20, 0x8c], 2, Told::Malformed),
            (&[0x8c, 0x88], 2, Told::Nothing),
            (&[0xbe, 0xbf], 2, Told::Nothing),
            (&[0x3f, 0xff, 0xff], 3, Told::Nothing),
            (&[], 0, Told::Nothing),
        ] {
            assert_eq!(told(answer(begins, length)), wanted, "{begins:x?} of {length}");
        }
        assert_eq!(told(Frame { flags: 0, ..answer(&[0xbe], 1) }), Told::Nothing);
    }

    fn beginning(bytes: &[u8]) -> [u8; KEPT] {
        let mut kept = [0; KEPT];
        kept[..bytes.len()].copy_from_slice(bytes);
        kept
    }
}
