//! `SignedInfo`: what a signature says it signs (XML Signature 1.1 §4.4), in the one shape taken.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::config::Sha1;
use crate::crypto::Sha;

use super::algorithm::{DSIG, ENVELOPED, EXCLUSIVE};
use super::refused::SamlRefused;
use super::tree::Node;

/// One reference to one element of the same document, by its identifier.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SignedInfo {
    /// Under the signature itself.
    pub(super) signature: Sha,
    /// Prefixes that `SignedInfo` is canonicalised with.
    pub(super) own_prefixes: Vec<String>,
    /// The identifier of what was hashed.
    pub(super) target: String,
    /// Prefixes that the target was canonicalised with.
    pub(super) target_prefixes: Vec<String>,
    pub(super) digest: Sha,
    pub(super) digest_value: Vec<u8>,
}

impl SignedInfo {
    /// Reads it; anything but the one shape is refused.
    pub(super) fn read(node: Node<'_>, sha1: Sha1) -> Result<Self, SamlRefused> {
        let parts = node.elements()?;
        let [canonicalisation, method, reference] = parts.as_slice() else {
            return Err(SamlRefused::Shape);
        };
        let own_prefixes =
            canonical(named(*canonicalisation, "CanonicalizationMethod")?, EXCLUSIVE)?;
        let method = named(*method, "SignatureMethod")?;
        let signature = sha1.signature(bare(method)?)?;
        let reference = named(*reference, "Reference")?;
        let target = reference.required("URI")?.strip_prefix('#').ok_or(SamlRefused::Shape)?;
        let parts = reference.elements()?;
        let [transforms, digest_method, digest_value] = parts.as_slice() else {
            return Err(SamlRefused::Shape);
        };
        let target_prefixes = transformed(named(*transforms, "Transforms")?)?;
        let digest = sha1.digest(bare(named(*digest_method, "DigestMethod")?)?)?;
        let digest_value = decoded(named(*digest_value, "DigestValue")?)?;
        let target = target.to_owned();
        Ok(Self { signature, own_prefixes, target, target_prefixes, digest, digest_value })
    }
}

/// Base64 with white space anywhere, as XML Schema has it.
pub(super) fn decoded(node: Node<'_>) -> Result<Vec<u8>, SamlRefused> {
    let text: String = node.text()?.split_ascii_whitespace().collect();
    STANDARD.decode(text).map_err(|_| SamlRefused::Shape)
}

/// The enveloped-signature transform, then canonicalisation: the two every issuer uses.
fn transformed(transforms: Node<'_>) -> Result<Vec<String>, SamlRefused> {
    let parts = transforms.elements()?;
    let [enveloped, exclusive] = parts.as_slice() else { return Err(SamlRefused::Algorithm) };
    if bare(named(*enveloped, "Transform")?)? != ENVELOPED {
        return Err(SamlRefused::Algorithm);
    }
    canonical(named(*exclusive, "Transform")?, EXCLUSIVE)
}

/// The prefixes of a canonicalisation (Exclusive XML Canonicalization §4).
fn canonical(node: Node<'_>, expected: &str) -> Result<Vec<String>, SamlRefused> {
    if node.required("Algorithm")? != expected {
        return Err(SamlRefused::Algorithm);
    }
    match node.elements()?.as_slice() {
        [] => Ok(Vec::new()),
        [prefixes]
            if prefixes.is(EXCLUSIVE, "InclusiveNamespaces") && prefixes.elements()?.is_empty() =>
        {
            let list = prefixes.attribute("PrefixList").unwrap_or_default();
            let list: Vec<_> = list.split_ascii_whitespace().take(MOST_PREFIXES + 1).collect();
            if list.len() > MOST_PREFIXES {
                return Err(SamlRefused::Algorithm);
            }
            Ok(list.into_iter().map(str::to_owned).collect())
        }
        _ => Err(SamlRefused::Algorithm),
    }
}

/// A method without parameters.
fn bare(node: Node<'_>) -> Result<&str, SamlRefused> {
    if node.elements()?.is_empty() {
        node.required("Algorithm")
    } else {
        Err(SamlRefused::Algorithm)
    }
}

fn named<'n>(node: Node<'n>, local: &str) -> Result<Node<'n>, SamlRefused> {
    if node.is(DSIG, local) { Ok(node) } else { Err(SamlRefused::Shape) }
}

/// Each is looked for at every element before the signature is known to be good; issuers list a
/// handful.
const MOST_PREFIXES: usize = 32;
