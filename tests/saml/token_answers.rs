//! Tokens of SAML 1.1 and 2.0 in the token answers of WS-Federation.

use superid_gateway::saml::{Assertion, Profile, SamlRefused, SamlRules, verify_xml};

use crate::signer::{AUDIENCE, Draft, ISSUER, KEY, rules};

const SAML_11: &str = "urn:oasis:names:tc:SAML:1.0:assertion";
const TRUST: &str = "http://schemas.xmlsoap.org/ws/2005/02/trust";
const TRUST_13: &str = "http://docs.oasis-open.org/ws-sx/ws-trust/200512";

fn verify(document: &str) -> Result<Assertion, SamlRefused> {
    let keys = [KEY.public()];
    let rules = SamlRules { profile: Profile::WsFederation, ..rules(&keys) };
    verify_xml(document.as_bytes(), &rules)?.addressed_to(AUDIENCE)
}

fn subject(name: &str) -> String {
    format!(
        "<saml:Subject><saml:NameIdentifier>{name}</saml:NameIdentifier><saml:SubjectConfirmation>\
         <saml:ConfirmationMethod>urn:oasis:names:tc:SAML:1.0:cm:bearer</saml:ConfirmationMethod>\
         </saml:SubjectConfirmation></saml:Subject>"
    )
}

/// Canonical bytes of an assertion of SAML 1.1; its signature stands at the end.
fn assertion(subjects: [&str; 2], signature: &str) -> String {
    let [first, second] = subjects.map(subject);
    format!(
        "<saml:Assertion xmlns:saml=\"{SAML_11}\" AssertionID=\"_a1\" \
         IssueInstant=\"1970-01-12T13:46:40Z\" Issuer=\"{ISSUER}\" MajorVersion=\"1\" \
         MinorVersion=\"1\"><saml:Conditions NotBefore=\"1970-01-12T13:45:40Z\" \
         NotOnOrAfter=\"1970-01-12T13:51:40Z\"><saml:AudienceRestrictionCondition>\
         <saml:Audience>{AUDIENCE}</saml:Audience></saml:AudienceRestrictionCondition>\
         </saml:Conditions><saml:AttributeStatement>{first}<saml:Attribute AttributeName=\"upn\" \
         AttributeNamespace=\"http://claims.example\"><saml:AttributeValue>ada@example.com\
         </saml:AttributeValue></saml:Attribute></saml:AttributeStatement>\
         <saml:AuthenticationStatement AuthenticationInstant=\"1970-01-12T13:46:40Z\" \
         AuthenticationMethod=\"urn:oasis:names:tc:SAML:1.0:am:password\">{second}\
         </saml:AuthenticationStatement>{signature}</saml:Assertion>"
    )
}

fn signed(subjects: [&str; 2]) -> String {
    assertion(subjects, &KEY.signature("_a1", &assertion(subjects, "")))
}

fn answer(trust: &str, inside: &str) -> String {
    format!(
        "<t:RequestSecurityTokenResponse xmlns:t=\"{trust}\"><t:Lifetime/>\
         <t:RequestedSecurityToken>{inside}</t:RequestedSecurityToken>\
         <t:TokenType>{SAML_11}</t:TokenType></t:RequestSecurityTokenResponse>"
    )
}

#[test]
fn both_versions_are_read_from_both_kinds_of_answer() {
    let old = signed(["ada", "ada"]);
    for document in [
        answer(TRUST, &old),
        format!(
            "<t:RequestSecurityTokenResponseCollection xmlns:t=\"{TRUST_13}\">{}\
             </t:RequestSecurityTokenResponseCollection>",
            answer(TRUST_13, &old)
        ),
    ] {
        let assertion = verify(&document).unwrap();
        assert_eq!(assertion.subject(), Some("ada"));
        assert_eq!(assertion.issuer(), ISSUER);
        assert_eq!(assertion.attribute("http://claims.example/upn"), Some("ada@example.com"));
    }
    let new = verify(&answer(TRUST, &Draft::new().signed())).unwrap();
    assert_eq!(new.subject(), Some("ada@example.com"));
}

#[test]
fn a_token_answer_holds_one_token_and_nothing_else_is_one() {
    let old = signed(["ada", "ada"]);
    for document in [
        old.clone(),
        answer("urn:x", &old),
        answer(TRUST, &format!("{old}<a/>")),
        answer(TRUST, ""),
        answer(TRUST, &assertion(["ada", "ada"], "")),
        answer(TRUST, &old).replace("<t:Lifetime/>", &old.replace("_a1", "_a2")),
        answer(TRUST, &old.replace("ada@example.com", "eve@example.com")),
    ] {
        assert!(verify(&document).is_err(), "{document}");
    }
}

#[test]
fn the_statements_of_one_assertion_are_about_one_person() {
    assert_eq!(verify(&answer(TRUST, &signed(["ada", "eve"]))).err(), Some(SamlRefused::Subject));
}

/// The answer around an assertion whose canonical text has been changed before it was signed.
fn changed(from: &str, to: &str) -> String {
    let text = assertion(["ada", "ada"], "");
    assert!(text.contains(from), "{from}");
    let text = text.replace(from, to);
    let signature = KEY.signature("_a1", &text);
    answer(TRUST, &text.replace("</saml:Assertion>", &format!("{signature}</saml:Assertion>")))
}

#[test]
fn an_older_token_confirms_a_bearer_and_has_no_condition_that_nobody_understands() {
    let (start, end) = ("<saml:SubjectConfirmation>", "</saml:SubjectConfirmation>");
    let method = |name: &str| {
        format!("{start}<saml:ConfirmationMethod>{name}</saml:ConfirmationMethod>{end}")
    };
    let bearer = method("urn:oasis:names:tc:SAML:1.0:cm:bearer");
    let holder = method("urn:oasis:names:tc:SAML:1.0:cm:holder-of-key");
    let first = "<saml:AudienceRestrictionCondition>";
    let condition = |name: &str| format!("<saml:{name}></saml:{name}>{first}");
    for (document, refused) in [
        (changed(&bearer, &bearer), None),
        (changed(&bearer, ""), Some(SamlRefused::Confirmation)),
        (changed(&bearer, &holder), Some(SamlRefused::Confirmation)),
        (changed(first, &condition("DoNotCacheCondition")), None),
        (changed(first, &condition("Condition")), Some(SamlRefused::Condition)),
    ] {
        assert_eq!(verify(&document).err(), refused, "{document}");
    }
}

#[test]
fn superids_door_takes_no_older_version() {
    let keys = [KEY.public()];
    let old = signed(["ada", "ada"]);
    let refused = verify_xml(old.as_bytes(), &rules(&keys)).err();
    assert_eq!(refused, Some(SamlRefused::Version));
}
