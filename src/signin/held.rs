//! Answers that come by a form: SuperID's (`form_post`), and our own page's, which posts what stood
//! behind the `#`.
//!
//! SuperID's form comes from another site and without our cookies, so it is only held: nothing is
//! verified, redeemed or spent until our own page, where the binding cookie is sent along, ties it to
//! the browser that began. The form of our page comes with the cookies and is settled at once.

use http::{HeaderMap, header};

use crate::config::{Flow, RelyingParty, ResponseMode};
use crate::web::{Fields, Reply, ReturnTo};

use super::answer::Answer;
use super::attempt::Attempt;
use super::desk::{Counter, Desk};
use super::failure::{Failed, Failure, Outcome};
use super::federated::is_federated;
use super::form_origin::from_the_provider;
use super::handover::{Handover, chunked};
use super::said::{SOMEBODY, Said};

impl Desk {
    /// Takes a form that was posted to a redirect URL of `parties`.
    ///
    /// # Errors
    /// [`Failed`]; nothing of the form is kept then.
    pub async fn received(
        &self,
        at: Counter<'_>,
        parties: &[&RelyingParty],
        headers: &HeaderMap,
        form: &[u8],
    ) -> Outcome {
        let fields = Fields::parse(form)
            .map_err(|error| Failed::new(Failure::BadRequest, error.to_string()))?;
        let by = |mode| {
            let asks = move |party: &&&RelyingParty| {
                party.flow == Flow::Code && party.response.mode == mode
            };
            parties.iter().any(|party| asks(&party))
        };
        if let Some(fragment) = fields.get("fragment").filter(|_| by(ResponseMode::Fragment)) {
            return self.take_fragment(at, parties, headers, fragment).await;
        }
        if is_federated(parties, &fields) {
            return self.federated(at, parties, headers, &fields).await;
        }
        let legacy = parties.iter().find_map(|party| match &party.flow {
            Flow::Legacy(legacy) => Some((*party, legacy)),
            Flow::Code | Flow::WsFederation => None,
        });
        let is_answer = super::answer::is_answer(&fields);
        match legacy {
            Some(legacy) if !(is_answer && by(ResponseMode::FormPost)) => {
                self.posted(at, legacy, headers, &fields).await
            }
            _ => self.hold(at, parties, headers, &fields).await,
        }
    }

    /// Makes the session of a posted form, for the browser that began the sign-in. Of several tabs
    /// that sign in at once, those that find nothing left to finish land on the root, signed in by
    /// the one that did.
    ///
    /// # Errors
    /// [`Failed`] when there is no hand-over, no living attempt of this browser for it, or the answer
    /// in it is not believed, and nobody is signed in.
    pub async fn finish(&self, at: Counter<'_>, parties: &[&RelyingParty]) -> Outcome {
        let outcome = match self.handed_over(at) {
            Some(Handover::Held(held)) => {
                let (attempt, answer) = *held;
                self.settled(at, parties, &attempt, &answer).await
            }
            Some(Handover::Federated(arrived)) => {
                self.finish_federated(at, parties, *arrived).await
            }
            Some(Handover::Posted(posted)) => self.finish_posted(at, parties, *posted).await,
            None => Err(Failed::new(Failure::AttemptExpired, "there is nothing to finish")),
        };
        let gone = chunked(at).remove(at.cookies);
        match outcome {
            Ok(reply) => Ok(reply.with_cookies(gone)),
            Err(_) if self.is_signed_in(at).await => {
                Ok(Reply::redirect(&ReturnTo::root().on(&at.host.origin)).with_cookies(gone))
            }
            Err(mut failed) => {
                failed.cookies.extend(gone);
                Err(if failed.again.is_none() { failed.again(ReturnTo::root()) } else { failed })
            }
        }
    }

    /// What came to the error callback: a page, whatever it says. Nothing is spent, and no field is
    /// believed but for the choice of the page.
    pub fn told(&self, at: Counter<'_>, fields: &[u8]) -> Failed {
        let fields = match Fields::parse(fields) {
            Ok(fields) => fields,
            Err(twice) => {
                let failed = Failed::new(Failure::BadRequest, twice.to_string());
                return failed.again(ReturnTo::root());
            }
        };
        let failed = Said::in_error_callback(&fields).failed(SOMEBODY);
        let attempt = fields
            .get("state")
            .and_then(|state| Attempt::open(state, &at.host.origin, &self.keys))
            .filter(|attempt| self.binding(at).is_some_and(|binding| attempt.is_of(&binding)));
        failed.again(attempt.map_or_else(ReturnTo::root, |attempt| self.target_of(at, &attempt)))
    }

    async fn hold(
        &self,
        at: Counter<'_>,
        parties: &[&RelyingParty],
        headers: &HeaderMap,
        fields: &Fields,
    ) -> Outcome {
        let answer = Answer::read(fields, ResponseMode::FormPost);
        let attempt = self.opened(at, fields.get("state")).map_err(|failed| answer.or(failed))?;
        let party = parties
            .iter()
            .find(|party| party.name == attempt.relying_party)
            .ok_or_else(|| Failed::new(Failure::AttemptExpired, "the relying party is gone"))?;
        self.know_provider(party).await;
        from_the_provider(&self.provider_origin(party), headers)?;
        if attempt.mode != ResponseMode::FormPost {
            return Err(answer
                .or(other_way(&attempt, &answer))
                .again(self.target_of(at, &attempt)));
        }
        self.hand_over(at, &Handover::Held(Box::new((attempt, answer))))
    }

    async fn take_fragment(
        &self,
        at: Counter<'_>,
        parties: &[&RelyingParty],
        headers: &HeaderMap,
        fragment: &str,
    ) -> Outcome {
        from_ourselves(at, headers)?;
        let fields = Fields::parse(fragment.as_bytes())
            .map_err(|error| Failed::new(Failure::BadRequest, error.to_string()))?;
        let answer = Answer::read(&fields, ResponseMode::Fragment);
        self.settle(at, parties, fields.get("state"), &answer).await
    }
}

/// An answer that came by another way than the one asked for.
pub(super) fn other_way(attempt: &Attempt, answer: &Answer) -> Failed {
    let (came, asked) = (answer.mode.word(), attempt.mode.word());
    let detail = format!("the answer came by {came}, and {asked} was asked for");
    Failed::new(Failure::Unverified, detail)
}

/// The page that posts a fragment is ours. It sends no referrer, so its `Origin` is `null`; where
/// browsers say more than that, it has to be right.
fn from_ourselves(at: Counter<'_>, headers: &HeaderMap) -> Result<(), Failed> {
    let said = |name: &str| headers.get(name).map(|value| value.as_bytes());
    let ours = at.host.origin.as_str().as_bytes();
    let origin = match said(header::ORIGIN.as_str()) {
        None | Some(b"null") => true,
        Some(origin) => origin == ours,
    };
    let site = said("sec-fetch-site").is_none_or(|site| site == b"same-origin");
    if origin && site {
        return Ok(());
    }
    let detail = "a fragment posted by another site's page";
    Err(Failed::new(Failure::PostOriginRefused, detail))
}
