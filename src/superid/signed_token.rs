//! The signed system token: a system user token, the minute, and our signature over both
//! (`superid.md` §5).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;

use crate::clock::Timestamp;
use crate::crypto::{Secret, SigningFailed, SigningKey};
use crate::identity::SystemUserToken;

/// `<token>.<yyyyMMddHHmm>.<signature>`: the minute in UTC, the signature PKCS#1 v1.5 with SHA-256
/// over the UTF-8 bytes of what stands before its dot, in standard base64 with padding. SuperID
/// takes it for some minutes.
#[derive(Clone)]
pub struct SignedSystemToken(Secret);

impl SignedSystemToken {
    /// Signs a token for the minute of `now`.
    ///
    /// # Errors
    /// [`SigningFailed`] when the machine lets us down.
    pub fn sign(
        token: &SystemUserToken,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<Self, SigningFailed> {
        let message = Secret::new(format!("{}.{}", token.reveal(), minute(now)));
        let signature = key.sign(message.reveal().as_bytes())?;
        Ok(Self(Secret::new(format!("{}.{}", message.reveal(), STANDARD.encode(signature)))))
    }

    /// The signed token itself.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

impl fmt::Debug for SignedSystemToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SignedSystemToken({:?})", self.0)
    }
}

fn minute(now: Timestamp) -> String {
    let seconds = i64::try_from(now.0).unwrap_or(i64::MAX);
    let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{:04}{:02}{:02}{:02}{:02}",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minute_is_in_utc_and_rounds_down() {
        assert_eq!(minute(Timestamp(1_700_000_000)), "202311142213");
        assert_eq!(minute(Timestamp(1_700_000_039)), "202311142213");
        assert_eq!(minute(Timestamp(1_700_000_040)), "202311142214");
        assert_eq!(minute(Timestamp(951_782_400)), "200002290000");
    }
}
