//! What an administrator's sign-in brings besides a person: the tenant's system user token.

use std::pin::Pin;

use serde::{Deserialize, Serialize};

use crate::config::RelyingParty;
use crate::identity::{ContextId, SystemUserToken};
use crate::superid::VerifiedClaims;
use crate::telemetry::Scene;

/// A system user token as a verified sign-in brought it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Consent {
    pub tenant: ContextId,
    /// The tenant's serial number, if the sign-in told it.
    pub serial: Option<String>,
    pub web_api_url: Option<String>,
    pub token: SystemUserToken,
    /// The administrator.
    pub by: String,
}

/// Whoever keeps system user tokens.
pub trait Consents: Send + Sync {
    /// Takes one. The sign-in goes on when this is done, whatever became of it.
    fn given<'a>(
        &'a self,
        party: &'a RelyingParty,
        consent: Consent,
        scene: Option<Scene<'a>>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
}

impl Consent {
    /// The consent in verified claims, where there is one.
    pub(super) fn in_claims(claims: &VerifiedClaims) -> Option<Self> {
        let token = claims.system_token()?.clone();
        let principal = claims.principal(&[]);
        Some(Self {
            tenant: principal.context,
            serial: principal.serial,
            web_api_url: principal.web_api_url,
            token,
            by: principal.subject,
        })
    }
}
