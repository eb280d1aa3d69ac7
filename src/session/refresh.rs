//! What keeps a session's credential good beyond the life of one access token.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::crypto::{Half, Random, sha256};
use crate::identity::RefreshToken;

/// What is known of refreshing a session: the token, and how far it has come.
///
/// Rounds order what is written of one session, wherever it was written: the higher one is the later
/// one. A refresh that brought tokens counts two, one after which nobody knows counts one, so that of
/// two that began from the same round the tokens win.
#[derive(Clone, Serialize, Deserialize)]
pub struct Refresh {
    /// None where it was sent once and no answer came: it may be spent, and is not sent again.
    token: Option<RefreshToken>,
    round: u32,
    /// From then on it is time for the next.
    due: Timestamp,
    /// When the access token is dead.
    until: Timestamp,
    /// Half of the key for what is kept of the session elsewhere.
    half: Half,
    /// Names the person at whoever signed them in.
    person: [u8; 16],
}

/// Tokens as a provider gave them, and for how long.
#[derive(Clone, Debug)]
pub struct Given {
    pub token: RefreshToken,
    /// When they were asked for.
    pub asked: Timestamp,
    /// When the access token is dead.
    pub until: Timestamp,
}

impl Refresh {
    /// After a sign-in; `person` is who it was at the provider.
    pub fn fresh(given: Given, person: [u8; 16], random: &Random) -> Self {
        let half: Half = random.bytes();
        let due = halfway((given.asked, given.until), &half);
        Self { token: Some(given.token), round: 0, due, until: given.until, half, person }
    }

    /// A name for a person at an issuer, for comparing alone.
    pub fn person(issuer: &str, subject: &str) -> [u8; 16] {
        let digest = sha256(&[b"refreshed person", issuer.as_bytes(), subject.as_bytes()]);
        *digest.first_chunk().expect("a digest is 32 bytes")
    }

    /// After a refresh that brought these.
    pub fn after(&self, given: Given) -> Self {
        let due = halfway((given.asked, given.until), &self.half);
        let round = self.round.saturating_add(2);
        Self { token: Some(given.token), round, due, until: given.until, ..self.clone() }
    }

    /// With another refresh token and nothing else: the next is due as this one was.
    pub fn rotated(&self, token: RefreshToken) -> Self {
        Self { token: Some(token), round: self.round.saturating_add(2), ..self.clone() }
    }

    /// After one of which nobody knows what became.
    pub fn lost(&self) -> Self {
        Self { token: None, round: self.round.saturating_add(1), ..self.clone() }
    }

    /// The token, where it can be sent.
    pub fn token(&self) -> Option<&RefreshToken> {
        self.token.as_ref()
    }

    /// Whose it is.
    pub fn is_of(&self, person: [u8; 16]) -> bool {
        self.person == person
    }

    /// Whether it is time for the next: half of the access token's life is over, a little less for some
    /// sessions than for others, so that not all come at once.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.token.is_some() && now >= self.due
    }

    /// Whether the access token is dead and nothing brings another.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.token.is_none() && now >= self.until
    }

    /// How far it has come.
    pub fn round(&self) -> u32 {
        self.round
    }

    pub(super) fn half(&self) -> &Half {
        &self.half
    }
}

impl fmt::Debug for Refresh {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Refresh(round {}, due {:?})", self.round, self.due)
    }
}

/// Half of the way, or up to an eighth of it before that.
fn halfway((asked, until): (Timestamp, Timestamp), half: &Half) -> Timestamp {
    let life = until.since(asked);
    let early = life / 8 * u64::from(half[0]) / 256;
    asked.plus((life / 2).saturating_sub(early))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(asked: u64, until: u64) -> Given {
        let token = RefreshToken::parse("r").unwrap();
        Given { token, asked: Timestamp(asked), until: Timestamp(until) }
    }

    #[test]
    fn it_is_due_when_half_of_the_life_is_over_and_for_some_earlier() {
        for _ in 0..100 {
            let refresh = Refresh::fresh(given(1_000, 4_600), [0; 16], &Random::system());
            assert!(!refresh.is_due(Timestamp(2_349)), "{refresh:?}");
            assert!(refresh.is_due(Timestamp(2_800)), "{refresh:?}");
        }
    }

    #[test]
    fn tokens_win_over_a_loss_that_began_from_the_same_round() {
        let before = Refresh::fresh(given(0, 100), [0; 16], &Random::system());
        assert!(before.after(given(50, 150)).round() > before.lost().round());
        assert!(before.lost().round() > before.round());
        assert!(before.lost().is_over(Timestamp(100)) && !before.lost().is_over(Timestamp(99)));
        assert!(!before.lost().is_due(Timestamp(99)), "it is not sent again");
        assert!(!before.is_over(Timestamp(1_000)), "an outage ends nothing");
    }

    #[test]
    fn nothing_of_it_is_printed() {
        let refresh = Refresh::fresh(given(0, 100), [7; 16], &Random::counting());
        let printed = format!("{refresh:?}");
        let when = printed.strip_prefix("Refresh(round 0, due Timestamp(");
        let when = when.and_then(|rest| rest.strip_suffix("))"));
        assert!(when.is_some_and(|when| when.parse::<u64>().is_ok()), "{printed}");
    }
}
