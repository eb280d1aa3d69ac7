//! An issuer's keys as last fetched.

use std::sync::Arc;

use url::Url;

use crate::clock::Clock;
use crate::config::SigningAlgorithm;
use crate::telemetry::Endpoint;

use super::counted::Counted;
use super::failure::Outage;
use super::fetched::Fetched;
use super::jwks::KeySet;
use super::key_hint::KeyHint;

/// The keys of one issuer.
pub(crate) struct KeyStore(Fetched<KeySet>);

impl KeyStore {
    /// SuperID's, which sign with RS256.
    pub(crate) fn new(url: Url, back_channel: Arc<Counted>, clock: Clock) -> Self {
        let read = Box::new(|bytes: &[u8]| Ok(KeySet::parse(bytes)?));
        Self(Fetched::new((Endpoint::Keys, url), (back_channel, clock), read))
    }

    /// Those of another provider, which sign with these.
    pub(crate) fn of_provider(
        url: Url,
        back_channel: Arc<Counted>,
        clock: Clock,
        allowed: Vec<SigningAlgorithm>,
    ) -> Self {
        let read = Box::new(move |bytes: &[u8]| Ok(KeySet::parse_for(bytes, &allowed)?));
        Self(Fetched::new((Endpoint::ProviderKeys, url), (back_channel, clock), read))
    }

    /// The keys to judge a token by: those that are known, or asked for anew where they lack the one
    /// that is named; see [`Fetched::get`].
    ///
    /// # Errors
    /// [`Outage`] when the keys are missing or too old, or lack the one named, and the issuer could
    /// not be asked. Keys that lack it although the issuer was asked are given: it is unknown.
    pub(crate) async fn keys_for(&self, hint: &KeyHint) -> Result<Arc<KeySet>, Arc<Outage>> {
        self.0.get(|keys| keys.find(hint).is_some()).await
    }

    /// The keys asked for anew, as far as that is due: for a signature that none of these made.
    ///
    /// # Errors
    /// As [`KeyStore::keys_for`].
    pub(crate) async fn other_than(&self, these: &KeySet) -> Result<Arc<KeySet>, Arc<Outage>> {
        self.0.get(|keys| keys.all() != these.all()).await
    }
}
