//! Sign-in at a provider that is not SuperID: the same attempt, and another's word for who it is.

use std::sync::Arc;

use http::header::LOCATION;

use crate::config::{Authority, Authorization, Membership, Pkce, PushedRequests, RelyingParty};
use crate::identity::{Credential, Principal};
use crate::oidc::{Answerer, FrontChannel, ProviderFailed, Vouched};
use crate::superid::{ClaimsRefused, CodeGrant};
use crate::web::{Reply, ReturnTo};

use super::answer::{Answer, Brought};
use super::attempt::Attempt;
use super::begin::{Wish, redirect_url};
use super::binding::Binding;
use super::desk::{Counter, Desk};
use super::failure::{Failed, Failure, Outcome};
use super::not_believed::chain;
use super::said::Said;

impl Desk {
    /// As [`Desk::begin`], where the provider may have to be asked first: for its addresses, or with
    /// the request itself.
    ///
    /// # Errors
    /// Those of [`Desk::begin`], and why the provider cannot be asked.
    pub async fn begin_elsewhere(&self, at: Counter<'_>, wish: &Wish<'_>) -> Outcome {
        self.reached(wish.party, &wish.target).await?;
        let begun = self.begin(at, wish)?;
        self.with_pushed(wish.party, &wish.target, begun).await
    }

    /// As [`Desk::begin_as`], wherever people sign in.
    pub(super) async fn begin_anywhere_as(
        &self,
        at: Counter<'_>,
        wish: &Wish<'_>,
        binding: Binding,
    ) -> Outcome {
        if wish.party.membership().is_none() {
            return self.begin_as(at, wish, binding);
        }
        self.reached(wish.party, &wish.target).await?;
        let begun = self.begin_as(at, wish, binding)?;
        self.with_pushed(wish.party, &wish.target, begun).await
    }

    /// As [`Desk::begin_round`], wherever people sign in.
    pub(super) async fn begin_again(
        &self,
        at: Counter<'_>,
        wish: &Wish<'_>,
        (binding, round): (Binding, u8),
    ) -> Outcome {
        if wish.party.membership().is_none() {
            return self.begin_round(at, wish, binding, round);
        }
        self.reached(wish.party, &wish.target).await?;
        let begun = self.begin_round(at, wish, binding, round)?;
        self.with_pushed(wish.party, &wish.target, begun).await
    }

    /// Whether an answer says that it is from where people were sent; of SuperID's, the issuer where it
    /// names one. An answer with an id_token may leave it out: that has the issuer in it, signed, and is
    /// verified before anything else of the answer is used.
    pub(super) async fn check_answerer(
        &self,
        party: &RelyingParty,
        answer: &Answer,
    ) -> Result<(), Failed> {
        let named = answer.issuer.as_deref();
        let checked = match party.environment() {
            Some(environment) if named.is_none_or(|issuer| issuer == environment.issuer) => Ok(()),
            Some(_) => Err(ClaimsRefused::WrongIssuerAnswered.into()),
            None if named.is_none() && answer.has_id_token() => Ok(()),
            None => self.providers.check_answerer(party, Answerer(named)).await,
        };
        checked.map_err(|error| refused(&error))
    }

    /// Who signed in at a provider. Its access token is no credential for SuperOffice: the session has
    /// none.
    pub(super) async fn signed_in_elsewhere(
        &self,
        at: Counter<'_>,
        (party, attempt): (&RelyingParty, &Attempt),
        brought: &Brought<'_>,
    ) -> Result<(Principal, Credential), Failed> {
        let vouched = self.vouched(at, (party, attempt), brought).await?;
        // Where each directory has an issuer, the answer must be from the one that signed.
        if brought.issuer.is_some_and(|named| named != vouched.issuer()) {
            return Err(refused(&ClaimsRefused::WrongIssuerAnswered.into()));
        }
        let admitted = self.providers.admit(party, &vouched, &self.kept_claims);
        let principal = admitted.map_err(|error| refused(&error))?;
        if attempt.tenant.as_ref().is_some_and(|tenant| *tenant != principal.context) {
            return Err(refused(&ClaimsRefused::WrongTenant.into()));
        }
        Ok((principal, Credential::Nothing))
    }

