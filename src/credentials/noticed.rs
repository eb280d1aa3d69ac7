//! What a state-change notice leads to: the state API is asked, and its answer alone is acted on.

use crate::config::{Environment, RelyingParty};
use crate::identity::{ContextId, TenantKey};
use crate::tenants::{AwayReason, Looked};
use crate::vault::{Telling, VaultFailed};

use super::system_users::SystemUsers;

/// What came of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noticed {
    /// It is gone: its tokens sleep, its tickets are forgotten.
    Deleted,
    /// It is elsewhere: its tickets are forgotten.
    Moved,
    /// It runs where it ran, or does not for a reason that changes nothing here.
    Same,
    /// Its tickets are forgotten.
    Suspended,
    /// It runs again: its tokens are awake.
    Woken,
}

/// Why nothing came of a notice; the same one may be sent again.
#[derive(Debug, thiserror::Error)]
pub enum NotActed {
    /// SuperID gave no answer, or was asked about this tenant too often.
    #[error("SuperID could not be asked how the tenant is")]
    StateUnknown,
    #[error("the vault failed")]
    Vault(#[from] VaultFailed),
}

impl SystemUsers {
    /// A verified notice names a tenant. What the notice says happened is not signed, so it is not
    /// heeded: nobody can have a ticket thrown away whose tenant SuperID says is well.
    ///
    /// # Errors
    /// [`NotActed`]: the same notice may come again.
    pub async fn noticed(
        &self,
        parties: impl Iterator<Item = &RelyingParty>,
        environment: &Environment,
        tenant: &ContextId,
    ) -> Result<Noticed, NotActed> {
        let looked = self.tenants().look(environment, tenant).await;
        let looked = looked.ok_or(NotActed::StateUnknown)?;
        let keys: Vec<(TenantKey, Telling)> = parties
            .filter(|party| party.authority.name() == environment.name)
            .filter(|party| party.system_user.is_some())
            .map(|party| (Self::key(party, tenant), Self::telling(party)))
            .collect();
        let came = match &looked.now {
            Ok(_) if self.wake(&keys).await? => Noticed::Woken,
            Ok(_) if has_moved(&looked) => Noticed::Moved,
            Err(AwayReason::Deleted) => {
                self.sleep(&keys).await?;
                Noticed::Deleted
            }
            Err(AwayReason::Suspended) => Noticed::Suspended,
            Ok(_) | Err(_) => Noticed::Same,
        };
        if came != Noticed::Same {
            keys.iter().for_each(|(key, _)| self.tickets().forget(key));
        }
        Ok(came)
    }

    async fn wake(&self, keys: &[(TenantKey, Telling)]) -> Result<bool, VaultFailed> {
        let Some(vault) = self.vault() else { return Ok(false) };
        let mut woken = false;
        for (key, telling) in keys {
            woken |= vault.wake(key, *telling).await?;
        }
        Ok(woken)
    }

    async fn sleep(&self, keys: &[(TenantKey, Telling)]) -> Result<(), VaultFailed> {
        let Some(vault) = self.vault() else { return Ok(()) };
        for (key, telling) in keys {
            vault.sleep(key, self.now(), *telling).await?;
        }
        Ok(())
    }
}

fn has_moved(looked: &Looked) -> bool {
    match (&looked.before, &looked.now) {
        (Some(before), Ok(now)) => before.api() != now.api(),
        _ => false,
    }
}
