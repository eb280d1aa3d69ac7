//! Reads `[relying_party.NAME.legacy]`.

use std::collections::HashMap;

use crate::identity::ContextId;

use super::legacy::{LEGACY_TABLE, SAML_TABLE};
use super::reading::quoted;
use super::section::Section;
use super::signing_keys::signing_keys;
use super::tenant_name::refuse_tenant;
use super::value::Value;
use super::{
    Legacy, LegacyMethod, LegacySaml, LegacyToken, NullOrigin, RedirectParameter, SamlRecipient,
    Sha1,
};

/// Reads the table, or what is so where there is none.
pub(super) fn legacy(section: &Section) -> Option<Legacy> {
    let section = section.section("legacy", LEGACY_TABLE.keys);
    let serials = section.read("serials", serials);
    let redirect_parameter = section.read("redirect_parameter", |value| {
        value.choice(&[
            ("none", RedirectParameter::None),
            ("redirect_uri", RedirectParameter::RedirectUri),
            ("redirect_url", RedirectParameter::RedirectUrl),
        ])
    });
    let null_origin = section.read("null_origin", |value| {
        value.choice(&[("refused", NullOrigin::Refused), ("accepted", NullOrigin::Accepted)])
    });
    let token = section.read("token", |value| {
        value.choice(&[
            ("jwt", LegacyToken::Jwt),
            ("saml", LegacyToken::Saml),
            ("either", LegacyToken::Either),
        ])
    });
    let method = section.read("method", |value| {
        value.choice(&[
            ("post", LegacyMethod::Post),
            ("get", LegacyMethod::Get),
            ("either", LegacyMethod::Either),
        ])
    });
    let saml = saml(&section, token);
    warn_about_addresses(&section, method);
    Some(Legacy {
        serials: serials?,
        redirect_parameter: redirect_parameter?,
        null_origin: null_origin?,
        token: token?,
        method: method?,
        saml: saml?,
    })
}

fn saml(legacy: &Section, token: Option<LegacyToken>) -> Option<LegacySaml> {
    if legacy.has("saml") && token == Some(LegacyToken::Jwt) {
        legacy.reading.problem(
            &legacy.place("saml"),
            "is for SAML, and token = \"jwt\" takes none",
            "write token = \"saml\" or \"either\", or leave the table out",
        );
    }
    let section = legacy.section("saml", SAML_TABLE.keys);
    let audience = section.optional("audience", |value| value.line(200));
    let keys = section.read("certificates", |value| value.list(|one| signing_keys(one, "SuperID")));
    let recipient = saml_recipient(&section, audience.as_ref());
    let sha1 = section.read("sha1", |value| {
        value.choice(&[("refused", Sha1::Refused), ("accepted", Sha1::Accepted)])
    });
    if sha1 == Some(Sha1::Accepted) {
        section.reading.warn(
            &section.place("sha1"),
            "SHA-1 is broken: whoever can choose a part of what SuperID signs may forge the rest",
            "have SuperOffice sign with SHA-256, or use flow = \"code\"",
        );
    }
    Some(LegacySaml { audience, keys: keys?.concat(), recipient, sha1: sha1? })
}

/// An audience of our own says whose an assertion is; without one the recipient has to.
fn saml_recipient(section: &Section, audience: Option<&String>) -> SamlRecipient {
    let said = section.optional("recipient", |value| {
        value
            .choice(&[("required", SamlRecipient::Required), ("optional", SamlRecipient::Optional)])
    });
    if said == Some(SamlRecipient::Optional) && audience.is_none() {
        section.reading.warn(
            &section.place("recipient"),
            "an assertion that names neither us nor our address may be another app's for the same \
             tenant, and whoever runs that app can sign in here with it",
            "leave recipient out, or agree on an audience with SuperOffice",
        );
    }
    match (said, audience) {
        (Some(said), _) => said,
        (None, Some(_)) => SamlRecipient::Optional,
        (None, None) => SamlRecipient::Required,
    }
}

fn warn_about_addresses(section: &Section, method: Option<LegacyMethod>) {
    if matches!(method, Some(LegacyMethod::Get | LegacyMethod::Either)) {
        section.reading.warn(
            &section.place("method"),
            "a token in an address says nothing of the page it came from: any page can sign a \
             visitor in as somebody else",
            "have SuperOffice send the form by POST",
        );
    }
}

/// Tenants and their serial numbers, one to one: a serial is all that ties a token to its tenant.
fn serials(value: &Value) -> Option<HashMap<ContextId, String>> {
    let mut seen: Vec<(ContextId, String)> = Vec::new();
    value.entries(|name, value| {
        let Ok(context) = ContextId::parse(name) else { return refuse_tenant(value, name) };
        let serial = value.text()?;
        if !(1..=20).contains(&serial.len()) || !serial.bytes().all(|byte| byte.is_ascii_digit()) {
            let wrong = format!("{} is not a serial number", quoted(serial));
            return value.refuse(wrong, "write its digits in quotes, such as \"1501052557\"");
        }
        if seen.iter().any(|(tenant, _)| *tenant == context) {
            return value.refuse(format!("{context} stands here twice"), "leave one of them out");
        }
        if let Some((other, _)) = seen.iter().find(|(_, known)| known == serial) {
            let wrong = format!("{} is the serial number of {other} too", quoted(serial));
            return value.refuse(wrong, "write each tenant's own");
        }
        seen.push((context, serial.to_owned()));
        Some(())
    })?;
    Some(seen.into_iter().collect())
}
