//! Why nobody came in through a provider, by whose fault it is.

use std::sync::Arc;

use crate::admission::Stranger;
use crate::superid::{ClaimsRefused, ErrorCode, Outage};

/// Why nobody was signed in. `Display` is for operators; no variant holds a token.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProviderFailed {
    /// Ours: the provider does not know our client id or what proves it, or its discovery document is
    /// not that of the issuer that is configured.
    #[error("our registration at the provider is at fault: {error}")]
    Misconfigured { error: ErrorCode },
    /// Ours or the provider's: its discovery document is another's.
    #[error("the provider's addresses are not believed: {0}")]
    NotTheProvider(&'static str),
    /// Nobody's: the provider vouches for somebody whom nothing here names.
    #[error("nothing lets this person in: {0}")]
    NotLetIn(Stranger),
    /// The provider's, or the way to it: trying again later may help.
    #[error("the provider is at fault: it could not be asked, or its answer could not be used")]
    Outage(#[source] Arc<Outage>),
    /// The browser's: the code is spent, old, or another's.
    #[error("the sign-in is at fault: the provider refused it with {error}")]
    Refused { error: ErrorCode },
    /// The token's: whoever made or brought it.
    #[error("the token is at fault: it is not believed")]
    Untrusted(#[source] ClaimsRefused),
}

impl From<Arc<Outage>> for ProviderFailed {
    fn from(outage: Arc<Outage>) -> Self {
        match *outage {
            Outage::Discovery(wrong) => Self::NotTheProvider(wrong),
            _ => Self::Outage(outage),
        }
    }
}

impl From<Outage> for ProviderFailed {
    fn from(outage: Outage) -> Self {
        Arc::new(outage).into()
    }
}

impl From<ClaimsRefused> for ProviderFailed {
    fn from(refused: ClaimsRefused) -> Self {
        Self::Untrusted(refused)
    }
}
