//! What becomes of the system user token that an administrator's sign-in brought.

use std::pin::Pin;
use std::sync::Arc;

use crate::config::RelyingParty;
use crate::credentials::{Installation, Installed, SystemUsers};
use crate::signin::{Consent, Consents};
use crate::telemetry::{Event, Metrics, Scene};

/// Keeps system user tokens in the vault.
pub(super) struct Installations {
    users: Arc<SystemUsers>,
    metrics: Arc<Metrics>,
}

impl Installations {
    pub(super) fn with(users: &Arc<SystemUsers>, metrics: &Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { users: users.clone(), metrics: metrics.clone() })
    }
}

impl Consents for Installations {
    fn given<'a>(
        &'a self,
        party: &'a RelyingParty,
        consent: Consent,
        scene: Option<Scene<'a>>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        let installation = Installation {
            tenant: consent.tenant,
            serial: consent.serial,
            web_api_url: consent.web_api_url,
            token: consent.token,
            by: consent.by,
        };
        Box::pin(async move {
            let (tenant, by) = (installation.tenant.clone(), installation.by.clone());
            let outcome = self.users.install(party, installation).await;
            if let Some(scene) = scene {
                recorded(&scene, &outcome, (&party.name, tenant.as_str(), &by));
            }
            if let Some(line) = outcome.line() {
                let word = line.split([',', ':']).next().unwrap_or_default();
                let of = Some(tenant.as_str());
                self.metrics.recent().changed("system_user_token", word, of);
                let request_id = scene.map(|scene| scene.request_id);
                tracing::info!(request_id, relying_party = %party.name, %tenant, "system user token: {line}");
            }
        })
    }
}

fn recorded(
    scene: &Scene<'_>,
    outcome: &Installed,
    (relying_party, tenant, user): (&str, &str, &str),
) {
    match outcome {
        Installed::NotKept | Installed::Unchanged => {}
        Installed::Failed(detail) | Installed::Refused(detail) => {
            scene.record(Event::TokenNotStored { tenant, user, relying_party, detail });
        }
        Installed::Stored => scene.record(Event::TokenStored { tenant, user, relying_party }),
    }
}
