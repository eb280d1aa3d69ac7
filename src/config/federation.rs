//! `[provider.NAME]` with `protocol = "ws_federation"`: AD FS, and Microsoft Entra as older apps
//! speak to it.

use url::Url;

use crate::crypto::RsaPublic;

use super::issuer::{has_directories, has_its_braces_right, is_issuer};
use super::reading::quoted;
use super::section::Section;
use super::signing_keys::signing_keys;
use super::url_path::superid_url;
use super::value::Value;

/// A provider that is asked by WS-Federation's passive requests, and whose tokens are SAML's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Federation {
    pub name: String,
    /// Who issues its tokens, exactly; Microsoft's has `{tenantid}` where each directory's id stands.
    pub issuer: String,
    /// Where people are sent to sign in, and to sign out.
    pub sign_in_url: Url,
    pub sign_out_url: Url,
    /// The keys of the certificates its tokens are believed by. Nothing else is.
    pub keys: Vec<RsaPublic>,
    pub subject: SubjectClaim,
    pub emails: Emails,
    /// Further parameters of the address people are sent to, none of them ours.
    pub parameters: Vec<(String, String)>,
}

/// What names a person, together with the issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubjectClaim {
    /// The claim of this name.
    Claim(String),
    /// SAML's own name of the subject.
    NameId,
}

/// Whether its word for somebody's address is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emails {
    Unverified,
    Verified,
}

/// Keys of a provider's table that mean something here alone.
pub(super) const OWN_KEYS: [&str; 5] =
    ["certificates", "emails", "sign_in_url", "sign_out_url", "subject_claim"];

/// Reads one.
pub(super) fn federation(name: &str, section: &Section) -> Option<Federation> {
    refuse_what_is_openids(section);
    let issuer = section.read("issuer", issuer);
    let sign_in_url = section.needed("sign_in_url", superid_url);
    let sign_out_url = section.optional("sign_out_url", superid_url);
    let keys =
        section.needed("certificates", |value| value.list(|one| signing_keys(one, "the provider")));
    let subject = match section.has("subject_claim") {
        true => section.optional("subject_claim", subject_claim),
        false => Some(SubjectClaim::Claim(OBJECT_ID.to_owned())),
    };
    let emails = match section.has("emails") {
        true => section.optional("emails", |value| {
            value.choice(&[("unverified", Emails::Unverified), ("verified", Emails::Verified)])
        }),
        false => Some(Emails::Unverified),
    };
    let parameters = section.read("authorize_parameters", |value| value.entries(parameter));
    let (issuer, keys, sign_in_url) = (issuer?, keys?.concat(), sign_in_url?);
    if section.has("sign_out_url") && sign_out_url.is_none() {
        return None;
    }
    if keys.is_empty() {
        let wrong = "is empty: no token would be believed";
        let instead = "name the PEM file of the certificate that signs its tokens";
        section.reading.problem(&section.place("certificates"), wrong, instead);
        return None;
    }
    let emails = emails?;
    if emails == Emails::Verified && has_directories(&issuer) {
        let wrong = "is \"verified\", and any directory's administrator writes any address there";
        let instead = "leave it out, or name one directory's issuer";
        section.reading.problem(&section.place("emails"), wrong, instead);
        return None;
    }
    Some(Federation {
        name: name.to_owned(),
        issuer,
        sign_out_url: sign_out_url.unwrap_or_else(|| sign_in_url.clone()),
        sign_in_url,
        keys,
        subject: subject?,
        emails,
        parameters: parameters?,
    })
}

fn refuse_what_is_openids(section: &Section) {
    for key in [
        "algorithms",
        "authorize_url",
        "ca",
        "discovery_url",
        "end_session_url",
        "jwks_url",
        "pushed_request_url",
        "pushed_requests",
        "revocation_url",
        "scopes",
        "token_url",
        "userinfo",
        "userinfo_url",
    ] {
        if section.has(key) {
            let wrong = "is for OpenID Connect, and WS-Federation knows no such thing";
            section.reading.problem(&section.place(key), wrong, "leave it out");
        }
    }
}

/// Any URI, kept letter by letter: AD FS calls itself by one with `http` that nobody visits.
fn issuer(value: &Value) -> Option<String> {
    let text = value.text()?;
    // Apps are told `issuer#subject`: which of the two a letter is of must be plain.
    if !is_issuer(text) || text.contains('#') || Url::parse(text).is_err() {
        let wrong = format!("{} is no issuer", quoted(text));
        return value.refuse(wrong, "write \"http://adfs.example.com/adfs/services/trust\"");
    }
    if !has_its_braces_right(text) {
        let wrong = format!("{} does not have {{tenantid}} once in its path", quoted(text));
        return value.refuse(wrong, "write \"https://sts.windows.net/{tenantid}/\"");
    }
    Some(text.to_owned())
}

fn subject_claim(value: &Value) -> Option<SubjectClaim> {
    let name = value.line(200)?;
    match name.as_str() {
        "name_id" => Some(SubjectClaim::NameId),
        name if name.contains(':') => Some(SubjectClaim::Claim(name.to_owned())),
        name => {
            let wrong = format!("{} is no claim's name", quoted(name));
            value.refuse(wrong, "write \"name_id\", or the claim's URI")
        }
    }
}

fn parameter(name: &str, value: &Value) -> Option<(String, String)> {
    if OURS.contains(&name) {
        return value.refuse("is a parameter that we set", "leave it out");
    }
    Some((name.to_owned(), value.line(400)?))
}

/// What names a person in one of Microsoft's directories, for ever.
const OBJECT_ID: &str = "http://schemas.microsoft.com/identity/claims/objectidentifier";

/// What the address has from us, or never from anybody (WS-Federation 1.2 §13.2).
const OURS: [&str; 10] = [
    "wa",
    "wctx",
    "wct",
    "wreply",
    "wreqptr",
    "wresult",
    "wresultptr",
    "wtrealm",
    "wattr",
    "wpseudo",
];
