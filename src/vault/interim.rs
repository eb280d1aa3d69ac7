//! Interim.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::clock::Timestamp;
use crate::identity::{SystemUserToken, TenantKey};

#[derive(Clone, Debug)]
pub struct Entry {
    pub key: TenantKey,
    pub serial: String,
    pub web_api_url: Option<String>,
    pub token: SystemUserToken,
    pub consented_by: String,
    pub stored: Timestamp,
    pub dormant: Option<Timestamp>,
}

#[derive(Debug, thiserror::Error)]
#[error("vault")]
pub struct VaultFailed;

#[derive(Clone, Default)]
pub struct Vault(Arc<Mutex<HashMap<TenantKey, Entry>>>);

impl Vault {
    pub async fn get(&self, key: &TenantKey) -> Result<Option<Entry>, VaultFailed> {
        Ok(self.0.lock().map_err(|_| VaultFailed)?.get(key).cloned())
    }

    pub async fn put(&self, entry: Entry) -> Result<(), VaultFailed> {
        self.0.lock().map_err(|_| VaultFailed)?.insert(entry.key.clone(), entry);
        Ok(())
    }
}
