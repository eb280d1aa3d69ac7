//! Why a sign-in failed, by whose fault it is.

use std::fmt;
use std::sync::Arc;

use crate::back_channel::CallFailed;
use crate::saml::SamlRefused;

use super::jwks::KeySetRefused;

/// Why nobody was signed in. `Display` is for operators; no variant holds a token.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SignInFailed {
    /// Ours: SuperID does not know our client id or secret, or not with this grant.
    #[error("our registration is at fault: {error}")]
    Misconfigured { error: ErrorCode },
    /// SuperID's, or the way to it: trying again later may help.
    #[error("SuperID is at fault: it could not be asked, or its answer could not be used")]
    Outage(#[source] Arc<Outage>),
    /// The browser's: the code is spent, old, or another's.
    #[error("the sign-in is at fault: SuperID refused its code with {error}")]
    Refused { error: ErrorCode },
    /// The token's: whoever made or brought it.
    #[error("the token is at fault: it is not believed")]
    Untrusted(#[source] ClaimsRefused),
}

impl From<Outage> for SignInFailed {
    fn from(outage: Outage) -> Self {
        Self::Outage(Arc::new(outage))
    }
}

impl From<ClaimsRefused> for SignInFailed {
    fn from(refused: ClaimsRefused) -> Self {
        Self::Untrusted(refused)
    }
}

/// Why SuperID's answer is missing or useless.
#[derive(Debug, thiserror::Error)]
pub enum Outage {
    /// There is no answer.
    #[error("the call failed")]
    Call(#[from] CallFailed),
    /// The answer is not what the endpoint promises.
    #[error("the token endpoint answered with something else than tokens")]
    Garbled(#[from] AnswerGarbled),
    /// The key set is not one.
    #[error("the key set cannot be used")]
    Keys(#[from] KeySetRefused),
    /// The answer is not what this address promises.
    #[error("the answer is something this address does not promise")]
    Unreadable,
    /// The discovery document is another's, or leads where nothing may be sent.
    #[error("the discovery document cannot be believed: {0}")]
    Discovery(&'static str),
    /// The status says so.
    #[error("the answer has status {0}")]
    Status(u16),
    /// Our own task was stopped on the way; the process is ending.
    #[error("the call was cut off by our own shutdown")]
    Stopped,
}

impl Outage {
    /// Whether it is certain that SuperID heard nothing of the call.
    pub fn was_not_sent(&self) -> bool {
        match self {
            Self::Call(CallFailed::NoRoots(_) | CallFailed::Unaddressable(_)) => true,
            Self::Call(CallFailed::Unreachable(error)) => error.is_connect(),
            _ => false,
        }
    }
}

/// What the token endpoint's answer lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerGarbled {
    /// `access_token` is missing or could not travel in a header.
    #[error("access_token is missing or not visible ASCII")]
    AccessToken,
    /// `expires_in` is missing or no positive number.
    #[error("expires_in is missing or not a positive number of seconds")]
    ExpiresIn,
    /// `id_token` is missing.
    #[error("id_token is missing")]
    IdToken,
    /// Not a JSON object, or one with a member twice.
    #[error("the body is not a JSON object with each member once")]
    NotAnObject,
    /// `token_type` is not `Bearer`.
    #[error("token_type is not Bearer")]
    TokenType,
}

/// An OAuth error code from outside: 1 to 64 characters of `A-Z a-z 0-9 _ . -`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorCode(String);

impl ErrorCode {
    /// Takes a code, or `unreadable` in place of anything that is not one.
    pub fn of(text: &str) -> Self {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        let readable = (1..=64).contains(&text.len()) && text.bytes().all(plain);
        Self(if readable { text } else { "unreadable" }.to_owned())
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl From<SamlRefused> for ClaimsRefused {
    /// What both kinds of token can be is called by one name.
    fn from(refused: SamlRefused) -> Self {
        match refused {
            SamlRefused::Audience => Self::Audience,
            SamlRefused::Expired => Self::Expired,
            SamlRefused::Issuer => Self::Issuer,
            SamlRefused::Lifetime => Self::Lifetime,
            SamlRefused::NotYetValid => Self::NotYetValid,
            other => Self::Saml(other),
        }
    }
}

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ClaimsRefused {
    /// `at_hash` is not the access token's (OpenID Connect Core §3.1.3.6).
    #[error("at_hash is not that of the access token")]
    AccessTokenHash,
    /// `alg` is not one that is allowed: RS256 for SuperID.
    #[error("the algorithm is not one that is allowed")]
    Algorithm,
    /// `aud` names somebody else, or somebody else too.
    #[error("the audience is not ours alone")]
    Audience,
    /// `azp` is not our client id.
    #[error("the authorised party is not our client id")]
    AuthorizedParty,
    /// `c_hash` is not the code's (OpenID Connect Core §3.3.2.11).
    #[error("c_hash is not that of the code")]
    CodeHash,
    /// `ctx` is missing or no context identifier.
    #[error("the ctx claim is missing or not a context identifier")]
    Context,
    /// The header has `crit`, `b64` or `zip`, which change what the token means (RFC 7515 §4.1.11).
    #[error("the header asks for extensions that are not understood (crit, b64 or zip)")]
    Critical,
    /// `associateid` or `serial` is there but is not a number.
    #[error("associateid or serial is not made of digits")]
    Digits,
    /// Some JSON object has a member twice.
    #[error("a member occurs twice in the token")]
    DuplicateMember,
    /// The header brings its own key: `jwk`, `jku` or `x5u` (RFC 8725 §3.10).
    #[error("the header brings its own key (jwk, jku or x5u)")]
    EmbeddedKey,
    /// `tid` is missing, or the issuer is not that of the directory it names.
    #[error("the directory is missing, or the issuer is not its own")]
    Directory,
    /// `events` does not say that this is a logout token (OpenID Connect Back-Channel Logout §2.4).
    #[error("the token is not about the end of a session")]
    Event,
    /// `exp` has passed.
    #[error("the token has expired; if it was new, compare the clocks")]
    Expired,
    /// `iss` is not the pinned issuer.
    #[error("the issuer is not the one that is configured")]
    Issuer,
    /// The key it names is not SuperID's, or it names none and there are several.
    #[error("the signing key is not one of the issuer's")]
    KeyUnknown,
    /// A posted token for a relying party that takes none.
    #[error("this relying party takes no posted tokens")]
    LegacyOff,
    /// It would be good for more than a day.
    #[error("the token is good for longer than a day")]
    Lifetime,
    /// Not three base64url parts of JSON objects within 16 kB.
    #[error("the token is not a compact JWS of JSON objects")]
    Malformed,
    /// `nonce` is missing or not this sign-in's.
    #[error("the nonce is not that of this sign-in")]
    Nonce,
    /// `nbf` lies ahead.
    #[error("the token is not valid yet; compare the clocks")]
    NotYetValid,
    /// A SAML assertion that breaks a rule of SAML's.
    #[error("SAML: {0}")]
    Saml(SamlRefused),
    /// The `serial` claim is not the tenant's.
    #[error("the serial claim is not that of the tenant")]
    Serial,
    /// No serial is known for the tenant, so no audience can be right.
    #[error("the tenant's serial number is not known")]
    SerialUnknown,
    /// `sid` is none, or neither it nor `sub` says whose session is meant.
    #[error("the token does not say whose session it is about")]
    Session,
    /// The signature is not the named key's.
    #[error("the signature is wrong")]
    Signature,
    /// `jti` is missing or too long.
    #[error("the token has no name of its own (jti)")]
    TokenId,
    /// `sub` is missing, too long or has control characters.
    #[error("the subject is missing or unusable")]
    Subject,
    /// The ticket is missing, or no ticket (`superid.md` §5).
    #[error("the ticket is missing or is not one")]
    Ticket,
    /// The ticket is for another tenant than the token.
    #[error("the ticket is not that of the tenant that was asked for")]
    TicketOfAnother,
    /// `exp`, `nbf` or `iat` is not a time.
    #[error("exp, nbf or iat is not a time")]
    TimesMalformed,
    /// `exp` or, in an id_token, `iat` is missing.
    #[error("exp or iat is missing")]
    TimesMissing,
    /// `typ` is something else than JWT.
    #[error("the type is not JWT")]
    Type,
    /// What the userinfo endpoint says is about somebody else (OpenID Connect Core §5.3.2).
    #[error("userinfo is about another subject than the id_token")]
    UserInfoSubject,
    /// The answer names another issuer than the one asked, or none where it promised to (RFC 9207 §2.4).
    #[error("the answer does not come from the issuer that was asked")]
    WrongIssuerAnswered,
    /// Another tenant than the one asked for.
    #[error("the tenant is not the one that was asked for")]
    WrongTenant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_from_outside_stay_short_and_plain() {
        assert_eq!(ErrorCode::of("invalid_grant").as_str(), "invalid_grant");
        for text in ["", "two words", "<b>", "line\nbreak", &"x".repeat(65)] {
            assert_eq!(ErrorCode::of(text).as_str(), "unreadable", "{text}");
        }
    }
}
