//! Every condition of a signed assertion, broken one at a time.

use superid_gateway::clock::Timestamp;
use superid_gateway::saml::{SamlRecipient, SamlRefused, SamlRules, verify_xml};

use crate::signer::{AUDIENCE, DATA, Draft, KEY, NOW, PLAIN, response, rules, verify};

fn refused(draft: &Draft) -> Option<SamlRefused> {
    verify(&draft.signed()).err()
}

fn with_conditions(from: &str, to: &str) -> Draft {
    let mut draft = Draft::new();
    draft.conditions = draft.conditions.replace(from, to);
    draft
}

#[test]
fn the_leeway_is_exact_on_both_sides() {
    let keys = [KEY.public()];
    let document = Draft::new().signed();
    let at = |now| {
        let rules = SamlRules { now: Timestamp(now), ..rules(&keys) };
        verify_xml(document.as_bytes(), &rules).map(drop).err()
    };
    // Good from NOW - 60 to NOW + 300.
    assert_eq!(at(NOW - 121), Some(SamlRefused::NotYetValid));
    assert_eq!(at(NOW - 120), None);
    assert_eq!(at(NOW + 359), None);
    assert_eq!(at(NOW + 360), Some(SamlRefused::Expired));
}

#[test]
fn each_condition_has_its_own_refusal() {
    let restriction = format!(
        "<saml:AudienceRestriction><saml:Audience>{AUDIENCE}</saml:Audience></saml:AudienceRestriction>"
    );
    for (from, to, expected) in [
        (AUDIENCE, "spn:1", SamlRefused::Audience),
        (AUDIENCE, "spn:15010525570", SamlRefused::Audience),
        (AUDIENCE, "SPN:1501052557", SamlRefused::Audience),
        (restriction.as_str(), "", SamlRefused::Audience),
        (
            &restriction,
            "<saml:AudienceRestriction></saml:AudienceRestriction>",
            SamlRefused::Audience,
        ),
        ("1970-01-12T13:51:40Z", "1970-02-12T13:51:40Z", SamlRefused::Lifetime),
        ("1970-01-12T13:51:40Z", "soon", SamlRefused::Times),
        (" NotOnOrAfter=\"1970-01-12T13:51:40Z\"", "", SamlRefused::Times),
        (&restriction, "<saml:Condition></saml:Condition>", SamlRefused::Condition),
    ] {
        assert_eq!(refused(&with_conditions(from, to)), Some(expected), "{to}");
    }
    let both = format!("{restriction}{}", restriction.replace(AUDIENCE, "spn:1"));
    assert_eq!(refused(&with_conditions(&restriction, &both)), Some(SamlRefused::Audience));
    let either = restriction
        .replace("<saml:Audience>", "<saml:Audience>spn:1</saml:Audience><saml:Audience>");
    assert_eq!(refused(&with_conditions(&restriction, &either)), None);
    let once = format!("{restriction}<saml:OneTimeUse></saml:OneTimeUse>");
    assert_eq!(refused(&with_conditions(&restriction, &once)), None);
}

#[test]
fn issuer_version_and_subject_are_required() {
    let issuer = Draft { issuer: "SuperOffice AS ltd".to_owned(), ..Draft::new() };
    assert_eq!(refused(&issuer), Some(SamlRefused::Issuer));
    let nobody = Draft { subject: String::new(), ..Draft::new() };
    assert_eq!(refused(&nobody), Some(SamlRefused::Subject));
    let mut two = Draft::new();
    two.subject =
        two.subject.replace("<saml:NameID>", "<saml:NameID>eve</saml:NameID><saml:NameID>");
    assert_eq!(refused(&two), Some(SamlRefused::Subject));
    let none = Draft { conditions: String::new(), ..Draft::new() };
    assert_eq!(refused(&none), Some(SamlRefused::Shape));
    let advice = Draft { statements: "<saml:Advice></saml:Advice>".to_owned(), ..Draft::new() };
    assert_eq!(refused(&advice), Some(SamlRefused::Shape));
    let mut other = Draft::new();
    other.subject = other.subject.replace("<saml:NameID>", "<saml:NameID SPNameQualifier=\"x\">");
    assert_eq!(refused(&other), Some(SamlRefused::Audience));
    let over = Draft::new().statements.replace(
        " AuthnInstant=\"1970-01-12T13:46:40Z\"",
        " AuthnInstant=\"1970-01-12T13:46:40Z\" SessionNotOnOrAfter=\"1970-01-12T13:40:00Z\"",
    );
    assert_eq!(refused(&Draft { statements: over, ..Draft::new() }), Some(SamlRefused::Expired));
}

#[test]
fn a_bearers_confirmation_must_hold() {
    let mut holder = Draft::new();
    holder.subject = holder.subject.replace(":bearer", ":holder-of-key");
    assert_eq!(refused(&holder), Some(SamlRefused::Confirmation));
    for (data, expected) in [
        (DATA, None),
        ("Recipient=\"https://evil.example/auth/callback\"", Some(SamlRefused::Destination)),
        ("Recipient=\"https://app.example/auth/callback/\"", Some(SamlRefused::Destination)),
        ("NotOnOrAfter=\"1970-01-12T13:40:40Z\"", Some(SamlRefused::Expired)),
        ("NotBefore=\"1970-01-12T13:50:40Z\"", Some(SamlRefused::NotYetValid)),
        ("InResponseTo=\"_q1\"", Some(SamlRefused::InResponseTo)),
        ("NotOnOrAfter=\"x\"", Some(SamlRefused::Times)),
    ] {
        assert_eq!(refused(&Draft::confirmed(data)), expected, "{data}");
    }
}

