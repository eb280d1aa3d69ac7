//! What a provider makes of a session when it is asked for tokens anew.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::config::RelyingParty;
use crate::identity::{Credential, Principal, RefreshToken};
use crate::oidc::{ProviderFailed, Providers, Vouched};
use crate::session::{Given, Refresh, SessionState};
use crate::superid::{Outage, RefreshFailed, Refreshed, SignInFailed, SignedIn, SuperId};

/// Whoever can be asked.
pub(super) struct Asking {
    pub superid: Arc<SuperId>,
    pub providers: Arc<Providers>,
    pub parties: Vec<Arc<RelyingParty>>,
    /// Claims that some route's rule reads.
    pub kept_claims: Vec<String>,
}

/// Why there is nothing new.
#[derive(Debug)]
pub(super) enum NotRefreshed {
    /// Nobody answered, or not with anything that could be used.
    Outage {
        detail: String,
        /// The token was sent, and nobody knows what became of it.
        doubtful: bool,
        /// What takes its place: tokens came, and could not be looked at.
        rotated: Option<RefreshToken>,
    },
    /// The provider wants nothing of it, or vouches for somebody else.
    Refused(String),
}

impl Asking {
    /// Asks for tokens, and believes them when they are about the same person of the same tenant.
    pub async fn ask(
        &self,
        state: &SessionState,
        now: Timestamp,
    ) -> Result<SessionState, NotRefreshed> {
        let party = self.party(state).ok_or_else(|| unasked("the relying party is gone"))?;
        let refresh = state.refresh.as_ref().ok_or_else(|| unasked("it has no token"))?;
        let token = refresh.token().ok_or_else(|| unasked("its token is lost"))?;
        let (who, given) = match party.membership() {
            None => {
                let brought = self.superid.refresh(&party, token).await?;
                let given = given(&brought, token);
                let Some(SignedIn { claims, credential, .. }) = brought.who else {
                    return Err(NotRefreshed::Refused("no id_token came".to_owned()));
                };
                let principal = claims.principal(&self.kept_claims);
                let person = Refresh::person(principal.context.as_str(), &principal.subject);
                ((Some((principal, person)), credential), given)
            }
            Some(_) => {
                let brought = self.providers.refresh(&party, token).await?;
                let given = given(&brought, token);
                let who = brought.who.map(|vouched| self.admitted(&party, &vouched)).transpose()?;
                ((who, state.credential.clone()), given)
            }
        };
        renewed((state, refresh), who, given, now)
    }

    /// Who is asked for this session, as the configuration has it now.
    pub fn party(&self, state: &SessionState) -> Option<Arc<RelyingParty>> {
        let is = |party: &&Arc<RelyingParty>| {
            party.name == state.relying_party && party.bond == state.bond
        };
        self.parties.iter().find(is).cloned()
    }

    fn admitted(
        &self,
        party: &RelyingParty,
        vouched: &Vouched,
    ) -> Result<(Principal, [u8; 16]), NotRefreshed> {
        let admitted = self.providers.admit(party, vouched, &self.kept_claims);
        let principal = admitted.map_err(|why| NotRefreshed::Refused(why.to_string()))?;
        Ok((principal, Refresh::person(vouched.issuer(), vouched.subject())))
    }
}

/// The session with what came, if that is about whose session it is: by the name the provider has for
/// them, and as apps are told who it is. Where no id_token came, they are who they were (OpenID Connect
/// Core §12.2).
fn renewed(
    (state, refresh): (&SessionState, &Refresh),
    (who, credential): (Option<(Principal, [u8; 16])>, Credential),
    given: Given,
    now: Timestamp,
) -> Result<SessionState, NotRefreshed> {
    let principal = match who {
        None => state.principal.clone(),
        Some((principal, person)) => {
            let known = &state.principal;
            let same = principal.subject == known.subject && principal.context == known.context;
            if !same || !refresh.is_of(person) {
                let detail = "the new id_token is about somebody else, or another tenant";
                return Err(NotRefreshed::Refused(detail.to_owned()));
            }
            principal
        }
    };
    let refresh = Some(refresh.after(given));
    Ok(SessionState { principal, credential, seen: now, refresh, ..state.clone() })
}

