//! What an assertion is held against.

use crate::clock::Timestamp;
use crate::config::{SamlRecipient, Sha1};
use crate::crypto::RsaPublic;

/// What an assertion must say, and who may have said it.
#[derive(Clone, Copy, Debug)]
pub struct SamlRules<'a> {
    /// The request it must answer; `None` where none was made, and then it may name none.
    pub in_response_to: Option<&'a str>,
    /// The issuer, exactly. In a token answer of WS-Federation `{tenantid}` in it stands for what the
    /// assertion's own claim of that name says: each of Microsoft's directories is an issuer.
    pub issuer: &'a str,
    /// The keys it may be signed with. What the document says about keys is not looked at.
    pub keys: &'a [RsaPublic],
    /// Seconds that two clocks may differ.
    pub leeway: u64,
    pub now: Timestamp,
    pub profile: Profile,
    /// The address it was posted to.
    pub recipient: &'a str,
    /// Whether the assertion must name that address. Another one is always refused.
    pub recipient_rule: SamlRecipient,
    pub sha1: Sha1,
}

/// Which documents a door takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// An assertion of SAML 2.0, bare or in a `Response`.
    WebSso,
    /// An assertion of SAML 1.1 or 2.0 in a `RequestSecurityTokenResponse` (WS-Federation 1.2
    /// §13.2.2, WS-Trust 2005/02 and 1.3).
    WsFederation,
}
