//! What becomes of the system user token that an administrator's sign-in brought.

use std::pin::Pin;
use std::sync::Arc;

use crate::config::RelyingParty;
use crate::credentials::{Installation, SystemUsers};
use crate::signin::{Consent, Consents};
use crate::telemetry::Metrics;

/// Keeps system user tokens in the vault.
pub(super) struct Installations {
    pub(super) users: Arc<SystemUsers>,
    pub(super) metrics: Arc<Metrics>,
}

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
            let outcome = self.users.install(party, installation).await;
            if let Some(line) = outcome.line() {
                let word = line.split([',', ':']).next().unwrap_or_default();
                let tenant_name = Some(tenant.as_str());
                self.metrics.recent().changed("system_user_token", word, tenant_name);
                tracing::info!(relying_party = %party.name, %tenant, "system user token: {line}");
            }
        })
    }
}
