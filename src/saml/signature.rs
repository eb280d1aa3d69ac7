//! An enveloped XML signature, and the bytes it proves.
//!
//! Nothing of the posted document is believed. What is believed are two strings of bytes that are
//! made from it: the canonical `SignedInfo`, because a configured key signed it, and the canonical
//! element it names, because its hash is the one in there. Both are parsed again, and only those
//! second readings are handed on: a document that has two meanings has one left by then.

use bergshamra_c14n::{C14nMode, canonicalize_doc};
use bergshamra_xml::NodeSet;

use crate::config::Sha1;
use crate::crypto::RsaPublic;

use super::algorithm::DSIG;
use super::refused::SamlRefused;
use super::signed_info::{SignedInfo, decoded};
use super::tree::{Node, Tree};

/// The canonical bytes of a signed element, and the identifier the signature calls it by.
pub(super) struct Proven {
    pub(super) bytes: String,
    pub(super) target: String,
}

/// The only signature of a document and the element around it.
pub(super) fn only_signature<'a>(tree: &'a Tree<'_>) -> Result<(Node<'a>, Node<'a>), SamlRefused> {
    let mut found = tree.everywhere().filter(|node| node.is(DSIG, "Signature"));
    match (found.next(), found.next()) {
        (Some(signature), None) => {
            let signed = signature.parent().ok_or(SamlRefused::SignatureCount)?;
            Ok((signature, signed))
        }
        _ => Err(SamlRefused::SignatureCount),
    }
}

/// Verifies a signature over the element around it, which has this identifier.
pub(super) fn prove(
    tree: &Tree<'_>,
    (signature, signed): (Node<'_>, Node<'_>),
    identifier: &str,
    (keys, sha1): (&[RsaPublic], Sha1),
) -> Result<Proven, SamlRefused> {
    let (info, value) = parts(signature)?;
    let stated = SignedInfo::read(info, sha1)?;
    let signed_info = canonical(tree, info, None, &stated.own_prefixes)?;
    let known = |key: &RsaPublic| key.has_signed(signed_info.as_bytes(), &value, stated.signature);
    if !keys.iter().any(known) {
        return Err(SamlRefused::Signature);
    }
    let again = Tree::parse(&signed_info)?;
    let proven = SignedInfo::read(again.root()?, sha1)?;
    if proven != stated || proven.target != identifier {
        return Err(SamlRefused::SignatureCount);
    }
    let bytes = canonical(tree, signed, Some(signature), &proven.target_prefixes)?;
    if proven.digest.of(bytes.as_bytes()) != proven.digest_value {
        return Err(SamlRefused::Digest);
    }
    Ok(Proven { bytes, target: proven.target })
}

/// `SignedInfo` and the signature's bytes. `KeyInfo` may be there and is not looked at; `Object`,
/// which could hide another document, may not.
fn parts(signature: Node<'_>) -> Result<(Node<'_>, Vec<u8>), SamlRefused> {
    let parts = signature.elements()?;
    let (info, value) = match parts.as_slice() {
        [info, value] => (*info, *value),
        [info, value, key] if key.is(DSIG, "KeyInfo") => (*info, *value),
        _ => return Err(SamlRefused::Shape),
    };
    if !info.is(DSIG, "SignedInfo") || !value.is(DSIG, "SignatureValue") {
        return Err(SamlRefused::Shape);
    }
    Ok((info, decoded(value)?))
}

/// Exclusive canonicalisation of an element, without what is enveloped in it.
fn canonical(
    tree: &Tree<'_>,
    element: Node<'_>,
    without: Option<Node<'_>>,
    prefixes: &[String],
) -> Result<String, SamlRefused> {
    let document = tree.document();
    let mut nodes = NodeSet::tree_without_comments(element.id(), document);
    if let Some(without) = without {
        nodes = nodes.subtract(&NodeSet::tree_with_comments(without.id(), document));
    }
    let bytes = canonicalize_doc(document, C14nMode::Exclusive, Some(&nodes), prefixes)
        .map_err(|_| SamlRefused::Encoding)?;
    // The hash of nothing is everybody's to sign.
    if bytes.is_empty() {
        return Err(SamlRefused::Digest);
    }
    String::from_utf8(bytes).map_err(|_| SamlRefused::Encoding)
}