/// The old token stays where no new one came (RFC 6749 §6, `superid.md` §4).
fn given<T>(brought: &Refreshed<T>, old: &RefreshToken) -> Given {
    let token = brought.rotated.as_ref().unwrap_or(old).clone();
    Given { token, asked: brought.asked, until: brought.until }
}

fn unasked(why: &str) -> NotRefreshed {
    NotRefreshed::Outage { detail: why.to_owned(), doubtful: false, rotated: None }
}

fn outage(outage: &Outage, rotated: Option<RefreshToken>) -> NotRefreshed {
    let doubtful = rotated.is_none() && !outage.was_not_sent();
    NotRefreshed::Outage { detail: chain(outage), doubtful, rotated }
}

impl From<RefreshFailed<SignInFailed>> for NotRefreshed {
    fn from(failed: RefreshFailed<SignInFailed>) -> Self {
        match failed.why {
            SignInFailed::Misconfigured { .. } => unasked(&chain(&failed.why)),
            SignInFailed::Outage(why) => outage(&why, failed.rotated),
            SignInFailed::Refused { .. } | SignInFailed::Untrusted(_) => {
                Self::Refused(chain(&failed.why))
            }
        }
    }
}

impl From<RefreshFailed<ProviderFailed>> for NotRefreshed {
    fn from(failed: RefreshFailed<ProviderFailed>) -> Self {
        match failed.why {
            ProviderFailed::Misconfigured { .. } => unasked(&chain(&failed.why)),
            ProviderFailed::NotTheProvider(_) => Self::Outage {
                detail: chain(&failed.why),
                doubtful: false,
                rotated: failed.rotated,
            },
            ProviderFailed::Outage(why) => outage(&why, failed.rotated),
            ProviderFailed::NotLetIn(_)
            | ProviderFailed::Refused { .. }
            | ProviderFailed::Untrusted(_) => Self::Refused(chain(&failed.why)),
        }
    }
}

/// With every source; none of them holds a token.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Bond;
    use crate::crypto::Random;
    use crate::identity::ContextId;
    use crate::session::{SessionId, Source};

    fn given(token: &str) -> Given {
        let token = RefreshToken::parse(token).unwrap();
        Given { token, asked: Timestamp(0), until: Timestamp(3_600) }
    }

    fn principal(subject: &str, tenant: &str) -> Principal {
        Principal {
            subject: subject.to_owned(),
            context: ContextId::parse(tenant).unwrap(),
            serial: None,
            company: None,
            email: None,
            initials: None,
            first_name: None,
            last_name: None,
            associate_id: None,
            administrator: subject == "ada" && tenant == "Cust1",
            web_api_url: None,
            soap_url: None,
            claims: Vec::new(),
        }
    }

    #[test]
    fn what_came_has_to_be_about_the_same_person_of_the_same_tenant() {
        let person = Refresh::person("https://issuer", "ada");
        let refresh = Refresh::fresh(given("old"), person, &Random::counting());
        let state = SessionState {
            id: SessionId([1; 16]),
            relying_party: "main".to_owned(),
            bond: Bond([0; 16]),
            principal: Principal { administrator: false, ..principal("ada", "Cust1") },
            credential: Credential::Nothing,
            source: Source::of("main"),
            keys: Vec::new(),
            signed_in: Timestamp(0),
            seen: Timestamp(0),
            refresh: Some(refresh.clone()),
            presented: None,
        };
        let brought = |who| {
            renewed((&state, &refresh), (who, Credential::Nothing), given("new"), Timestamp(9))
        };
        let renewed = brought(Some((principal("ada", "Cust1"), person))).unwrap();
        assert!(renewed.principal.administrator, "what is said of them now counts");
        assert_eq!(renewed.refresh.unwrap().token().unwrap().reveal(), "new");
        assert_eq!((renewed.id, renewed.signed_in), (state.id, state.signed_in));
        assert_eq!(brought(None).unwrap().principal, state.principal);
        let elsewhere = Refresh::person("https://other", "ada");
        for (subject, tenant, person) in
            [("eve", "Cust1", person), ("ada", "Cust2", person), ("ada", "Cust1", elsewhere)]
        {
            let refused = brought(Some((principal(subject, tenant), person)));
            assert!(matches!(refused, Err(NotRefreshed::Refused(_))), "{subject} of {tenant}");
        }
    }
}
