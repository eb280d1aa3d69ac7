//! Sign-out that a provider tells of: by a token from server to server, or in a frame of its page.

use http::StatusCode;

use crate::clock::Timestamp;
use crate::config::RelyingParty;
use crate::oidc::{Farewell, ProviderFailed, Whose};
use crate::session::{NotKept, NotSpread, Revocations, SessionState, What};
use crate::superid::ClaimsRefused;
use crate::web::{Fields, Reply};

use super::desk::{Counter, Desk};
use super::failure::{Failed, Failure};

/// What a provider ended.
#[derive(Clone, Debug)]
pub struct EndedElsewhere {
    /// The name of the provider.
    pub provider: String,
    /// Its word for whom: a person, or one session of theirs.
    pub whose: &'static str,
}

/// Why nothing came of a provider's word.
#[derive(Debug, thiserror::Error)]
pub enum NotEnded {
    #[error("the logout token is not believed: {0}")]
    Refused(ClaimsRefused),
    #[error("the logout token was used before")]
    Replayed,
    /// The same token may come again.
    #[error("the provider's keys cannot be had: {0}")]
    Unreachable(String),
    /// It holds here.
    #[error(transparent)]
    NotSpread(#[from] NotSpread),
    #[error("{0}")]
    NotRemembered(String),
}

impl Desk {
    /// Takes a logout token (OpenID Connect Back-Channel Logout §2.5) for whichever of the parties it is
    /// for, and ends what it names, once.
    ///
    /// # Errors
    /// [`NotEnded`]; only after [`NotEnded::NotSpread`] is anything over.
    pub async fn ended_elsewhere(
        &self,
        parties: &[&RelyingParty],
        token: &str,
        revocations: &Revocations,
    ) -> Result<EndedElsewhere, NotEnded> {
        let (party, farewell) = self.believed(parties, token).await?;
        let now = self.clock.now();
        // Before anything ends: who came back since then is not meant.
        if self.used.was_taken(&farewell.digest, now).await {
            return Err(NotEnded::Replayed);
        }
        let (authority, issuer) = (party.authority.name(), farewell.issuer.as_str());
        let (what, whose) = match &farewell.whose {
            Whose::Session(sid) => (What::ProviderSession { authority, issuer, sid }, "session"),
            Whose::Subject(subject) => {
                (What::ProviderSubject { authority, issuer, subject }, "subject")
            }
        };
        revocations.revoke(what, now).await?;
        self.take(&farewell, farewell.expires).await?;
        Ok(EndedElsewhere { provider: authority.to_owned(), whose })
    }

    /// Ends the browser's session, if it came of the provider's session that `iss` and `sid` name
    /// (OpenID Connect Front-Channel Logout §3), without a word. Whoever asks can do nothing else by it.
    ///
    /// # Errors
    /// When the session could not be ended; then nothing is removed.
    pub async fn ended_in_a_frame(
        &self,
        at: Counter<'_>,
        session: Option<&SessionState>,
        fields: &Fields,
    ) -> Result<Reply, NotKept> {
        let named = fields.get("iss").zip(fields.get("sid"));
        let is_theirs = |session: &&SessionState| {
            named.is_some_and(|(issuer, sid)| session.source.is_of(issuer, sid))
        };
        let Some(session) = session.filter(is_theirs) else {
            return Ok(Reply::status(StatusCode::OK));
        };
        self.end_here(at, session).await?;
        Ok(Reply::status(StatusCode::OK).with_cookies(at.sessions.remove(at.cookies)))
    }

    /// The party a token is for, and what it says. The provider of one party may be another's too, with
    /// another client id, so each is asked.
    async fn believed<'p>(
        &self,
        parties: &[&'p RelyingParty],
        token: &str,
    ) -> Result<(&'p RelyingParty, Farewell), NotEnded> {
        let mut why = NotEnded::Refused(ClaimsRefused::Issuer);
        for party in parties.iter().filter(|party| party.membership().is_some()) {
            match self.providers.verify_logout(party, token).await {
                Ok(farewell) => return Ok((party, farewell)),
                Err(ProviderFailed::Untrusted(refused)) => {
                    // The likeliest to be meant is the one that got furthest.
                    if !matches!(why, NotEnded::Unreachable(_)) && refused != ClaimsRefused::Issuer
                    {
                        why = NotEnded::Refused(refused);
                    }
                }
                Err(failed) => why = NotEnded::Unreachable(failed.to_string()),
            }
        }
        Err(why)
    }

    async fn take(&self, farewell: &Farewell, until: Timestamp) -> Result<(), NotEnded> {
        let taken = self.take_first(farewell.digest, until).await;
        taken.map_err(|failed: Failed| match failed.failure {
            Failure::TokenReplayed => NotEnded::Replayed,
            _ => NotEnded::NotRemembered(failed.detail),
        })
    }
}
