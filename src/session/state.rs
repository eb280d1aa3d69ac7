//! What a session knows.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::config::Bond;
use crate::crypto::{KeyId, Random};
use crate::identity::{Credential, Principal};

use super::marks::Source;
use super::refresh::Refresh;

/// A session's name; a new one at every sign-in, so that none can be planted beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionId(pub [u8; 16]);

impl SessionId {
    /// A name nobody can guess.
    pub fn fresh(random: &Random) -> Self {
        Self(random.bytes())
    }

    /// Reads what [`SessionId`] is displayed as.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

/// 22 characters of base64url.
impl fmt::Display for SessionId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// A signed-in person.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionState {
    pub id: SessionId,
    /// The relying party they signed in with; another one's routes do not take it.
    pub relying_party: String,
    /// Which relying party that name meant then.
    pub bond: Bond,
    pub principal: Principal,
    pub credential: Credential,
    /// Who vouched for them. It is kept behind the rest, see [`SessionState::to_bytes`].
    #[serde(skip)]
    pub source: Source,
    /// Every key it was sealed with so far, and those that what it was made from was sealed with: who
    /// has one of them may have made it. Kept behind the rest, too.
    #[serde(skip)]
    pub keys: Vec<KeyId>,
    /// When they signed in: the absolute lifetime counts from here.
    pub signed_in: Timestamp,
    /// When the cookie was last written: the idle lifetime counts from here.
    pub seen: Timestamp,
    /// What keeps the credential good, where the provider gave something for it.
    #[serde(skip)]
    pub refresh: Option<Refresh>,
    /// When a ticket last went along with a request, as far as that was written; it lives on from there
    /// (`superid.md` §5). `None` for other credentials, and in sessions of before that was known.
    #[serde(skip)]
    pub presented: Option<Timestamp>,
}

impl SessionState {
    /// As it is sealed. What sessions came to know later follows what they knew before, each part whole:
    /// a program of before reads its own, and what it leaves out is as if it were not known.
    ///
    /// # Errors
    /// When a part cannot be written.
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, postcard::Error> {
        let mut plain = Zeroizing::new(postcard::to_stdvec(self)?);
        plain.extend_from_slice(&postcard::to_stdvec(&self.source)?);
        plain.extend_from_slice(&postcard::to_stdvec(&self.keys)?);
        match (&self.credential, &self.refresh, &self.presented) {
            (Credential::Ticket(_), _, Some(presented)) => {
                plain.extend_from_slice(&postcard::to_stdvec(presented)?);
            }
            (Credential::Bearer { .. } | Credential::Nothing, Some(refresh), _) => {
                plain.extend_from_slice(&Zeroizing::new(postcard::to_stdvec(refresh)?));
            }
            (_, _, _) => {}
        }
        Ok(plain)
    }

    /// Reads what [`SessionState::to_bytes`] wrote, here or in a program of before; `None` for anything
    /// else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (mut state, rest) = postcard::take_from_bytes::<Self>(bytes).ok()?;
        if rest.is_empty() {
            return Some(state);
        }
        let (source, rest) = postcard::take_from_bytes(rest).ok()?;
        state.source = source;
        if !rest.is_empty() {
            let (keys, beyond) = postcard::take_from_bytes(rest).ok()?;
            state.keys = keys;
            if !beyond.is_empty() {
                state.read_what_keeps_it_good(beyond)?;
            }
        }
        Some(state)
    }

    /// The last part: when a ticket went along, or what another credential is had anew with.
    fn read_what_keeps_it_good(&mut self, bytes: &[u8]) -> Option<()> {
        let rest = match &self.credential {
            Credential::Ticket(_) => {
                let (presented, rest) = postcard::take_from_bytes(bytes).ok()?;
                self.presented = Some(presented);
                rest
            }
            Credential::Bearer { .. } | Credential::Nothing => {
                let (refresh, rest) = postcard::take_from_bytes(bytes).ok()?;
                self.refresh = Some(refresh);
                rest
            }
        };
        rest.is_empty().then_some(())
    }

    /// It was sealed with this key as well.
    pub(super) fn was_sealed_with(&mut self, key: Option<KeyId>) {
        self.keys.extend(key.filter(|key| !self.keys.contains(key)));
    }

    /// Whether the credential could be had anew.
    pub fn can_be_refreshed(&self) -> bool {
        self.refresh.as_ref().is_some_and(|refresh| refresh.token().is_some())
    }

    /// How far refreshing it has come; what is written later of one session has more.
    pub(super) fn round(&self) -> u32 {
        self.refresh.as_ref().map_or(0, Refresh::round)
    }

    /// Whether the credential could still be used at `now`, as far as its times tell.
    pub fn credential_lives(&self, now: Timestamp) -> bool {
        match &self.credential {
            Credential::Bearer { until, .. } => now < *until,
            Credential::Nothing => true,
            Credential::Ticket(_) => now.since(self.ticket_used()) < TICKET_LIFE,
        }
    }

    /// The session with its ticket going along now, where that is to be written: every tenth of a
    /// ticket's life.
    pub fn presenting(&self, now: Timestamp) -> Option<Self> {
        let is_one = matches!(self.credential, Credential::Ticket(_));
        let is_due = is_one && now.since(self.ticket_used()) >= TICKET_LIFE / 10;
        is_due.then(|| Self { presented: Some(now), ..self.clone() })
    }

    fn ticket_used(&self) -> Timestamp {
        self.presented.unwrap_or(self.seen)
    }
}

