//! The states a tenant can be in.

use serde::{Deserialize, Serialize};

/// A tenant's state, with SuperOffice's names and numbers (`superid.md` §1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TenantState {
    Unknown = 0,
    Provisioning = 1,
    #[default]
    Running = 2,
    Deleted = 3,
    Suspended = 4,
    OnlineMaintenance = 5,
    OfflineMaintenance = 6,
    ProvisioningFailed = 8,
    Deleting = 10,
    DeleteFailed = 11,
    MigrationPending = 12,
}

impl TenantState {
    /// Every state there is, by its number.
    pub const ALL: [Self; 11] = [
        Self::Unknown,
        Self::Provisioning,
        Self::Running,
        Self::Deleted,
        Self::Suspended,
        Self::OnlineMaintenance,
        Self::OfflineMaintenance,
        Self::ProvisioningFailed,
        Self::Deleting,
        Self::DeleteFailed,
        Self::MigrationPending,
    ];

    /// True for `Running` and `OnlineMaintenance` (`superid.md` §1). The web API answers then and
    /// only then.
    pub fn is_running(self) -> bool {
        matches!(self, Self::Running | Self::OnlineMaintenance)
    }

    /// Whether there is an installation to have an address; which states have none is the
    /// emulator's choice, since only the possibility is published.
    pub(super) fn has_address(self) -> bool {
        use TenantState::{Deleted, Provisioning, ProvisioningFailed, Unknown};
        !matches!(self, Deleted | Provisioning | ProvisioningFailed | Unknown)
    }
}
