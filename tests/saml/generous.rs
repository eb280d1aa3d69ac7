//! Rules that agree with whatever a document says of itself, so that only its form and its
//! signature can have it refused.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use superid_gateway::clock::Timestamp;
use superid_gateway::crypto::RsaPublic;
use superid_gateway::saml::{Profile, SamlRecipient, SamlRefused, SamlRules, Sha1, verify_xml};
use time::PrimitiveDateTime;
use time::format_description::well_known::Rfc3339;

/// The verdict on a document whose every claim about issuer, addresses and time is agreed with,
/// and whose own certificates are believed besides `keys`. Test data has them of 1,024 bits too.
pub fn verdict(document: &[u8], keys: &[RsaPublic]) -> Result<(), SamlRefused> {
    let text = String::from_utf8_lossy(document).into_owned();
    let mut keys = keys.to_vec();
    keys.extend(embedded(&text));
    let issuer = first(&text, "Issuer").unwrap_or_default();
    let recipient = attribute(&text, "Recipient")
        .or_else(|| attribute(&text, "Destination"))
        .unwrap_or_default();
    let in_response_to = attribute(&text, "InResponseTo");
    let rules = SamlRules {
        in_response_to: in_response_to.as_deref(),
        issuer: &issuer,
        keys: &keys,
        leeway: 60,
        now: Timestamp(now(&text)),
        profile: Profile::WebSso,
        recipient: &recipient,
        recipient_rule: SamlRecipient::Optional,
        sha1: Sha1::Accepted,
    };
    let audience = first(&text, "Audience").unwrap_or_default();
    verify_xml(document, &rules)?.addressed_to(&audience).map(drop)
}

/// Every RSA key of a folder's PEM and DER certificates that is long enough.
pub fn keys_under(folder: &Path) -> Vec<RsaPublic> {
    let mut keys = Vec::new();
    for file in files(folder) {
        let bytes = std::fs::read(&file).unwrap();
        keys.extend(RsaPublic::of_certificate(&bytes));
        let text = String::from_utf8_lossy(&bytes);
        for part in text.split("-----BEGIN CERTIFICATE-----").skip(1) {
            let body: String = part.split("-----END").next().unwrap().split_whitespace().collect();
            let der = STANDARD.decode(body).unwrap_or_default();
            keys.extend(RsaPublic::of_certificate(&der));
        }
    }
    keys
}

/// Every file below, in order.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn embedded(text: &str) -> Vec<RsaPublic> {
    let mut keys = Vec::new();
    for part in text.split("X509Certificate>").skip(1) {
        let body: String = part.split('<').next().unwrap().split_whitespace().collect();
        keys.extend(RsaPublic::of_certificate(&STANDARD.decode(body).unwrap_or_default()));
    }
    keys
}

fn first(text: &str, element: &str) -> Option<String> {
    for (at, _) in text.match_indices(element) {
        let rest = &text[at + element.len()..];
        if let Some((head, tail)) = rest.split_once('>')
            && (head.is_empty() || head.starts_with(' '))
        {
            return Some(tail.split('<').next().unwrap().trim().to_owned());
        }
    }
    None
}

fn attribute(text: &str, name: &str) -> Option<String> {
    let at = text.find(&format!(" {name}="))? + name.len() + 2;
    let quote = text[at..].chars().next()?;
    Some(text[at + 1..].split(quote).next()?.to_owned())
}

/// The moment the assertion begins to be good.
fn now(text: &str) -> u64 {
    let said = attribute(text, "NotBefore").or_else(|| attribute(text, "IssueInstant"));
    let moment = said.and_then(|said| PrimitiveDateTime::parse(&said, &Rfc3339).ok());
    moment.map_or(0, |moment| u64::try_from(moment.assume_utc().unix_timestamp()).unwrap_or(0))
}
