//! The ways a sign-in can end without one, with SuperID's words and numbers for them.

use serde::{Deserialize, Serialize};

/// A way not to sign in. As JSON `"needs_reapproval"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    Denied,
    Expired,
    InvalidRedirectUrl,
    NeedsReapproval,
    /// The account is not one that may use, or approve, the app there.
    NoAccess,
    /// A page of SuperID's, whatever error address there is: the app hears nothing.
    Nothing,
    Revoked,
}

impl Ending {
    pub(super) const ALL: [Self; 7] = [
        Self::Denied,
        Self::Expired,
        Self::InvalidRedirectUrl,
        Self::NeedsReapproval,
        Self::NoAccess,
        Self::Nothing,
        Self::Revoked,
    ];

    /// The name it has in JSON and on the sign-in page.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::InvalidRedirectUrl => "invalid_redirect_url",
            Self::NeedsReapproval => "needs_reapproval",
            Self::NoAccess => "no_access",
            Self::Nothing => "nothing",
            Self::Revoked => "revoked",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ending| ending.name() == name)
    }

    /// SuperID's name and number of the error (`superid.md` §2).
    pub(super) fn error(self) -> Option<(&'static str, u8)> {
        match self {
            Self::Revoked => Some(("Revoked", 1)),
            Self::InvalidRedirectUrl => Some(("InvalidRedirectUrl", 2)),
            Self::Expired => Some(("Expired", 3)),
            Self::Denied => Some(("Denied", 4)),
            Self::NeedsReapproval => Some(("NeedsReapproval", 5)),
            Self::NoAccess | Self::Nothing => None,
        }
    }

    /// What a person reads.
    pub(super) fn words(self) -> String {
        match self.error() {
            Some((name, number)) => format!("Authorization error: {name} ({number})"),
            None if self == Self::NoAccess => "Account does not have access".into(),
            None => "Technical error".into(),
        }
    }
}
