//! Why nobody came in by a token that was posted, by whose fault it is.

use crate::admission::Stranger;
use crate::saml::SamlRefused;

/// Why nobody was signed in. `Display` is for operators; no variant holds anything of the token but
/// whom it names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FederationFailed {
    /// The provider's settings: it encrypts for us, and we have no key for that.
    #[error(
        "the provider encrypts its tokens, which nobody asked for: take the encryption certificate \
         out of its settings for us"
    )]
    Encrypted,
    /// Nobody's: the provider vouches for somebody whom nothing here names.
    #[error("nothing lets this person in: {0}")]
    NotLetIn(Stranger),
    /// The provider's: it answered with a fault in place of a token.
    #[error("the provider answered with a fault in place of a token")]
    Refused,
    /// The token's: it does not say once, in one line, who the person is.
    #[error("the claim that names the person is missing, there twice, or not one line")]
    Subject,
    /// The token's: whoever made or brought it.
    #[error("the token is at fault: it is not believed")]
    Untrusted(#[source] SamlRefused),
}

impl From<SamlRefused> for FederationFailed {
    fn from(refused: SamlRefused) -> Self {
        match refused {
            SamlRefused::Encrypted => Self::Encrypted,
            SamlRefused::Status => Self::Refused,
            other => Self::Untrusted(other),
        }
    }
}
