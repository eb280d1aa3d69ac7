//! The one cookie that ties attempts to the browser that began them.

use http::HeaderValue;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::crypto::{KeyRing, Purpose, Random, sha256};
use crate::identity::ContextId;
use crate::web::{CookieAttributes, CookieNames, Cookies, PublicOrigin, SetCookie};

/// A browser, as far as sign-ins care. One cookie whatever the number of attempts: those of the
/// code flow live in `state`, those of the legacy flow, which has no state, in here.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Binding {
    secret: [u8; 32],
    /// Newest first, at most [`MOST_LEGACY`].
    legacy: Vec<LegacyAttempt>,
    /// When a sign-in last succeeded here and with whom, and how many were begun right after it.
    completed: Timestamp,
    completed_with: String,
    returns: u8,
}

/// An attempt of the legacy flow.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct LegacyAttempt {
    pub(super) id: [u8; 16],
    pub(super) relying_party: String,
    pub(super) target: String,
    pub(super) tenant: Option<ContextId>,
    pub(super) begun: Timestamp,
}

impl Binding {
    /// A browser not met before.
    pub(super) fn fresh(random: &Random) -> Self {
        Self {
            secret: random.bytes(),
            legacy: Vec::new(),
            completed: Timestamp(0),
            completed_with: String::new(),
            returns: 0,
        }
    }

    /// The binding a browser brings.
    pub(super) fn read(
        names: &CookieNames,
        origin: &PublicOrigin,
        keys: &KeyRing,
        cookies: Cookies<'_>,
    ) -> Option<Self> {
        let sealed = cookies.one(&names.binding)?;
        let plain = keys.open(Purpose::Binding, &context(names, origin), sealed).ok()?;
        postcard::from_bytes(&plain).ok()
    }

    /// The cookie. It outlives the attempts, so that tabs opened later share it.
    pub(super) fn cookie(
        &self,
        names: &CookieNames,
        origin: &PublicOrigin,
        keys: &KeyRing,
        random: &Random,
        attributes: CookieAttributes,
    ) -> HeaderValue {
        let room = Vec::with_capacity(PLAIN);
        let plain = postcard::to_extend(self, room).expect("a binding is plain data");
        let value = keys.seal(Purpose::Binding, &context(names, origin), &plain, random);
        SetCookie { name: &names.binding, value: &value, max_age: Some(LIFE), attributes }.header()
    }

    /// What an attempt carries of it; the cookie cannot be made from this.
    pub(super) fn fingerprint(&self) -> [u8; 16] {
        let mut short = [0; 16];
        short.copy_from_slice(&sha256(&[b"binding", &self.secret])[..16]);
        short
    }

    /// Notes that a sign-in with `party` begins; `false` when too many began right after one with
    /// the same party succeeded, which is what a session cookie that never comes back looks like.
    pub(super) fn begins(&mut self, party: &str, now: Timestamp) -> bool {
        if self.completed_with != party || now.since(self.completed) > RETURN_SECONDS {
            self.returns = 0;
            return true;
        }
        self.returns = self.returns.saturating_add(1);
        self.returns <= MOST_RETURNS
    }

    /// Notes that a sign-in with `party` succeeded.
    pub(super) fn completed(&mut self, party: &str, now: Timestamp) {
        self.completed = now;
        party.clone_into(&mut self.completed_with);
    }

    /// Lets the person try once more after a loop was shown.
    pub(super) fn forget_returns(&mut self) {
        self.returns = 0;
        self.completed = Timestamp(0);
    }

    /// Remembers a legacy attempt, and forgets the oldest for it where there is no room.
    pub(super) fn remember(&mut self, attempt: LegacyAttempt) {
        self.legacy.insert(0, attempt);
        self.legacy.truncate(MOST_LEGACY);
        while self.legacy.iter().map(|kept| kept.target.len()).sum::<usize>() > LEGACY_BYTES {
            if self.legacy.len() == 1 {
                self.legacy[0].target = "/".to_owned();
                break;
            }
            self.legacy.pop();
        }
    }

