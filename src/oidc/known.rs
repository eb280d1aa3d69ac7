//! What is known of a provider: its addresses and its keys, as last fetched.

use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use crate::clock::Clock;
use crate::config::Provider;
use crate::superid::{Counted, Fetched, KeyStore};
use crate::telemetry::Endpoint;

use super::document::Document;
use super::failure::ProviderFailed;

/// One provider, for all relying parties that are registered with it.
pub(super) struct Known {
    pub(super) provider: Arc<Provider>,
    pub(super) channel: Arc<Counted>,
    clock: Clock,
    addresses: Addresses,
    /// Where the keys are, and what is known of them.
    keys: Mutex<Option<(Url, Arc<KeyStore>)>>,
}

enum Addresses {
    Asked(Fetched<Document>),
    Pinned(Arc<Document>),
}

impl Known {
    /// Nothing is fetched yet.
    pub(super) fn new(provider: &Arc<Provider>, channel: Arc<Counted>, clock: Clock) -> Self {
        let pinned = provider.discovery_url.is_none().then(|| Document::pinned(provider)).flatten();
        let addresses = match (pinned, &provider.discovery_url) {
            (Some(document), _) => Addresses::Pinned(Arc::new(document)),
            (None, url) => {
                let url = url.clone().expect("what is not pinned has a discovery document");
                let reader = provider.clone();
                let read = Box::new(move |bytes: &[u8]| Document::read(bytes, &reader));
                let over = (channel.clone(), clock.clone());
                Addresses::Asked(Fetched::new((Endpoint::ProviderDiscovery, url), over, read))
            }
        };
        Self { provider: provider.clone(), channel, clock, addresses, keys: Mutex::default() }
    }

    /// Its addresses, asked for where they are not known or older than an hour.
    ///
    /// # Errors
    /// [`ProviderFailed::Outage`] or [`ProviderFailed::NotTheProvider`].
    pub(super) async fn document(&self) -> Result<Arc<Document>, ProviderFailed> {
        match &self.addresses {
            Addresses::Asked(fetched) => Ok(fetched.get(|_| true).await?),
            Addresses::Pinned(document) => Ok(document.clone()),
        }
    }

    /// Its addresses as far as they are known.
    pub(super) fn known_document(&self) -> Option<Arc<Document>> {
        match &self.addresses {
            Addresses::Asked(fetched) => fetched.known(),
            Addresses::Pinned(document) => Some(document.clone()),
        }
    }

    /// Its keys. Those at another address than before are others.
    pub(super) fn keys(&self, document: &Document) -> Arc<KeyStore> {
        let mut known = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((url, keys)) if *url == document.keys => keys.clone(),
            _ => {
                let (channel, clock) = (self.channel.clone(), self.clock.clone());
                let allowed = self.provider.algorithms.clone();
                let keys = KeyStore::of_provider(document.keys.clone(), channel, clock, allowed);
                let keys = Arc::new(keys);
                *known = Some((document.keys.clone(), keys.clone()));
                keys
            }
        }
    }
}
