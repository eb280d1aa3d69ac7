//! What goes from a posted form, which comes without our cookies, to a page of ours: sealed into a
//! short-lived cookie, which nobody can plant from outside, instead of a code in the address.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::config::Bond;
use crate::crypto::Purpose;
use crate::identity::{Principal, Ticket};
use crate::session::Chunked;
use crate::web::Reply;

use super::answer::Answer;
use super::attempt::Attempt;
use super::consent::Consent;
use super::desk::{Counter, Desk};
use super::failure::{Failed, Failure, Outcome};

/// What is handed over.
#[derive(Serialize, Deserialize)]
pub(super) enum Handover {
    /// An answer nobody has looked into, and the attempt it names.
    Held(Box<(Attempt, Answer)>),
    /// A legacy token that was verified and taken.
    Posted(Box<Posted>),
}

/// Verified claims of a legacy token.
#[derive(Serialize, Deserialize)]
pub(super) struct Posted {
    pub(super) id: [u8; 16],
    pub(super) relying_party: String,
    /// Which relying party that name meant when the token was verified.
    pub(super) bond: Bond,
    pub(super) principal: Principal,
    pub(super) ticket: Option<Ticket>,
    pub(super) consent: Option<Consent>,
    pub(super) verified: Timestamp,
}

impl Desk {
    /// Sends the browser to our own page with it.
    pub(super) fn hand_over(&self, at: Counter<'_>, what: &Handover) -> Outcome {
        let sealed = postcard::to_stdvec(&(self.clock.now(), what))
            .map_err(|error| Failed::new(Failure::Internal, error.to_string()))?;
        let context = at.context(&at.names.handoff);
        let sealed = self.keys.seal(Purpose::Handoff, &context, &sealed, &self.random);
        let cookies = chunked(at)
            .write(&sealed, Some(HANDOVER_LIFE), at.cookies)
            .map_err(|error| Failed::new(Failure::BadRequest, format!("an answer: {error}")))?;
        Ok(Reply::redirect(&at.own("finish")).with_cookies(cookies))
    }

    /// What the browser brings, while it is fresh.
    pub(super) fn handed_over(&self, at: Counter<'_>) -> Option<Handover> {
        let sealed = chunked(at).read(at.cookies)?;
        let context = at.context(&at.names.handoff);
        let plain = self.keys.open(Purpose::Handoff, &context, &sealed).ok()?;
        let (since, what): (Timestamp, Handover) = postcard::from_bytes(&plain).ok()?;
        (self.clock.now().since(since) <= HANDOVER_LIFE).then_some(what)
    }
}

/// The cookies it rides in.
pub(super) fn chunked<'a>(at: Counter<'a>) -> Chunked<'a> {
    Chunked { name: &at.names.handoff, attributes: at.attributes() }
}

/// Seconds between the POST and our own page: a redirect, and a slow phone.
pub(super) const HANDOVER_LIFE: u64 = 60;