    /// Takes the newest living legacy attempt with `party`. The others lead to the root from now
    /// on: a posted form does not tell which of them it answers.
    pub(super) fn take_legacy(
        &mut self,
        party: &str,
        is_alive: impl Fn(Timestamp) -> bool,
    ) -> Option<LegacyAttempt> {
        self.legacy.retain(|attempt| is_alive(attempt.begun));
        let at = self.legacy.iter().position(|attempt| attempt.relying_party == party)?;
        let taken = self.legacy.remove(at);
        for other in self.legacy.iter_mut().filter(|other| other.relying_party == party) {
            "/".clone_into(&mut other.target);
        }
        Some(taken)
    }
}

fn context(names: &CookieNames, origin: &PublicOrigin) -> Vec<u8> {
    [names.binding.as_bytes(), b"\n", origin.as_str().as_bytes()].concat()
}

/// Bytes of a binding without legacy attempts.
const PLAIN: usize = 128;

/// One day: longer than any attempt, shorter than a browser keeps cookies nobody uses.
const LIFE: u64 = 24 * 60 * 60;
/// Sign-ins begun within this many seconds of a success count as coming back unsigned.
const RETURN_SECONDS: u64 = 30;
/// A few are a person in a hurry; more are a loop.
const MOST_RETURNS: u8 = 4;
const MOST_LEGACY: usize = 4;
/// Of all targets together, so that the sealed cookie stays under 4,096 bytes.
const LEGACY_BYTES: usize = 2400;

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(id: u8, target: &str, begun: u64) -> LegacyAttempt {
        LegacyAttempt {
            id: [id; 16],
            relying_party: "old".to_owned(),
            target: target.to_owned(),
            tenant: None,
            begun: Timestamp(begun),
        }
    }

    #[test]
    fn the_newest_legacy_attempt_wins_and_the_others_land_on_the_root() {
        let mut binding = Binding::fresh(&Random::counting());
        for id in 1..=6 {
            binding.remember(attempt(id, &format!("/{id}"), u64::from(id)));
        }
        assert_eq!(binding.legacy.len(), MOST_LEGACY);
        let newest = binding.take_legacy("old", |_| true).unwrap();
        assert_eq!((newest.id[0], newest.target.as_str()), (6, "/6"));
        assert_eq!(binding.take_legacy("old", |_| true).unwrap().target, "/");
        assert!(binding.take_legacy("other", |_| true).is_none());
        assert!(binding.take_legacy("old", |begun| begun > Timestamp(9)).is_none());
    }

    #[test]
    fn the_cookie_never_grows_beyond_what_a_browser_keeps() {
        let (random, keys) = (Random::counting(), KeyRing::new(&[[1; 32]]));
        let origin = PublicOrigin::parse("https://app.example").unwrap();
        let names = CookieNames::new("superid-gateway", &origin);
        let mut binding = Binding::fresh(&random);
        for id in 0..9 {
            binding.remember(attempt(id, &"x".repeat(900 * usize::from(id)), 0));
            let lax = CookieAttributes::lax(&origin);
            assert!(binding.cookie(&names, &origin, &keys, &random, lax).len() < 4096);
        }
    }

    #[test]
    fn signing_in_again_right_after_success_is_a_loop_only_when_it_goes_on() {
        let mut binding = Binding::fresh(&Random::counting());
        assert!((0..20).all(|_| binding.begins("a", Timestamp(1000))), "ten tabs are no loop");
        binding.completed("a", Timestamp(1000));
        assert!((0..4).all(|_| binding.begins("a", Timestamp(1010))));
        assert!(!binding.begins("a", Timestamp(1010)));
        assert!(binding.begins("b", Timestamp(1010)), "the other door is no loop");
        assert!(binding.begins("a", Timestamp(1031)));
    }
}
