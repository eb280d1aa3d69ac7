//! The classes of attack on signed XML that have been published, made anew against this verifier.

use superid_gateway::saml::{SamlRefused, verify_posted};

use crate::signer::{
    DATA, DSIG, Draft, KEY, OTHER_KEY, PLAIN, PROTOCOL, SAML, response, rules, signed_info, verify,
};

fn refused(document: &str) -> Option<SamlRefused> {
    verify(document).err()
}

/// What somebody without the key would want to be believed.
fn evil() -> Draft {
    let mut evil = Draft::new();
    evil.id = "_evil".to_owned();
    evil.subject = evil.subject.replace("ada@", "admin@");
    evil
}

#[test]
fn an_honest_assertion_is_believed_bare_or_in_a_response_that_is_signed_or_not() {
    let assertion = verify(&Draft::new().signed()).unwrap();
    assert_eq!(assertion.subject(), Some("ada@example.com"));
    assert_eq!(assertion.attribute("role"), Some("admin"));
    let confirmed = Draft::confirmed(DATA);
    assert!(verify(&response(PLAIN, "", &confirmed.signed())).is_ok());
    let whole = response(PLAIN, "", &confirmed.with(""));
    let around = response(PLAIN, &KEY.signature("_r1", &whole), &confirmed.with(""));
    assert!(verify(&around).is_ok());
    let bare = verify(&confirmed.signed()).unwrap().digest();
    assert_eq!(verify(&around).unwrap().digest(), bare, "one use, however it is wrapped");
}

#[test]
fn what_is_changed_after_signing_is_refused() {
    let good = Draft::new().signed();
    for (from, to) in [
        ("ada@example.com", "eve@example.com"),
        ("SuperOffice AS", "SuperOffice  AS"),
        ("admin</saml:AttributeValue>", "root</saml:AttributeValue>"),
        ("<saml:Subject>", "<saml:Subject> "),
        ("Version=\"2.0\"", "Version=\"2.0\" extra=\"\""),
        ("T13:51:40Z", "T13:59:40Z"),
    ] {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good);
        assert_eq!(refused(&changed), Some(SamlRefused::Digest), "{to}");
    }
    // White space in the tags and other quotes are another spelling of the same bytes.
    assert_eq!(refused(&good.replacen(" ID=\"_a1\" ", "  ID='_a1'\n", 1)), None);
}

#[test]
fn only_configured_keys_are_believed_whatever_the_document_brings() {
    let draft = Draft::new();
    let other = OTHER_KEY.signature("_a1", &draft.with(""));
    assert_eq!(refused(&draft.with(&other)), Some(SamlRefused::Signature));
    let with_key = other.replace(
        "</ds:Signature>",
        "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>MIIB</ds:X509Certificate></ds:X509Data>\
         </ds:KeyInfo></ds:Signature>",
    );
    assert_eq!(refused(&draft.with(&with_key)), Some(SamlRefused::Signature));
    let document = draft.signed();
    let none = superid_gateway::saml::verify_xml(document.as_bytes(), &rules(&[]));
    assert_eq!(none.err(), Some(SamlRefused::Signature));
}

#[test]
fn wrapped_signatures_are_refused_in_every_arrangement() {
    let good = Draft::confirmed(DATA);
    let signed = good.signed();
    let signature = KEY.signature("_a1", &good.with(""));
    let evil = evil();
    let object = |inside: &str| {
        signature
            .replace("</ds:Signature>", &format!("<ds:Object>{inside}</ds:Object></ds:Signature>"))
    };
    let key_info = |inside: &str| {
        signature.replace(
            "</ds:Signature>",
            &format!("<ds:KeyInfo>{inside}</ds:KeyInfo></ds:Signature>"),
        )
    };
    let around = |inside: &str| response(PLAIN, "", inside);
    for (name, document) in [
        ("beside, before", around(&format!("{}{signed}", evil.with("")))),
        ("beside, after", around(&format!("{signed}{}", evil.with("")))),
        ("around", around(&evil.with(&signed))),
        (
            "around, signature moved out",
            around(&evil.with(&format!("{}{signature}", good.with("")))),
        ),
        ("in an object", around(&evil.with(&object(&good.with(""))))),
        ("in the key's info", around(&evil.with(&key_info(&good.with(""))))),
        (
            "in extensions",
            around(&format!("<samlp:Extensions>{signed}</samlp:Extensions>{}", evil.with(""))),
        ),
        ("in a status", signed_in_status(&signed, &evil.with(""))),
        ("the same identifier", around(&evil.with(&signature).replace("_evil", "_a1"))),
        ("the signature of another element", around(&evil.with(&signature))),
        ("on the response, over the assertion", response(PLAIN, &signature, &good.with(""))),
        ("beside the assertion", around(&format!("{signature}{}", good.with("")))),
        ("two roots", format!("{signed}{}", evil.with(""))),
        ("in another root", format!("<a>{signed}</a>")),
        ("an unsigned one", around(&evil.with(""))),
        (
            "another namespace's assertion",
            around(&format!("{signed}<x:Assertion xmlns:x=\"urn:x\"></x:Assertion>")),
        ),
    ] {
        assert!(refused(&document).is_some(), "{name}");
    }
}

