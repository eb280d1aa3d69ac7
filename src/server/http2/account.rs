//! What is known of a client's connection by the frames that passed on it, both ways.

use tokio::time::Instant;

use crate::telemetry::Limit;

use super::budget::{Budget, Spent, Told};
use super::forewarning::Forewarned;
use super::frames::{CONTINUATION, END_HEADERS, Frame, Frames, GOAWAY, HEADERS, SETTINGS};
use super::refusal::{Notice, Refusal};
use super::terms::Http2Terms;

/// Why a connection ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Met(Limit),
    /// It did not begin as it must (RFC 9113 §3.4).
    NotHttp2,
}

impl End {
    /// What its client is refused by it. One that was only silent asked for nothing.
    pub(super) fn refusal(self) -> Option<Refusal> {
        match self {
            Self::Met(Limit::HeaderTimeout) => Some(Refusal::HeaderTooSlow),
            Self::Met(Limit::H2ControlFrames) => Some(Refusal::TooMuch),
            Self::Met(_) => None,
            Self::NotHttp2 => Some(Refusal::Malformed),
        }
    }
}

/// Follows the bytes of a connection and says when a limit is met. `heard` is told of limits that
/// the library keeps by itself, and of what it refuses by itself.
#[derive(Debug)]
pub(super) struct Account {
    terms: Http2Terms,
    budget: Budget,
    incoming: Frames,
    outgoing: Frames,
    /// Since when something is awaited: the client's settings, or the rest of what has begun.
    awaited: Option<Instant>,
    settled: bool,
    /// Bytes of the header that has begun; `None` between headers.
    header: Option<usize>,
    header_too_large: bool,
    last_stream: u32,
    said_goodbye: bool,
}

impl Account {
    pub(super) fn new(terms: Http2Terms) -> Self {
        Self {
            terms,
            budget: Budget::new(terms.control_frames),
            incoming: Frames::of_client(),
            outgoing: Frames::of_server(),
            awaited: Some(Instant::now()),
            settled: false,
            header: None,
            header_too_large: false,
            last_stream: 0,
            said_goodbye: false,
        }
    }

    /// These bytes came from the client.
    ///
    /// # Errors
    /// Why the connection ends; they are not to be passed on then.
    pub(super) fn hear(
        &mut self,
        mut bytes: &[u8],
        forewarned: &mut Forewarned,
    ) -> Result<(), End> {
        while let Some(frame) = self.incoming.next(&mut bytes) {
            forewarned.hear(frame);
            self.budget.heard(frame).map_err(|Spent| End::Met(Limit::H2ControlFrames))?;
            // The library takes any frame for the first.
            if !self.settled && frame.kind != SETTINGS {
                return Err(End::NotHttp2);
            }
            self.settled = true;
            self.follow_header(frame);
            if self.settled && self.header.is_none() {
                self.awaited = None;
            }
        }
        let whole = self.incoming.is_between() || self.incoming.is_in_data();
        if (self.header.is_some() || !whole) && self.awaited.is_none() {
            self.awaited = Some(Instant::now());
        }
        Ok(())
    }

    /// These bytes go to the client, whatever the answer.
    ///
    /// # Errors
    /// The limit that the client has met by what it makes us say.
    pub(super) fn say(&mut self, mut bytes: &[u8], heard: &dyn Fn(Notice)) -> Result<(), End> {
        let mut said = Ok(());
        while let Some(frame) = self.outgoing.next(&mut bytes) {
            match self.budget.said(frame) {
                Ok(told) => self.note(told, heard),
                Err(Spent) => said = Err(End::Met(Limit::H2ControlFrames)),
            }
        }
        said
    }

    /// When what is awaited must have come, and why the connection ends otherwise.
    pub(super) fn deadline(&self) -> Option<(Instant, End)> {
        let since = self.awaited?;
        Some(match self.settled {
            true => (since + self.terms.header_timeout, End::Met(Limit::HeaderTimeout)),
            false => (since + self.terms.handshake_timeout, End::Met(Limit::HandshakeTimeout)),
        })
    }

    /// Whether another frame may stand behind what has been said.
    pub(super) fn is_between(&self) -> bool {
        self.outgoing.is_between()
    }

    /// A GOAWAY that says why, where it may stand: between two frames, and once (RFC 9113 §6.8).
    pub(super) fn goodbye(&self, end: End) -> Option<[u8; 17]> {
        if self.said_goodbye || !self.outgoing.is_between() {
            return None;
        }
        let code = match end {
            End::Met(_) => ENHANCE_YOUR_CALM,
            End::NotHttp2 => PROTOCOL_ERROR,
        };
        let mut frame = [0, 0, 8, GOAWAY, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, code];
        frame[9..13].copy_from_slice(&self.last_stream.to_be_bytes());
        Some(frame)
    }

    fn follow_header(&mut self, frame: Frame) {
        let before = match frame.kind {
            HEADERS => 0,
            CONTINUATION => self.header.unwrap_or(0),
            _ => return,
        };
        self.last_stream = self.last_stream.max(frame.stream);
        let size = before + frame.length;
        self.header_too_large |= size > self.terms.header_bytes;
        self.header = (frame.flags & END_HEADERS == 0).then_some(size);
    }

    fn note(&mut self, told: Told, heard: &dyn Fn(Notice)) {
        match told {
            Told::Nothing => {}
            Told::StreamRefused => heard(Notice::Met(Limit::H2Streams)),
            Told::Malformed => heard(Notice::Refused(Refusal::Malformed)),
            Told::HeaderTooLarge => self.note_large_header(heard),
            Told::Goodbye { code } => {
                self.said_goodbye = true;
                match (self.header_too_large, code) {
                    (true, _) => self.note_large_header(heard),
                    (false, NO_ERROR) => {}
                    (false, ENHANCE_YOUR_CALM) => heard(Notice::Refused(Refusal::TooMuch)),
                    (false, _) => heard(Notice::Refused(Refusal::Malformed)),
                }
            }
        }
    }

    fn note_large_header(&mut self, heard: &dyn Fn(Notice)) {
        self.header_too_large = false;
        heard(Notice::Met(Limit::H2HeaderBytes));
        heard(Notice::Refused(Refusal::HeaderTooLarge));
    }
}

/// RFC 9113 §7.
const NO_ERROR: u8 = 0x0;
const PROTOCOL_ERROR: u8 = 0x1;
const ENHANCE_YOUR_CALM: u8 = 0xb;
