//! Credentials for the tenant's web services, each a type of its own.

use http::HeaderValue;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::crypto::Secret;

/// An opaque access token, `8A:Cust12345.…` (`superid.md` §4), safe in a header.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessToken(Secret);

/// A refresh token (RFC 6749 §1.5): what tokens are had anew with, and nobody but us is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshToken(Secret);

/// A NetServer ticket, `7T:…` (`superid.md` §5), safe in a header.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ticket(Secret);

/// A system user token, `AppName-xxxxxxxxxx` (`superid.md` §5): what an administrator's consent
/// gave, and what tickets are bought with. It may hold spaces.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SystemUserToken(Secret);

/// What a person's session holds to call the tenant with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Credential {
    /// From the token endpoint; dead after `until`.
    Bearer { token: AccessToken, until: Timestamp },
    /// The sign-in gave none.
    Nothing,
    /// From a legacy token.
    Ticket(Ticket),
}

/// A token that could not travel in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token is 1 to 4,096 visible ASCII characters")]
pub struct UnsafeToken;

/// A refresh token that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a refresh token is 1 to 4,096 visible ASCII characters or spaces")]
pub struct UnusableRefreshToken;

/// A system user token that could not be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a system user token is 1 to 1,024 ASCII characters without a dot, as SuperID gave it")]
pub struct UnsafeSystemUserToken;

impl AccessToken {
    /// Takes a token that can travel in a header.
    ///
    /// # Errors
    /// [`UnsafeToken`] when it could not.
    pub fn parse(text: &str) -> Result<Self, UnsafeToken> {
        header_safe(text).map(Self)
    }

    /// The token itself.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// The value of `Authorization` for it (RFC 6750 §2.1).
    pub fn authorization(&self) -> Option<HeaderValue> {
        self.0.header("Bearer ")
    }
}

impl RefreshToken {
    /// Takes what a token endpoint calls one (RFC 6749 §A.17: visible ASCII and spaces).
    ///
    /// # Errors
    /// [`UnusableRefreshToken`] when it is none.
    pub fn parse(text: &str) -> Result<Self, UnusableRefreshToken> {
        let fits = (1..=4096).contains(&text.len());
        match fits && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            true => Ok(Self(Secret::new(text.to_owned()))),
            false => Err(UnusableRefreshToken),
        }
    }

    /// The token itself.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

impl Ticket {
    /// Takes a ticket that can travel in a header.
    ///
    /// # Errors
    /// [`UnsafeToken`] when it could not.
    pub fn parse(text: &str) -> Result<Self, UnsafeToken> {
        header_safe(text).map(Self)
    }

    /// The ticket itself.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// The value of `Authorization` for it (`superid.md` §6).
    pub fn authorization(&self) -> Option<HeaderValue> {
        self.0.header("SOTicket ")
    }

    /// The ticket alone as a header's value.
    pub fn header(&self) -> Option<HeaderValue> {
        self.0.header("")
    }
}

impl SystemUserToken {
    /// Takes a token that can be signed: its signature is joined to it by dots, which it therefore
    /// must not hold (`superid.md` §5).
    ///
    /// # Errors
    /// [`UnsafeSystemUserToken`] when it cannot be.
    pub fn parse(text: &str) -> Result<Self, UnsafeSystemUserToken> {
        let plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'.';
        let fits = (1..=1024).contains(&text.len()) && text.bytes().all(plain);
        let bare = text.trim_ascii() == text;
        if fits && bare {
            Ok(Self(Secret::new(text.to_owned())))
        } else {
            Err(UnsafeSystemUserToken)
        }
    }

    /// The token itself.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

fn header_safe(text: &str) -> Result<Secret, UnsafeToken> {
    let fits = (1..=4096).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(Secret::new(text.to_owned())) } else { Err(UnsafeToken) }
}