fn signed_in_status(signed: &str, evil: &str) -> String {
    response(PLAIN, "", evil).replace("</samlp:Status>", &format!("{signed}</samlp:Status>"))
}

#[test]
fn there_is_one_signed_info_one_reference_and_one_of_each_in_it() {
    let draft = Draft::new();
    let good = KEY.signature("_a1", &draft.with(""));
    let end = good.find("<ds:SignatureValue>").unwrap();
    let start = good.find("<ds:SignedInfo").unwrap();
    let info = &good[start..end];
    let other_info = signed_info("_evil", "AAAA");
    let of = |signature: String| refused(&draft.with(&signature));
    assert_eq!(of(good.replace(info, &format!("{info}{other_info}"))), Some(SamlRefused::Shape));
    assert_eq!(of(good.replace(info, &format!("{other_info}{info}"))), Some(SamlRefused::Shape));
    for (from, to) in [
        ("</ds:Reference>", "</ds:Reference><ds:Reference URI=\"#_a1\"></ds:Reference>"),
        ("<ds:DigestValue>", "<ds:DigestValue>AAAA</ds:DigestValue><ds:DigestValue>"),
        ("<ds:DigestValue>", "<ds:DigestValue><!-- AAAA -->"),
        ("URI=\"#_a1\"", "URI=\"\""),
        ("URI=\"#_a1\"", "URI=\"#xpointer(id('_a1'))\""),
        ("URI=\"#_a1\"", "URI=\"#_a1' or '1'='1\""),
        ("URI=\"#_a1\"", "URI=\"http://attacker.example/a.xml\""),
        ("URI=\"#_a1\"", "URI=\"file:///etc/passwd\""),
        (" URI=\"#_a1\"", ""),
        ("#enveloped-signature", "#base64"),
        ("#enveloped-signature", "#xpath"),
        ("2000/09/xmldsig#enveloped-signature", "TR/1999/REC-xslt-19991116"),
        ("2001/10/xml-exc-c14n#", "2001/10/xml-exc-c14n#WithComments"),
        ("2001/10/xml-exc-c14n#", "TR/2001/REC-xml-c14n-20010315"),
        ("xmldsig-more#rsa-sha256", "xmldsig-more#hmac-sha256"),
        ("xmldsig-more#rsa-sha256", "xmldsig-more#rsa-md5"),
        ("2001/04/xmldsig-more#rsa-sha256", "2000/09/xmldsig#rsa-sha1"),
        ("2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1"),
        (
            "<ds:Transforms>",
            "<ds:Transforms><ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#base64\"></ds:Transform>",
        ),
    ] {
        let changed = info.replace(from, to);
        assert_ne!(changed, info, "{from}");
        // Signed with the right key: so would an issuer that can be talked into it.
        let again = KEY.signature_of(&changed);
        assert!(of(again).is_some(), "{to}");
    }
}

#[test]
fn the_digest_is_that_of_the_one_reference_wherever_others_stand() {
    let draft = evil();
    let good = Draft::new();
    let signature = KEY.signature(&draft.id, &good.with(""));
    // The digest of what the attacker wants stands in places where readers once looked.
    let other = signed_info(&draft.id, "AAAA");
    for place in ["<ds:KeyInfo>PLACE</ds:KeyInfo>", "<ds:Object>PLACE</ds:Object>", "PLACE"] {
        let inside = place.replace("PLACE", &other);
        let document =
            draft.with(&signature.replace("</ds:Signature>", &format!("{inside}</ds:Signature>")));
        assert!(refused(&document).is_some(), "{place}");
    }
}

#[test]
fn nothing_canonicalises_to_nothing() {
    // The hash of no bytes, signed: void canonicalisation would have made it fit.
    let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let draft = Draft::new();
    let document = draft.with(&KEY.signature_of(&signed_info("_a1", empty)));
    assert_eq!(refused(&document), Some(SamlRefused::Digest));
    for relative in ["xmlns:x=\"relative\"", "xmlns:x=\"\""] {
        let odd = document.replacen("<saml:Assertion", &format!("<saml:Assertion {relative}"), 1);
        assert!(refused(&odd).is_some(), "{relative}");
    }
}

