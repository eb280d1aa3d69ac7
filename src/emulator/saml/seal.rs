//! Enveloped XML signatures with one reference (XML Signature 1.1, exclusive canonicalization).

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde::{Deserialize, Serialize};

use super::super::keys::SigningKey;
use super::canonical::Node;
use super::rsa_sha1;

/// The hash of digest and signature alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SamlHash {
    /// As old verification code still expects (`superid.md` §3.3).
    Sha1,
    #[default]
    Sha256,
}

/// How an element is signed.
#[derive(Clone, Copy)]
pub(in crate::emulator) struct Seal<'a> {
    pub(in crate::emulator) key: &'a SigningKey,
    pub(in crate::emulator) hash: SamlHash,
    /// `ds` as .NET's older writer has it, empty as Microsoft Entra has it.
    pub(in crate::emulator) prefix: &'static str,
}

const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// The element with a signature over it as its child number `place`; `id` is the value of the
/// attribute that names the element.
pub(in crate::emulator) fn enveloped(
    mut element: Node,
    id: &str,
    place: usize,
    seal: Seal<'_>,
) -> Node {
    let signature = seal.over(&element, id);
    element.insert(place, signature);
    element
}

impl Seal<'_> {
    fn over(&self, element: &Node, id: &str) -> Node {
        let info = self.signed_info(&element.canonical(), id);
        let value = BASE64_STANDARD.encode(self.sign(info.canonical().as_bytes()));
        let certificate = BASE64_STANDARD.encode(self.key.certificate());
        let data = info.sibling("X509Data");
        let data = data.holding(info.sibling("X509Certificate").saying(&certificate));
        let key_info = info.sibling("KeyInfo").holding(data);
        let value = info.sibling("SignatureValue").saying(&value);
        info.sibling("Signature").holding(info).holding(value).holding(key_info)
    }

    fn signed_info(&self, canonical: &str, id: &str) -> Node {
        let (method, digest_method) = match self.hash {
            SamlHash::Sha1 => (
                "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
                "http://www.w3.org/2000/09/xmldsig#sha1",
            ),
            SamlHash::Sha256 => (
                "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
                "http://www.w3.org/2001/04/xmlenc#sha256",
            ),
        };
        let info = Node::new((self.prefix, DSIG), "SignedInfo");
        let algorithm = |name, uri: &str| info.sibling(name).with("Algorithm", uri);
        let transforms = info
            .sibling("Transforms")
            .holding_all([algorithm("Transform", ENVELOPED), algorithm("Transform", EXCLUSIVE)]);
        let value = BASE64_STANDARD.encode(self.digest(canonical.as_bytes()));
        let reference = info.sibling("Reference").with("URI", &format!("#{id}")).holding_all([
            transforms,
            algorithm("DigestMethod", digest_method),
            info.sibling("DigestValue").saying(&value),
        ]);
        let canonicalization = algorithm("CanonicalizationMethod", EXCLUSIVE);
        let method = algorithm("SignatureMethod", method);
        info.holding_all([canonicalization, method, reference])
    }

    fn digest(&self, bytes: &[u8]) -> Vec<u8> {
        let algorithm = match self.hash {
            SamlHash::Sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
            SamlHash::Sha256 => &SHA256,
        };
        digest(algorithm, bytes).as_ref().to_vec()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self.hash {
            SamlHash::Sha1 => rsa_sha1::sign(&self.key.pkcs8(), message),
            SamlHash::Sha256 => self.key.sign(message),
        }
    }
}
