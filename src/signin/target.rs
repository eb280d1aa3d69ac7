//! The original address of an attempt: in `state` while it is short, in a cookie while it fits.

use http::HeaderValue;
use serde::{Deserialize, Serialize};

use crate::crypto::{KeyRing, Purpose};
use crate::web::{ReturnTo, SetCookie};

use super::attempt::{Attempt, Place};
use super::desk::{Counter, Desk};

/// A long original address, tied to its attempt.
#[derive(Serialize, Deserialize)]
struct LongTarget {
    attempt: [u8; 16],
    target: String,
}

impl Desk {
    /// Where `attempt` leads. A target cookie that is gone or another attempt's leads to the root.
    pub(super) fn target_of(&self, at: Counter<'_>, attempt: &Attempt) -> ReturnTo {
        let kept = match &attempt.target {
            Place::Inline(target) => Some(target.clone()),
            Place::Cookie(slot) => self.long_target(at, attempt, *slot),
        };
        kept.and_then(|target| ReturnTo::parse(&target, &at.host.origin, &at.host.prefix))
            .unwrap_or_else(ReturnTo::root)
    }

    /// Puts a long target into one of the two cookies, the unused one if there is one. `None` when
    /// it does not fit: then the person lands on the path without its query, or on the root.
    pub(super) fn keep_long_target(
        &self,
        at: Counter<'_>,
        attempt: &mut Attempt,
        target: &ReturnTo,
    ) -> Option<HeaderValue> {
        let slot = (0..2)
            .find(|slot| !at.cookies.has(&at.names.targets[*slot]))
            .unwrap_or(usize::from(attempt.id[0] & 1));
        let long = LongTarget { attempt: attempt.id, target: target.as_str().to_owned() };
        let plain = postcard::to_stdvec(&long).ok()?;
        if KeyRing::sealed_len(plain.len()) > MOST_SEALED {
            return None;
        }
        let name = &at.names.targets[slot];
        let value = self.keys.seal(Purpose::Target, &at.context(name), &plain, &self.random);
        attempt.target = Place::Cookie(u8::try_from(slot).unwrap_or(0));
        let max_age = Some(self.attempt_life);
        Some(SetCookie { name, value: &value, max_age, attributes: at.attributes() }.header())
    }

    /// Removes the target cookie an attempt used.
    pub(super) fn forget_target(&self, at: Counter<'_>, attempt: &Attempt) -> Option<HeaderValue> {
        let Place::Cookie(slot) = attempt.target else { return None };
        let name = at.names.targets.get(usize::from(slot))?;
        Some(SetCookie { name, value: "", max_age: Some(0), attributes: at.attributes() }.header())
    }

    fn long_target(&self, at: Counter<'_>, attempt: &Attempt, slot: u8) -> Option<String> {
        let name = at.names.targets.get(usize::from(slot))?;
        let sealed = at.cookies.one(name)?;
        let plain = self.keys.open(Purpose::Target, &at.context(name), sealed).ok()?;
        let long: LongTarget = postcard::from_bytes(&plain).ok()?;
        (long.attempt == attempt.id).then_some(long.target)
    }
}

/// Bytes of a sealed target, so that the cookie stays under a browser's 4,096.
const MOST_SEALED: usize = 3000;
