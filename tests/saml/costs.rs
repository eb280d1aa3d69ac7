//! Posts that are meant to cost: refused before a parser sees them, or soon after.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use superid_gateway::saml::{LONGEST, SamlRefused, verify_posted};

use crate::signer::{Draft, KEY, rules};

fn refused(document: &[u8]) -> Option<SamlRefused> {
    verify_posted(&STANDARD.encode(document), &rules(&[KEY.public()])).err()
}

#[test]
fn a_large_a_deep_and_an_exploding_post_are_refused_for_what_they_are() {
    let large = "A".repeat(LONGEST * 4);
    assert_eq!(refused(large.as_bytes()), Some(SamlRefused::TooLarge));
    assert_eq!(refused("<a>".repeat(20_000).as_bytes()), Some(SamlRefused::TooLarge));
    assert_eq!(refused("<a>".repeat(4_000).as_bytes()), Some(SamlRefused::Encoding));
    let mut bomb = "<!DOCTYPE a [<!ENTITY a0 \"lol\">".to_owned();
    for at in 1..10 {
        bomb += &format!("<!ENTITY a{at} \"{}\">", format!("&a{};", at - 1).repeat(10));
    }
    bomb += "]><a>&a9;</a>";
    assert_eq!(refused(bomb.as_bytes()), Some(SamlRefused::Doctype));
}

#[test]
fn the_worst_that_fits_through_the_door_is_cheap() {
    let attributes = |each: fn(usize) -> String| {
        let all: String = (0..4_000).map(each).collect();
        format!("<a{all}/>")
    };
    let deep = |inside: &str| format!("{}{inside}{}", "<a>".repeat(31), "</a>".repeat(31));
    let scopes: String = (0..1_000).map(|at| format!("<b xmlns:x{at}='u'>c</b>")).collect();
    for (name, document) in [
        ("attributes", attributes(|at| format!(" a{at}=''"))),
        ("namespaces", attributes(|at| format!(" xmlns:a{at}='u'"))),
        (
            "identifiers",
            format!(
                "<a>{}</a>",
                (0..2_000).map(|at| format!("<b ID='{at}'/>")).collect::<String>()
            ),
        ),
        ("scopes", deep(&scopes)),
        ("comments", format!("<a>{}</a>", "<!-- -->".repeat(4_090))),
        ("comments and blanks", format!("<a>{}</a>", "<!-- --> ".repeat(4_090))),
        ("prefixes", listed(30_000)),
        ("text", format!("<a>{}</a>", "&amp;".repeat(20_000))),
        ("an assertion with much in it", stuffed()),
    ] {
        assert!(document.len() <= LONGEST, "{name} is refused for its length alone");
        let before = spent();
        assert!(refused(document.as_bytes()).is_some(), "{name}");
        let spent = spent() - before;
        // Unoptimised, on a busy machine; `benches/hostile_posts` has the figures that count.
        assert!(spent < Duration::from_secs(2), "{name} took {spent:?}");
    }
}

#[test]
fn comments_without_text_cost_no_more_than_as_many_elements() {
    let many = |part: &str| format!("<a>{}</a>", part.repeat(4_090));
    let cost = |document: String| {
        let before = spent();
        assert!(refused(document.as_bytes()).is_some());
        spent() - before
    };
    let elements = cost(many("<abcde/>"));
    for part in ["<!-- -->", "<!-- --> "] {
        let comments = cost(many(part));
        assert!(comments < elements * 4, "{part:?}: {comments:?} to {elements:?}");
    }
}

#[test]
fn more_prefixes_than_any_issuer_lists_are_refused_before_the_signature_is_looked_at() {
    assert_eq!(refused(listed(32).as_bytes()), Some(SamlRefused::Signature));
    assert_eq!(refused(listed(33).as_bytes()), Some(SamlRefused::Algorithm));
}

/// Signed, then given so many prefixes to canonicalise `SignedInfo` with.
fn listed(count: usize) -> String {
    let prefixes = format!(
        "><ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" \
         PrefixList=\"{}\"></ec:InclusiveNamespaces></ds:CanonicalizationMethod>",
        "a ".repeat(count)
    );
    Draft::new().signed().replace("></ds:CanonicalizationMethod>", &prefixes)
}

/// Signed, so that every step up to the audience is paid for.
fn stuffed() -> String {
    let mut draft = Draft::new();
    let values = "<saml:AttributeValue>value</saml:AttributeValue>".repeat(1_900);
    draft.statements =
        draft.statements.replace("<saml:AttributeValue>admin</saml:AttributeValue>", &values);
    draft.issuer = "other".to_owned();
    draft.signed()
}

/// Processor time of this thread.
fn spent() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap(), u32::try_from(time.tv_nsec).unwrap())
}
