//! One installation's system user token, and what is known about it.

use crate::clock::Timestamp;
use crate::crypto::SealedBy;
use crate::identity::{SystemUserToken, TenantKey};

use super::failure::VaultFailed;

/// What an administrator's consent gave.
#[derive(Clone, Debug)]
pub struct Entry {
    pub key: TenantKey,
    /// The tenant's serial number: the audience of what SuperID signs for its system user
    /// (`superid.md` §5). 1 to 64 characters.
    pub serial: String,
    /// The tenant's web API as the administrator's claims had it. At most 2,048 bytes.
    pub web_api_url: Option<String>,
    pub token: SystemUserToken,
    /// The administrator, by SuperID user name. At most 320 bytes.
    pub consented_by: String,
    pub stored: Timestamp,
    /// Since when nothing may be bought with it: SuperOffice has told that the tenant is gone.
    pub dormant: Option<Timestamp>,
}

/// An entry without its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub key: TenantKey,
    pub serial: String,
    pub web_api_url: Option<String>,
    pub consented_by: String,
    pub stored: Timestamp,
    pub dormant: Option<Timestamp>,
    /// Whether `rewrap` would seal it anew.
    pub sealed_by: SealedBy,
}

impl Entry {
    /// The entry without its token.
    pub fn summary(&self, sealed_by: SealedBy) -> Summary {
        let Self { key, serial, web_api_url, consented_by, stored, dormant, .. } = self.clone();
        Summary { key, serial, web_api_url, consented_by, stored, dormant, sealed_by }
    }

    /// What bounds the file: no field is longer than it says.
    pub(super) fn check_lengths(&self) -> Result<(), VaultFailed> {
        let web_api_url = self.web_api_url.as_deref().unwrap_or("");
        let bounds = [
            ("environment", &*self.key.environment, 1..=64),
            ("client_id", &*self.key.client_id, 1..=256),
            ("serial", &*self.serial, 1..=64),
            ("web_api_url", web_api_url, 0..=2_048),
            ("consented_by", &*self.consented_by, 0..=320),
        ];
        match bounds.iter().find(|(_, value, bound)| !bound.contains(&value.len())) {
            Some((field, ..)) => Err(VaultFailed::Length { field }),
            None => Ok(()),
        }
    }
}
