//! Proof Key for Code Exchange, `S256` and `plain` (RFC 7636; `superid.md` §2).

use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

/// What the authorization request promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Plain(String),
    S256(String),
}

impl Challenge {
    /// From `code_challenge` and `code_challenge_method`, whose default is `plain`. `None` for a
    /// method nobody knows.
    pub(super) fn new(challenge: &str, method: Option<&str>) -> Option<Self> {
        match method {
            None | Some("plain") => Some(Self::Plain(challenge.into())),
            Some("S256") => Some(Self::S256(challenge.into())),
            Some(_) => None,
        }
    }

    pub(super) fn is_met_by(&self, verifier: &str) -> bool {
        match self {
            Self::Plain(challenge) => challenge == verifier,
            Self::S256(challenge) => {
                let hash = digest(&SHA256, verifier.as_bytes());
                *challenge == BASE64_URL_SAFE_NO_PAD.encode(hash)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7636_appendix_b_is_met() {
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert!(Challenge::new(challenge, Some("S256")).unwrap().is_met_by(verifier));
        assert!(!Challenge::new(challenge, None).unwrap().is_met_by(verifier));
    }
}