#[test]
fn two_bearers_confirmations_are_refused_because_one_would_outlive_what_is_remembered() {
    // One use is remembered until 13:47:40; the other would let it in again until 13:51:40.
    let draft = Draft::confirmed("NotOnOrAfter=\"1970-01-12T13:47:40Z\"");
    assert_eq!(refused(&draft), None);
    let with = |method: &str, data: &str| {
        let second = format!(
            "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:{method}\">\
             {data}</saml:SubjectConfirmation></saml:Subject>"
        );
        Draft { subject: draft.subject.replace("</saml:Subject>", &second), ..draft.clone() }
    };
    let data = format!("<saml:SubjectConfirmationData {DATA}></saml:SubjectConfirmationData>");
    for data in ["", data.as_str()] {
        assert_eq!(refused(&with("bearer", data)), Some(SamlRefused::Confirmation), "{data}");
        assert_eq!(refused(&with("holder-of-key", data)), None, "no bearer's: {data}");
    }
}

#[test]
fn a_recipient_is_required_bare_or_wrapped_unless_the_rules_say_it_is_optional() {
    let keys = [KEY.public()];
    let by = |recipient_rule, document: &str| {
        let rules = SamlRules { recipient_rule, ..rules(&keys) };
        verify_xml(document.as_bytes(), &rules).map(drop).err()
    };
    let until = "NotOnOrAfter=\"1970-01-12T13:51:40Z\"";
    for draft in [Draft::new(), Draft::confirmed(until)] {
        for document in [draft.signed(), response(PLAIN, "", &draft.signed())] {
            let required = by(SamlRecipient::Required, &document);
            assert_eq!(required, Some(SamlRefused::Recipient), "{document}");
            assert_eq!(by(SamlRecipient::Optional, &document), None, "{document}");
        }
    }
    let elsewhere = Draft::confirmed("Recipient=\"https://partner.example/callback\"").signed();
    for rule in [SamlRecipient::Required, SamlRecipient::Optional] {
        assert_eq!(by(rule, &elsewhere), Some(SamlRefused::Destination));
        assert_eq!(by(rule, &Draft::confirmed(DATA).signed()), None);
    }
}

#[test]
fn what_is_refused_in_a_response_for_its_own_words_is_refused_without_it() {
    let mut no_sign_in = Draft::confirmed(DATA);
    let from = no_sign_in.statements.find("<saml:AttributeStatement>").unwrap();
    no_sign_in.statements.drain(..from);
    for draft in [
        Draft::new(),
        no_sign_in,
        Draft::confirmed("Recipient=\"https://app.example/auth/callback\""),
        Draft::confirmed("Recipient=\"https://evil.example/\""),
        Draft::confirmed("NotOnOrAfter=\"1970-01-12T13:40:40Z\""),
        Draft::confirmed("InResponseTo=\"_q1\""),
    ] {
        let bare = draft.signed();
        let wrapped = verify(&response(PLAIN, "", &bare)).err();
        assert_eq!(verify(&bare).err(), wrapped, "{bare}");
    }
}

#[test]
fn what_a_response_says_can_only_have_it_refused() {
    let inside = Draft::confirmed(DATA).signed();
    let of = |attributes: &str| verify(&response(attributes, "", &inside)).err();
    assert_eq!(of(PLAIN), None);
    let plus = |more: &str| format!("{PLAIN} {more}");
    assert_eq!(of(&plus("Destination=\"https://app.example/auth/callback\"")), None);
    assert_eq!(of(&plus("Destination=\"https://evil.example/\"")), Some(SamlRefused::Destination));
    assert_eq!(of(&plus("InResponseTo=\"_q1\"")), Some(SamlRefused::InResponseTo));
    assert_eq!(of(&PLAIN.replace("2.0", "1.1")), Some(SamlRefused::Version));
    let good = response(PLAIN, "", &inside);
    let failed = good.replace("status:Success", "status:Responder");
    assert_eq!(verify(&failed).err(), Some(SamlRefused::Status));
    let issued = good.replace(
        "<samlp:Status>",
        "<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">x</saml:Issuer><samlp:Status>",
    );
    assert_eq!(verify(&issued).err(), Some(SamlRefused::Issuer));
    let expired = Draft::confirmed("NotOnOrAfter=\"1970-01-12T13:40:40Z\"").signed();
    assert_eq!(verify(&response(PLAIN, "", &expired)).err(), Some(SamlRefused::Expired));
}

#[test]
fn an_answer_is_to_the_request_that_was_made() {
    let keys = [KEY.public()];
    let asked = SamlRules { in_response_to: Some("_q1"), ..rules(&keys) };
    let verify = |document: &str| verify_xml(document.as_bytes(), &asked).map(drop).err();
    let data = format!("InResponseTo=\"_q1\" {DATA}");
    let inside = Draft::confirmed(&data).signed();
    let answering = PLAIN.replace(" IssueInstant", " InResponseTo=\"_q1\" IssueInstant");
    assert_eq!(verify(&response(&answering, "", &inside)), None);
    assert_eq!(verify(&response(PLAIN, "", &inside)), Some(SamlRefused::InResponseTo));
    assert_eq!(verify(&Draft::confirmed(DATA).signed()), Some(SamlRefused::InResponseTo));
    assert_eq!(verify(&Draft::new().signed()), Some(SamlRefused::Confirmation));
}
