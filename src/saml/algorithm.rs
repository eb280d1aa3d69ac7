//! The methods a signature may use, by their names; every other is refused.

use crate::config::Sha1;
use crate::crypto::Sha;

use super::refused::SamlRefused;

impl Sha1 {
    /// The digest under an RSA signature (RFC 6931 §2.3.2, XML Signature 1.1 §6.4).
    pub(super) fn signature(self, uri: &str) -> Result<Sha, SamlRefused> {
        self.allow(match uri {
            "http://www.w3.org/2000/09/xmldsig#rsa-sha1" => Sha::One,
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" => Sha::Two256,
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384" => Sha::Two384,
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512" => Sha::Two512,
            _ => return Err(SamlRefused::Algorithm),
        })
    }

    /// The digest of what is referred to (XML Signature 1.1 §6.2).
    pub(super) fn digest(self, uri: &str) -> Result<Sha, SamlRefused> {
        self.allow(match uri {
            "http://www.w3.org/2000/09/xmldsig#sha1" => Sha::One,
            "http://www.w3.org/2001/04/xmlenc#sha256" => Sha::Two256,
            "http://www.w3.org/2001/04/xmldsig-more#sha384" => Sha::Two384,
            "http://www.w3.org/2001/04/xmlenc#sha512" => Sha::Two512,
            _ => return Err(SamlRefused::Algorithm),
        })
    }

    fn allow(self, digest: Sha) -> Result<Sha, SamlRefused> {
        match (self, digest) {
            (Self::Refused, Sha::One) => Err(SamlRefused::Algorithm),
            _ => Ok(digest),
        }
    }
}

pub(super) const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
/// Exclusive canonicalisation without comments, the only one taken.
pub(super) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub(super) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha_1_is_taken_where_it_is_accepted_and_what_is_no_rsa_never() {
        let old = "http://www.w3.org/2000/09/xmldsig#rsa-sha1";
        assert_eq!(Sha1::Refused.signature(old), Err(SamlRefused::Algorithm));
        assert_eq!(Sha1::Accepted.signature(old), Ok(Sha::One));
        let old = "http://www.w3.org/2000/09/xmldsig#sha1";
        assert_eq!(Sha1::Refused.digest(old), Err(SamlRefused::Algorithm));
        assert_eq!(Sha1::Accepted.digest(old), Ok(Sha::One));
        for other in [
            "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
            "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
            "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
            "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
            "",
        ] {
            assert_eq!(Sha1::Accepted.signature(other), Err(SamlRefused::Algorithm));
            assert_eq!(Sha1::Accepted.digest(other), Err(SamlRefused::Algorithm));
        }
    }
}
