//! Our SOAP request against the contract SuperOffice published for its PartnerSystemUser service.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;
use superid_gateway::clock::{Clock, Timestamp};
use superid_gateway::config;
use superid_gateway::identity::{ContextId, SystemUserToken};
use superid_gateway::superid::SuperId;
use superid_gateway::telemetry::SuperIdCalls;

use crate::published::{folder, text};

/// An element with its namespace, its attributes and where it stands.
struct Element {
    path: Vec<String>,
    namespace: String,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Element {
    fn name(&self) -> &str {
        self.path.last().unwrap()
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn is_in(&self, parents: &[&str]) -> bool {
        let above = &self.path[..self.path.len() - 1];
        above.len() >= parents.len() && above[above.len() - parents.len()..] == *parents
    }
}

#[tokio::test]
async fn the_soap_request_is_what_the_published_contract_wants() {
    let Some(folder) = folder() else { return };
    let contract = elements(&text(&folder.join("wsdl/PartnerSystemUserService.xml")));
    let (head, body) = sent().await;
    let request = elements(&body);

    let namespace = contract[0].attribute("targetNamespace").unwrap();
    let action = contract
        .iter()
        .find_map(|element| element.attribute("soapAction"))
        .expect("the contract names an action");
    assert!(head.contains(&format!("soapaction: \"{action}\"\r\n")), "{head}");
    assert!(head.contains("content-type: text/xml; charset=utf-8\r\n"), "{head}");

    // The first binding's header parts and the request's members, each in its order.
    let operation = ["binding", "operation", "input"];
    let mut parts: Vec<&str> = contract
        .iter()
        .filter(|element| element.name() == "header" && element.is_in(&operation))
        .filter_map(|element| element.attribute("part"))
        .collect();
    parts.truncate(2);
    assert_eq!(names(&request, &["Envelope", "Header"]), parts);
    assert_eq!(names(&request, &["Envelope", "Body"]), ["AuthenticationRequest"]);
    let members: Vec<&str> = within(&contract, "AuthenticationRequest", "element");
    assert_eq!(members, ["SignedSystemToken", "ReturnTokenType"]);
    assert_eq!(names(&request, &["Body", "AuthenticationRequest"]), members);

    for element in &request {
        let envelope = ["Envelope", "Header", "Body"].contains(&element.name());
        let expected =
            if envelope { "http://schemas.xmlsoap.org/soap/envelope/" } else { namespace };
        assert_eq!(element.namespace, expected, "{:?}", element.path);
    }
    let kinds = within(&contract, "TokenType", "enumeration");
    assert_eq!(kinds, ["Jwt", "Saml"]);
    let told = |name| request.iter().find(|element| element.name() == name).unwrap().text.clone();
    assert_eq!(told("ReturnTokenType"), "Jwt");
    assert_eq!(told("ContextIdentifier"), "Cust12345");
    assert_eq!(told("ApplicationToken"), "s<e&c>ret");
    assert!(told("SignedSystemToken").starts_with("Demo App-a1b2.202311142213."));
}

/// The names of the elements right below these.
fn names<'e>(elements: &'e [Element], parents: &[&str]) -> Vec<&'e str> {
    let below = elements.iter().filter(|element| element.is_in(parents));
    below.map(Element::name).collect()
}

/// The names or values that the schema has below the element or type of this name.
fn within<'e>(contract: &'e [Element], owner: &str, kind: &str) -> Vec<&'e str> {
    let begin = contract
        .iter()
        .position(|element| element.attribute("name") == Some(owner) && element.is_in(&["schema"]))
        .expect("the contract has it");
    let depth = contract[begin].path.len();
    contract[begin + 1..]
        .iter()
        .take_while(|element| element.path.len() > depth)
        .filter(|element| element.name() == kind)
        .filter_map(|element| element.attribute("name").or(element.attribute("value")))
        .collect()
}

fn elements(xml: &str) -> Vec<Element> {
    let mut reader = NsReader::from_str(xml);
    let (mut path, mut open, mut found) = (Vec::new(), Vec::new(), Vec::<Element>::new());
    loop {
        let (namespace, event) = reader.read_resolved_event().unwrap();
        let namespace = match namespace {
            ResolveResult::Bound(namespace) => namespace.0.to_owned(),
            _ => String::new(),
        };
        match event {
            Event::Start(start) => {
                path.push(local(&start));
                open.push(found.len());
                found.push(element(&path, namespace, &start));
            }
            Event::Empty(start) => {
                path.push(local(&start));
                found.push(element(&path, namespace, &start));
                path.pop();
            }
            Event::End(_) => {
                path.pop();
                open.pop();
            }
            Event::Text(text) => {
                if let Some(at) = open.last() {
                    found[*at].text.push_str(&text);
                }
            }
            Event::GeneralRef(named) => {
                let letter = match &*named {
                    "amp" => '&',
                    "gt" => '>',
                    "lt" => '<',
                    other => panic!("{other}"),
                };
                found[*open.last().unwrap()].text.push(letter);
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

fn element(path: &[String], namespace: String, start: &BytesStart<'_>) -> Element {
    let attributes = start.attributes().map(|attribute| {
        let attribute = attribute.unwrap();
        (attribute.key.as_ref().to_owned(), attribute.value.to_string())
    });
    let attributes = attributes.collect();
    Element { path: path.to_vec(), namespace, attributes, text: String::new() }
}

fn local(start: &BytesStart<'_>) -> String {
    start.local_name().as_ref().to_owned()
}

/// Head and body of what is sent when a ticket is bought by SOAP.
async fn sent() -> (String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        while !request.ends_with(b"</s:Envelope>") {
            let read = stream.read(&mut buffer).unwrap();
            assert!(read > 0, "{}", String::from_utf8_lossy(&request));
            request.extend_from_slice(&buffer[..read]);
        }
        stream.write_all(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n").unwrap();
        String::from_utf8(request).unwrap()
    });
    let base = format!("http://{address}");
    let key = include_str!("../config/partner_keys/2048.xml");
    let text = CONFIGURATION.replace("BASE", &base).replace("KEY", key);
    let loaded = config::load_text(&text, "gateway.toml", Path::new(""), &|_| None);
    let settings = loaded.unwrap_or_else(|problems| panic!("{problems}")).settings;
    let clock = Clock::manual(Timestamp(1_700_000_000));
    let superid = Arc::new(SuperId::new(&settings, clock, &SuperIdCalls::default(), None));
    let tenant = ContextId::parse("Cust12345").unwrap();
    let token = SystemUserToken::parse("Demo App-a1b2").unwrap();
    let party = &settings.relying_parties[0];
    assert!(superid.buy_ticket(party, &tenant, "1501052557", &token).await.is_err());
    let request = server.join().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    (format!("{head}\r\n"), body.to_owned())
}

const CONFIGURATION: &str = r#"
[host.main]
origin = "https://app.example"
[relying_party.main]
environment = "custom"
client_id = "client"
client_secret = { value = "s<e&c>ret" }
[relying_party.main.system_user]
protocol = "soap"
key = { value = '''KEY''' }
[route.app]
upstream = "http://127.0.0.1:3000"
[session]
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
[environment.custom]
issuer = "BASE"
authorize_url = "BASE/authorize"
tenant_authorize_url = "BASE/{ctx}/authorize"
token_url = "BASE/tokens"
jwks_url = "BASE/jwks"
logout_url = "BASE/logout"
legacy_login_url = "BASE/login/"
system_user_soap_url = "BASE/soap"
tenant_state_url = "BASE/state/{ctx}"
addresses = ["BASE"]
"#;