#[test]
fn comments_cdata_and_entities_never_shorten_a_value() {
    let mut draft = Draft::new();
    draft.subject = draft.subject.replace("ada@example.com", "admin@example.com.evil.example");
    let signed = draft.signed();
    for comment in ["<!-- -->", "<!---->", "<?pi?>"] {
        let cut = signed.replace("example.com.evil", &format!("example.com{comment}.evil"));
        assert!(refused(&cut).is_some(), "{comment}");
    }
    let cdata = signed.replace("example.com.evil", "example<![CDATA[.com]]>.evil");
    assert_eq!(verify(&cdata).unwrap().subject(), Some("admin@example.com.evil.example"));
    let entity = signed.replace("example.com.evil", "example&#46;com.evil");
    assert_eq!(verify(&entity).unwrap().subject(), Some("admin@example.com.evil.example"));
    // Between elements, where no value is, a comment changes nothing.
    assert!(
        verify(&Draft::new().signed().replace("<saml:Subject>", "<!-- s --><saml:Subject>"))
            .is_ok()
    );
}

#[test]
fn document_types_and_entities_are_refused_before_they_are_read() {
    let good = Draft::new().signed();
    for prologue in [
        "<!DOCTYPE a>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>",
        "<!DOCTYPE a [<!ATTLIST saml:Assertion ID ID #IMPLIED>]>",
        "<?xml-stylesheet href=\"http://attacker.example\"?>",
        "<?xml version=\"1.1\"?>",
        "<?xml version=\"1.0\" encoding=\"utf-7\"?>",
    ] {
        assert!(refused(&format!("{prologue}{good}")).is_some(), "{prologue}");
    }
    assert!(verify(&format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n{good}")).is_ok());
}

#[test]
fn names_in_other_namespaces_are_other_names() {
    let good = Draft::new().signed();
    for (from, to) in [
        (SAML, "urn:oasis:names:tc:SAML:2.0:assertion "),
        (SAML, "urn:oasis:names:tc:SAML:1.0:assertion"),
        (DSIG, "http://www.w3.org/2000/09/xmldsig"),
    ] {
        assert!(refused(&good.replace(from, to)).is_some(), "{to}");
    }
    let response = response(PLAIN, "", &Draft::confirmed(DATA).signed());
    assert!(refused(&response.replace(PROTOCOL, "urn:x")).is_some());
    // A prefix bound anew between the signature's making and its reading.
    let rebound = good.replacen("<saml:Subject>", "<saml:Subject xmlns:saml=\"urn:x\">", 1);
    assert!(refused(&rebound).is_some());
}

#[test]
fn encrypted_parts_are_refused() {
    let confirmed = Draft::confirmed(DATA);
    let with = |inside: &str| response(PLAIN, "", &format!("{}{inside}", confirmed.signed()));
    for inside in [
        "<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>",
        "<x:EncryptedData xmlns:x=\"http://www.w3.org/2001/04/xmlenc#\"/>",
    ] {
        assert_eq!(refused(&with(inside)), Some(SamlRefused::Encrypted));
    }
}

#[test]
fn one_attribute_has_one_meaning() {
    let mut draft = Draft::new();
    let twice = "<saml:Attribute Name=\"role\"><saml:AttributeValue>user</saml:AttributeValue>\
        </saml:Attribute></saml:AttributeStatement>";
    draft.statements = draft.statements.replace("</saml:AttributeStatement>", twice);
    assert_eq!(refused(&draft.signed()), Some(SamlRefused::AttributeTwice));
    draft.statements = draft.statements.replace(
        "Name=\"role\"><saml:AttributeValue>user",
        "Name=\"Role\"><saml:AttributeValue>user",
    );
    assert_eq!(verify(&draft.signed()).unwrap().attribute("role"), Some("admin"));
}

#[test]
fn every_byte_of_a_signed_assertion_counts() {
    let good = Draft::new().signed();
    let honest = verify(&good).unwrap();
    for at in 0..good.len() {
        let mut changed = good.clone().into_bytes();
        changed[at] ^= 0x04;
        let Ok(text) = String::from_utf8(changed) else { continue };
        // Some spellings mean the same; then what is read is the same too.
        if let Ok(assertion) = verify(&text) {
            assert_eq!(assertion.subject(), honest.subject(), "byte {at}");
            assert_eq!(assertion.digest(), honest.digest(), "byte {at}");
            assert_eq!(assertion.expires(), honest.expires(), "byte {at}");
            assert!(assertion.attributes().eq(honest.attributes()), "byte {at}");
        }
    }
}

#[test]
fn what_is_no_base64_is_refused() {
    let keys = [KEY.public()];
    for field in ["", "<saml/>", "PD94bWw", "////", "a b c d", "%3C%3E"] {
        assert_eq!(
            verify_posted(field, &rules(&keys)).err(),
            Some(SamlRefused::Encoding),
            "{field}"
        );
    }
}
