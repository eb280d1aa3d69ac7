//! From an administrator's consent to an entry in the vault.

use std::fmt::Write as _;

use crate::config::RelyingParty;
use crate::identity::{ContextId, SystemUserToken, TenantKey};
use crate::vault::{Entry, Vault, VaultFailed};

use super::system_users::SystemUsers;

/// A system user token as a verified sign-in of an administrator brought it.
#[derive(Clone, Debug)]
pub struct Installation {
    pub tenant: ContextId,
    /// The tenant's serial number, if the sign-in told it.
    pub serial: Option<String>,
    pub web_api_url: Option<String>,
    pub token: SystemUserToken,
    /// The administrator.
    pub by: String,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Installed {
    /// The vault could not be read or written; what it holds stands.
    Failed(String),
    /// The relying party has no system user, or there is no vault.
    NotKept,
    /// SuperID gave no ticket for it; what the vault holds stands.
    Refused(String),
    /// The vault has it now.
    Stored,
    /// The vault had it.
    Unchanged,
}

impl Installed {
    /// What the log says of it; nothing where nothing happened.
    pub fn line(&self) -> Option<String> {
        let mut line = String::new();
        let _infallible = match self {
            Self::NotKept | Self::Unchanged => return None,
            Self::Failed(why) => write!(line, "not stored, the vault failed: {why}"),
            Self::Refused(why) => write!(line, "not stored, it could not be proven good: {why}"),
            Self::Stored => write!(line, "stored"),
        };
        Some(line)
    }
}

impl SystemUsers {
    /// Keeps a system user token, after a ticket was bought with it: one that SuperID does not take,
    /// or takes for another tenant, never replaces one that works.
    pub async fn install(&self, party: &RelyingParty, new: Installation) -> Installed {
        let (Some(vault), true) = (self.vault(), party.system_user.is_some()) else {
            return Installed::NotKept;
        };
        let key = Self::key(party, &new.tenant);
        let Some(serial) = new.serial.clone() else {
            return Installed::Refused("the sign-in told no serial number".to_owned());
        };
        if let Some(known) = known(vault, &key, (&new, &serial)).await {
            return known;
        }
        // One at a time: of two sign-ins with the same token, the second finds it stored.
        let _alone = self.installing().lock().await;
        match known(vault, &key, (&new, &serial)).await {
            Some(known) => known,
            None => self.prove_and_store(party, vault, key, (new, serial)).await,
        }
    }

    async fn prove_and_store(
        &self,
        party: &RelyingParty,
        vault: &Vault,
        key: TenantKey,
        (new, serial): (Installation, String),
    ) -> Installed {
        let superid = self.superid();
        let bought = superid.buy_ticket(party, &new.tenant, &serial, &new.token).await;
        if let Err(refused) = bought {
            return Installed::Refused(refused.to_string());
        }
        let entry = Entry {
            key: key.clone(),
            serial,
            web_api_url: new.web_api_url,
            token: new.token,
            consented_by: new.by,
            stored: self.now(),
            dormant: None,
        };
        if let Err(error) = vault.install(entry, Self::telling(party)).await {
            tracing::error!(relying_party = %party.name, tenant = %key.tenant, "not installed: {error}");
            return Installed::Failed(error.to_string());
        }
        self.renewed(&key);
        Installed::Stored
    }
}

/// What there is to say without SuperID; nothing where the token has to be proven.
async fn known(
    vault: &Vault,
    key: &TenantKey,
    (new, serial): (&Installation, &str),
) -> Option<Installed> {
    match vault.get(key).await {
        Ok(Some(entry)) if is_same(&entry, new, serial) => Some(Installed::Unchanged),
        // What cannot be opened any more is no reason to keep out what can.
        Ok(_) | Err(VaultFailed::Entry { .. }) => None,
        Err(error) => Some(Installed::Failed(error.to_string())),
    }
}

fn is_same(entry: &Entry, new: &Installation, serial: &str) -> bool {
    entry.dormant.is_none() && entry.serial == serial && entry.token.reveal() == new.token.reveal()
}
