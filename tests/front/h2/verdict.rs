//! What a case of the table asks for, and whether it came.

use super::frames::{DATA, GOAWAY, HEADERS, PING, RST_STREAM, ping};
use super::talker::{Heard, Talker};

/// One row: what is said after both sides' settings, and what has to come of it.
pub struct Case {
    pub section: &'static str,
    pub what: &'static str,
    pub steps: Vec<Step>,
    pub wanted: Wanted,
}

pub enum Step {
    Say(Vec<u8>),
    /// Waits until this stream is answered to its end.
    Answered(u32),
}

#[derive(Clone, Copy, Debug)]
pub enum Wanted {
    /// GOAWAY with one of these codes, or the connection closed without a word (RFC 9113 §5.4.1).
    /// Where the RFC wants FRAME_SIZE_ERROR, FLOW_CONTROL_ERROR or STREAM_CLOSED, the library says
    /// PROTOCOL_ERROR now and then, as other servers do; such rows name both.
    Ends(&'static [u32]),
    /// RST_STREAM or GOAWAY with one of these codes, or the connection closed.
    Fails(&'static [u32]),
    /// A message that is no message: RST_STREAM or GOAWAY with PROTOCOL_ERROR, or a 400 (§8.1.1).
    Malformed,
    /// Stream 1 is answered with this status.
    Answers(u16),
    /// Nothing comes of it: the next PING is answered first.
    Nothing,
}

pub const PROTOCOL: u32 = 1;
pub const FLOW_CONTROL: u32 = 3;
pub const CLOSED: u32 = 5;
pub const FRAME_SIZE: u32 = 6;
pub const REFUSED: u32 = 7;
pub const COMPRESSION: u32 = 9;
pub const CALM: u32 = 0xb;

/// A row whose bytes are said at once.
pub fn case(section: &'static str, what: &'static str, bytes: Vec<u8>, wanted: Wanted) -> Case {
    Case { section, what, steps: vec![Step::Say(bytes)], wanted }
}

impl Case {
    /// Plays it on a fresh connection that has been greeted.
    pub async fn play(&self, talker: &mut Talker) -> Result<(), String> {
        for step in &self.steps {
            match step {
                Step::Say(bytes) => {
                    let _closed = talker.say(bytes).await;
                }
                Step::Answered(stream) => answered(talker, *stream).await?,
            }
        }
        if matches!(self.wanted, Wanted::Nothing) {
            let _closed = talker.say(ping(*b"are you?")).await;
        }
        loop {
            let heard = talker.hear().await;
            match self.wanted.judge(heard.as_ref()) {
                Some(verdict) => return verdict,
                None => continue,
            }
        }
    }
}

impl Wanted {
    /// `None`: what came does not decide it.
    fn judge(self, heard: Option<&Heard>) -> Option<Result<(), String>> {
        let Some(heard) = heard else {
            return Some(match self {
                Self::Ends(_) | Self::Fails(_) | Self::Malformed => Ok(()),
                Self::Answers(_) | Self::Nothing => Err("closed".to_owned()),
            });
        };
        let coded = |codes: &[u32]| match codes.contains(&heard.code()) {
            true => Ok(()),
            false => Err(format!("{heard:?}")),
        };
        match (self, heard.kind) {
            (Self::Ends(codes), GOAWAY) => Some(coded(codes)),
            (Self::Fails(codes), GOAWAY | RST_STREAM) => Some(coded(codes)),
            (Self::Malformed, GOAWAY | RST_STREAM) => Some(coded(&[PROTOCOL])),
            (Self::Malformed, HEADERS) => Some(match heard.status() {
                400 => Ok(()),
                status => Err(format!("answered {status}")),
            }),
            (Self::Answers(wanted), HEADERS) if heard.stream == 1 => Some(match heard.status() {
                status if status == wanted => Ok(()),
                status => Err(format!("answered {status}")),
            }),
            (Self::Nothing, PING) if heard.payload == b"are you?" => Some(Ok(())),
            (Self::Answers(_) | Self::Nothing, GOAWAY | RST_STREAM) => {
                Some(Err(format!("{heard:?}")))
            }
            _ => None,
        }
    }
}

async fn answered(talker: &mut Talker, stream: u32) -> Result<(), String> {
    loop {
        let heard = talker.hear().await.ok_or("closed before the answer")?;
        match heard.kind {
            HEADERS | DATA if heard.stream == stream && heard.flags & 1 != 0 => return Ok(()),
            GOAWAY | RST_STREAM => return Err(format!("{heard:?} before the answer")),
            _ => {}
        }
    }
}