/// Seconds a ticket lives after its last use; what is dead cannot be renewed (`superid.md` §5).
const TICKET_LIFE: u64 = 6 * 60 * 60;

#[cfg(test)]
impl SessionState {
    /// Somebody of tenant `Cust1`, for tests.
    pub(crate) fn of(subject: &str, id: [u8; 16], signed_in: Timestamp) -> Self {
        let principal = Principal {
            subject: subject.to_owned(),
            context: crate::identity::ContextId::parse("Cust1").unwrap(),
            serial: None,
            company: None,
            email: None,
            initials: None,
            first_name: None,
            last_name: None,
            associate_id: None,
            administrator: false,
            web_api_url: None,
            soap_url: None,
            claims: Vec::new(),
        };
        Self {
            id: SessionId(id),
            relying_party: "main".to_owned(),
            bond: Bond([0; 16]),
            principal,
            credential: Credential::Nothing,
            source: Source::of("sod"),
            keys: Vec::new(),
            signed_in,
            seen: signed_in,
            refresh: None,
            presented: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::refresh::Given;
    use super::*;
    use crate::identity::{RefreshToken, Ticket};

    #[test]
    fn what_was_sealed_before_is_read_and_what_is_sealed_now_is_read_as_before() {
        let state = SessionState::of("a@b", [7; 16], Timestamp(9));
        let before = postcard::to_stdvec(&state).unwrap();
        let read = SessionState::from_bytes(&before).unwrap();
        assert_eq!((read.id, read.source.authority()), (state.id, ""));
        let now = state.to_bytes().unwrap();
        assert_eq!(format!("{:?}", SessionState::from_bytes(&now).unwrap()), format!("{state:?}"));
        let old_program = postcard::from_bytes::<SessionState>(&now).unwrap();
        assert_eq!(old_program.id, state.id);
        let sourced = postcard::to_extend(&state.source, before.clone()).unwrap().len();
        for end in (0..now.len()).filter(|end| ![before.len(), sourced].contains(end)) {
            assert!(SessionState::from_bytes(&now[..end]).is_none(), "the first {end} bytes");
        }
    }

    #[test]
    fn one_that_can_be_refreshed_is_read_as_it_was_written_and_nothing_beside_it() {
        let token = RefreshToken::parse("refresh").unwrap();
        let given = Given { token, asked: Timestamp(1), until: Timestamp(3_601) };
        let refresh = Some(Refresh::fresh(given, [7; 16], &Random::counting()));
        let without = SessionState::of("a@b", [1; 16], Timestamp(1));
        let plain = SessionState { refresh, ..without.clone() }.to_bytes().unwrap();
        let read = SessionState::from_bytes(&plain).unwrap();
        assert_eq!(read.refresh.unwrap().token().unwrap().reveal(), "refresh");
        let bare = without.to_bytes().unwrap();
        assert!(plain.starts_with(&bare), "whoever knows no more reads the first parts alone");
        for end in bare.len() + 1..plain.len() {
            assert!(SessionState::from_bytes(&plain[..end]).is_none(), "the first {end} bytes");
        }
        assert!(SessionState::from_bytes(&[&plain[..], b"x"].concat()).is_none());
    }

    #[test]
    fn a_ticket_lives_six_hours_from_when_it_last_went_along() {
        let credential = Credential::Ticket(Ticket::parse("7T:x").unwrap());
        let state = SessionState {
            credential,
            presented: Some(Timestamp(1_000)),
            ..SessionState::of("a@b", [1; 16], Timestamp(1_000))
        };
        assert!(state.credential_lives(Timestamp(22_599)));
        assert!(!state.credential_lives(Timestamp(22_600)));
        let used = SessionState { seen: Timestamp(22_600), ..state.clone() };
        assert!(!used.credential_lives(Timestamp(22_600)), "what went along without it is no use");
        assert!(state.presenting(Timestamp(3_159)).is_none(), "it is not written each time");
        let presenting = state.presenting(Timestamp(3_160)).unwrap();
        assert!(presenting.credential_lives(Timestamp(24_759)));
        let read = SessionState::from_bytes(&presenting.to_bytes().unwrap()).unwrap();
        assert_eq!(read.presented, Some(Timestamp(3_160)));
        let before = SessionState { presented: None, ..state }.to_bytes().unwrap();
        let read = SessionState::from_bytes(&before).unwrap();
        assert!(
            read.credential_lives(Timestamp(22_599)),
            "of before that was kept: by its last use"
        );
        assert!(!read.credential_lives(Timestamp(22_600)));
    }
}
