//! What becomes of the system user token that an administrator's sign-in brought.

use std::pin::Pin;
use std::sync::Arc;

use crate::config::RelyingParty;
use crate::credentials::{Installation, SystemUsers};
use crate::signin::{Consent, Consents};

/// Keeps system user tokens in the vault.
pub(super) struct Installations(pub(super) Arc<SystemUsers>);

impl Consents for Installations {
    fn given<'a>(
        &'a self,
        party: &'a RelyingParty,
        consent: Consent,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        let installation = Installation {
            tenant: consent.tenant,
            serial: consent.serial,
            web_api_url: consent.web_api_url,
            token: consent.token,
            by: consent.by,
        };
        Box::pin(async move {
            let tenant = installation.tenant.clone();
            let outcome = self.0.install(party, installation).await;
            if let Some(line) = outcome.line() {
                tracing::info!(relying_party = %party.name, %tenant, "system user token: {line}");
            }
        })
    }
}
