//! The contract at `?wsdl` says what SuperOffice's says.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::browser::Browser;
use crate::partner::scene;

#[tokio::test]
async fn it_is_served_with_its_own_address() {
    let scene = scene().await;
    let service = "/login/services/PartnerSystemUserService.svc";
    let page = Browser::new().get(&scene.url(&format!("{service}?WSDL"))).await;
    assert!(page.header("content-type").starts_with("text/xml"));
    let location = format!("location=\"{}\"", scene.url(service));
    assert!(page.body.contains(&location), "{}", page.body);
    assert!(Browser::new().get(&scene.url(service)).await.body.contains("?wsdl"));
}

#[tokio::test]
async fn it_agrees_with_the_published_one() {
    let Some(published) = published() else { return };
    let scene = scene().await;
    let url = scene.url("/login/services/PartnerSystemUserService.svc?wsdl");
    let ours = statements(&Browser::new().get(&url).await.body);
    let theirs = statements(&std::fs::read_to_string(published).unwrap());
    let invented: Vec<_> = ours.difference(&theirs).collect();
    assert!(invented.is_empty(), "{invented:?}");
    // Theirs says more: .NET's own types, a second port for TLS, WS-Addressing, and an element of
    // the type of tokens that no message uses.
    let ours_alone = theirs.difference(&ours).filter(|fact| !fact.contains("TokenType"));
    let missing: Vec<_> = ours_alone.collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// What a caller's code depends on, as one line each: elements and their types, values, messages'
/// parts, actions, headers, namespace.
fn statements(text: &str) -> BTreeSet<String> {
    let mut reader = Reader::from_str(text);
    let mut facts = BTreeSet::new();
    let mut ours = true;
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return facts,
            Event::Start(tag) | Event::Empty(tag) => {
                let name = tag.local_name().as_ref().to_owned();
                if name == "schema" {
                    ours = attribute(&tag, "targetNamespace").contains("partnersystemuser");
                }
                if !ours && matches!(name.as_str(), "element" | "enumeration") {
                    continue;
                }
                let wanted: &[&str] = match name.as_str() {
                    "definitions" | "schema" => &["targetNamespace"],
                    "element" => &["name", "type", "nillable", "minOccurs"],
                    "enumeration" => &["value"],
                    "part" => &["name", "element"],
                    "header" => &["message", "part", "use"],
                    "portType" => &["name"],
                    "operation" => &["name", "soapAction", "style"],
                    _ => continue,
                };
                let values: Vec<_> = wanted.iter().map(|name| attribute(&tag, name)).collect();
                facts.insert(format!("{name} {}", values.join(" ")));
            }
            _ => {}
        }
        facts.remove("schema http://schemas.microsoft.com/2003/10/Serialization/");
    }
}

/// An attribute's value; of a name with a prefix what follows the prefix.
fn attribute(tag: &BytesStart<'_>, name: &str) -> String {
    let found = tag.try_get_attribute(name).unwrap();
    let value = found.map(|one| one.value.into_owned());
    let value = value.unwrap_or_default();
    match value.contains("//") {
        true => value,
        false => value.rsplit(':').next().unwrap_or_default().to_owned(),
    }
}

/// The published contract, in `SUPERID_VECTORS` or beside the project; its absence is said aloud.
fn published() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    let folder = std::env::var_os("SUPERID_VECTORS").map_or_else(beside, PathBuf::from);
    let file = folder.join("wsdl/PartnerSystemUserService.xml");
    if file.is_file() {
        return Some(file);
    }
    let must = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!must, "no published contract at {}", file.display());
    let place = file.display();
    let _said = writeln!(std::io::stderr(), "SKIPPED: no published contract at {place}");
    None
}