    async fn vouched(
        &self,
        at: Counter<'_>,
        (party, attempt): (&RelyingParty, &Attempt),
        brought: &Brought<'_>,
    ) -> Result<Vouched, Failed> {
        let nonce = attempt.nonce();
        let front = match brought.id_token {
            Some(id_token) => {
                let access_token = brought.access_token.as_ref().map(|one| one.token.reveal());
                let came =
                    FrontChannel { id_token, nonce: &nonce, code: brought.code, access_token };
                let verified = self.providers.verify_front_channel(party, came).await;
                Some(verified.map_err(|error| refused(&error))?)
            }
            None => None,
        };
        let Some(code) = brought.code else {
            let nothing = || Failed::new(Failure::Internal, "neither a code nor an id_token came");
            let vouched = front.ok_or_else(nothing)?;
            self.take_first(vouched.digest(), vouched.expires()).await?;
            return Ok(vouched);
        };
        let verifier = attempt.verifier();
        let grant = CodeGrant {
            code,
            redirect_uri: &redirect_url(at, party),
            verifier: (party.pkce == Pkce::S256).then_some(verifier.as_str()),
            nonce: &nonce,
            tenant: None,
        };
        let redeemed = self.providers.redeem(party, grant).await;
        let redeemed = redeemed.map_err(|error| refused(&error))?;
        if front.is_some_and(|front| !front.is_same_person(&redeemed)) {
            let detail = "the two id_tokens are about different people";
            return Err(Failed::new(Failure::Unverified, detail));
        }
        Ok(redeemed)
    }

    /// Where people sign in, as browsers name it in `Origin`; empty where that is not known.
    pub fn provider_origin(&self, party: &RelyingParty) -> String {
        let url = match &party.authority {
            Authority::SuperId(environment) => Some(environment.authorize_url.clone()),
            Authority::Provider(_) => self.providers.authorize_endpoint(party),
            Authority::WsFederation(trust) => Some(trust.federation.sign_in_url.clone()),
        };
        url.map(|url| url.origin().ascii_serialization()).unwrap_or_default()
    }

    /// Has a provider's addresses asked for where they are not known; what cannot be had stays unknown.
    pub(super) async fn know_provider(&self, party: &RelyingParty) {
        if party.membership().is_some()
            && let Err(error) = self.providers.ready(party).await
        {
            tracing::warn!(party = party.name, error = chain(&error), "a provider is not known");
        }
    }

    async fn reached(&self, party: &RelyingParty, target: &ReturnTo) -> Result<(), Failed> {
        let ready = self.providers.ready(party).await;
        ready.map_err(|error| refused(&error).again(target.clone()))
    }

    /// The redirect, with its query pushed to the provider where that is asked for. Then nothing of it
    /// goes through the browser, or nobody is sent anywhere.
    async fn with_pushed(
        &self,
        party: &RelyingParty,
        target: &ReturnTo,
        mut begun: Reply,
    ) -> Outcome {
        let pushes =
            |member: &Arc<Membership>| member.provider.asking.pushed_requests == PushedRequests::On;
        if !party.membership().is_some_and(pushes) {
            return Ok(begun);
        }
        let lost = || {
            let detail = "the authorize address changed while a request was pushed";
            Failed::new(Failure::ProviderUnreachable, detail).again(target.clone())
        };
        let base = self.providers.authorize_endpoint(party).ok_or_else(lost)?;
        let located = begun.headers.iter_mut().find(|(name, _)| *name == LOCATION);
        let (_, location) = located.ok_or_else(lost)?;
        let address = location.to_str().map_err(|_| lost())?.to_owned();
        let (before, query) = query_of_ours(&address, base.as_str()).ok_or_else(lost)?;
        let pushed = self.providers.pushed(party, query.to_owned()).await;
        let query = pushed.map_err(|error| refused(&error).again(target.clone()))?;
        *location = format!("{before}{query}").try_into().map_err(|_| lost())?;
        Ok(begun)
    }
}

/// What we added to an authorize address, and what stands before that; `None` for an address that is
/// not this one.
fn query_of_ours<'a>(address: &'a str, base: &str) -> Option<(&'a str, &'a str)> {
    let rest = address.strip_prefix(base)?;
    let query = rest.strip_prefix(['?', '&'])?;
    Some((address.strip_suffix(query)?, query))
}

