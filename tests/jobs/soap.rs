//! SOAP calls, with the credential in HTTP's headers or in the envelope's.

use bytes::Bytes;
use http::Method;

use crate::client::Answer;
use crate::world::{NORDLYS, World, nightly};

const ENVELOPE: &str = "[job_listener.jobs]\nsoap_credentials = \"envelope\"";
const PATH: &str = "/Cust12345/Remote/Services88/Contact.svc";

/// A call whose SOAP header is `header`.
fn call(header: &str, padding: usize) -> String {
    let padding = "x".repeat(padding);
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">{header}<s:Body>\
         <GetContactEntity xmlns=\"http://www.superoffice.net/ws/crm/NetServer/Services88\">\
         <ContactEntityId>1</ContactEntityId><Note>{padding}</Note></GetContactEntity>\
         </s:Body></s:Envelope>"
    )
}

async fn posted(world: &World, body: String) -> Answer {
    let action =
        "\"http://www.superoffice.net/ws/crm/NetServer/Services88/Contact/GetContactEntity\"";
    let headers = [
        ("authorization", &*nightly()),
        ("content-type", "text/xml; charset=utf-8"),
        ("soapaction", action),
    ];
    world.program().send(Method::POST, PATH, &headers, Bytes::from(body)).await
}

fn succeeded(answer: &Answer) -> bool {
    let text = String::from_utf8_lossy(&answer.body).to_ascii_lowercase();
    assert_eq!(answer.told(), (200, ""), "{text}");
    text.contains(">true</")
}

#[tokio::test]
async fn an_envelope_gets_the_credentials_it_lacks() {
    let world = World::with(ENVELOPE).await;
    let forged = "<s:Header><ApplicationToken>forged</ApplicationToken>\
                  <Credentials><Ticket>7T:forged</Ticket></Credentials></s:Header>";
    for header in ["", "<s:Header/>", "<s:Header></s:Header>", forged] {
        for padding in [0, 30_000] {
            let answer = posted(&world, call(header, padding)).await;
            assert!(succeeded(&answer), "{header}: {:?}", answer.body);
        }
    }
    assert_eq!(world.exchanges(NORDLYS), 1);
    world.assert_nothing_astray();
}

#[tokio::test]
async fn without_being_asked_the_envelope_is_left_alone() {
    let world = World::new().await;
    let answer = posted(&world, call("", 0)).await;
    assert!(!succeeded(&answer), "the emulated service looks into the envelope alone");
    world.assert_nothing_astray();
}

#[tokio::test]
async fn what_is_no_envelope_does_not_reach_the_tenant() {
    let world = World::with(ENVELOPE).await;
    let endless = format!("<Envelope><Header>{}", "<a/>".repeat(40_000));
    for body in ["{}".to_owned(), "<a/>".to_owned(), String::new(), endless] {
        let answer = posted(&world, body.clone()).await;
        assert_eq!(answer.told(), (400, "no_envelope"), "{}", body.len());
    }
    assert_eq!(world.superid.tenants().calls(NORDLYS), 0);
}