/// An error as the one of whichever provider it was; where approval is missing, with who gives it.
pub(super) fn in_the_words_of(party: &RelyingParty, said: &Said) -> Failed {
    let failed = said.failed(&answerer(party));
    if party.environment().is_some() {
        let failure = match (failed.failure, party.authorization) {
            (Failure::ConsentDeclined, by) if by != Authorization::Admin => {
                Failure::NotApproved(by)
            }
            (other, _) => other,
        };
        return Failed { failure, ..failed };
    }
    let failure = match failed.failure {
        Failure::ConsentDeclined => Failure::ProviderDeclined,
        Failure::SuperIdRefused(code) => Failure::ProviderRefused(code),
        Failure::ApprovalRevoked
        | Failure::InteractionNeeded
        | Failure::ReapprovalNeeded
        | Failure::SuperIdExpired => Failure::ProviderRefused(String::new()),
        Failure::SuperIdUnreachable => Failure::ProviderUnreachable,
        other => other,
    };
    Failed { failure, ..failed }
}

/// Whoever signs people in, as the log calls them.
fn answerer(party: &RelyingParty) -> String {
    match &party.authority {
        Authority::SuperId(_) => "SuperID".to_owned(),
        Authority::Provider(member) => format!("provider {}", member.provider.name),
        Authority::WsFederation(trust) => format!("provider {}", trust.federation.name),
    }
}

/// Whose fault it was, in words for each.
fn refused(error: &ProviderFailed) -> Failed {
    let failure = match error {
        ProviderFailed::Misconfigured { .. } | ProviderFailed::NotTheProvider(_) => {
            Failure::Misconfigured
        }
        ProviderFailed::NotLetIn(_) => Failure::NotLetIn,
        ProviderFailed::Outage(_) => Failure::ProviderUnreachable,
        ProviderFailed::Refused { error } => Failure::ProviderRefused(error.as_str().to_owned()),
        ProviderFailed::Untrusted(ClaimsRefused::Expired | ClaimsRefused::NotYetValid) => {
            Failure::LoopClock
        }
        ProviderFailed::Untrusted(_) => Failure::Unverified,
    };
    Failed::new(failure, chain(error))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;
    use crate::web::Fields;

    const PARTIES: &str = r#"
        [host.main]
        origin = "https://app.example"
        [session]
        keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
        [provider.google]
        issuer = "https://accounts.google.com"
        [relying_party.elsewhere]
        provider = "google"
        client_id = "client"
        client_secret = { value = "secret" }
        people = { hosted_domains = { "example.com" = "Cust12345" } }
        [relying_party.online]
        environment = "online"
        client_id = "client"
        client_secret = { value = "secret" }
        redirect_path = "/auth/online"
        [route.app]
        upstream = "http://127.0.0.1:9"
    "#;

    #[test]
    fn the_log_says_whose_answer_an_error_was() {
        let loaded = config::load_text(PARTIES, "test.toml", Path::new("."), &|_| None);
        let settings = loaded.unwrap_or_else(|problems| panic!("{problems}")).settings;
        let fields = Fields::parse(b"error=server_error&error_description=x").unwrap();
        let said = Said::in_answer(&fields).unwrap();
        let words = settings.relying_parties.iter().map(|party| {
            let failed = in_the_words_of(party, &said);
            (failed.failure, failed.detail)
        });
        let google = "provider google answered \"server_error\": x".to_owned();
        let superid = "SuperID answered \"server_error\": x".to_owned();
        assert_eq!(
            words.collect::<Vec<_>>(),
            [(Failure::ProviderUnreachable, google), (Failure::SuperIdUnreachable, superid)]
        );
    }

    #[test]
    fn only_what_we_added_to_the_authorize_address_is_pushed() {
        for (address, base, found) in [
            ("https://a/z?x=1", "https://a/z", Some(("https://a/z?", "x=1"))),
            ("https://a/z?p=1&x=1", "https://a/z?p=1", Some(("https://a/z?p=1&", "x=1"))),
            ("https://a/z?&x=1", "https://a/z?", Some(("https://a/z?&", "x=1"))),
            ("https://other/z?x=1", "https://a/z", None),
            ("https://a/zz?x=1", "https://a/z", None),
            ("https://a/z", "https://a/z", None),
            ("", "", None),
        ] {
            assert_eq!(query_of_ours(address, base), found, "{address}");
        }
    }
}
