//! Buying a system user's ticket: what is sent in either protocol, what is believed of the answer, and
//! every way it can be refused.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use superid_gateway::clock::Timestamp;
use superid_gateway::config::{RelyingParty, SystemUser, SystemUserProtocol};
use superid_gateway::crypto::{PartnerKey, WeakKeys};
use superid_gateway::identity::{ContextId, SystemUserToken};
use superid_gateway::superid::{BoughtTicket, ClaimsRefused, Outage, TicketRefused};

use crate::double::{Double, Reply};
use crate::mint::{FIRST, SECOND, claim};
use crate::world::{NOW, World};

const TOKEN: &str = "Demo App-a1b2c3d4e5";
const SERIAL: &str = "1501052557";
const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SERVICE: &str = "http://www.superoffice.com/superid/partnersystemuser/0.1";

fn party(world: &World, protocol: SystemUserProtocol) -> RelyingParty {
    let key = include_str!("../config/partner_keys/2048.xml");
    let key = PartnerKey::read(key, None).unwrap().signing(WeakKeys::Refused).unwrap();
    let system_user = Some(Arc::new(SystemUser { key, protocol }));
    RelyingParty { system_user, ..RelyingParty::clone(&world.code) }
}

async fn buy(world: &World, protocol: SystemUserProtocol) -> Result<BoughtTicket, TicketRefused> {
    let tenant = ContextId::parse("Cust12345").unwrap();
    let token = SystemUserToken::parse(TOKEN).unwrap();
    let party = party(world, protocol);
    world.superid.buy_ticket(&party, &tenant, SERIAL, &token).await
}

fn ticket(tenant: &str) -> String {
    let text = format!("07f1eddd1de08b1acd6847169a4fb392;2087315043;{tenant}");
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    format!("7T:{}", STANDARD.encode(bytes))
}

fn claims() -> Value {
    json!({
        "sub": "Cust12345", "iss": "SuperOffice AS", "aud": format!("spn:{SERIAL}"),
        "iat": NOW, "nbf": NOW - 60, "exp": NOW + 300,
        claim("ctx"): "Cust12345", claim("serial"): SERIAL, claim("ticket"): ticket("Cust12345"),
        claim("webapi_url"): "https://sod2.superoffice.com:443/Cust12345/api/",
        claim("netserver_url"): "https://sod2.superoffice.com/Cust12345/Remote/Services88/",
    })
}

fn rest(claims: &Value) -> Reply {
    Reply::ok(
        json!({"IsSuccessful": true, "Token": FIRST.sign(claims), "ErrorMessage": null})
            .to_string(),
    )
}

fn refusal(message: &str) -> Reply {
    let refused = json!({"IsSuccessful": false, "Token": null, "ErrorMessage": message});
    Reply::ok(refused.to_string())
}

fn soap(inner: &str) -> Reply {
    Reply::ok(format!(
        "<s:Envelope xmlns:s=\"{SOAP}\"><s:Header><a:Activity xmlns:a=\"urn:x\">1</a:Activity>\
         </s:Header><s:Body><AuthenticationResponse xmlns=\"{SERVICE}\" \
         xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\">{inner}</AuthenticationResponse>\
         </s:Body></s:Envelope>"
    ))
}

#[tokio::test]
async fn rest_sends_what_superid_wants_and_brings_a_ticket() {
    let world = World::start().await;
    world.double.says("/rest", rest(&claims()));
    let bought = buy(&world, SystemUserProtocol::Rest).await.unwrap();
    assert_eq!(bought.ticket.reveal(), ticket("Cust12345"));
    assert_eq!(bought.bought, Timestamp(NOW));
    let api = "https://sod2.superoffice.com/Cust12345/api/";
    assert_eq!(bought.web_api_url.as_deref(), Some(api));
    let [request] = &world.double.asked("/rest")[..] else { panic!("asked once") };
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /rest HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert!(!head.contains("authorization"), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body.as_object().unwrap().len(), 4);
    assert_eq!(body["ApplicationToken"], "s&cret");
    assert_eq!(body["ContextIdentifier"], "Cust12345");
    assert_eq!(body["ReturnTokenType"], "JWT");
    let signed = body["SignedSystemToken"].as_str().unwrap();
    let start = format!("{TOKEN}.202311142213.");
    let signature = STANDARD.decode(signed.strip_prefix(&start).unwrap()).unwrap();
    assert_eq!(signature.len(), 256);
}

#[tokio::test]
async fn soap_sends_the_same_in_an_envelope_and_brings_a_ticket() {
    let world = World::start().await;
    let token = FIRST.sign(&claims());
    world.double.says(
        "/soap",
        soap(&format!(
            "<IsSuccessful>true</IsSuccessful><Token>{token}</Token><ErrorMessage i:nil=\"true\"/>"
        )),
    );
    let bought = buy(&world, SystemUserProtocol::Soap).await.unwrap();
    assert_eq!(bought.ticket.reveal(), ticket("Cust12345"));
    let [request] = &world.double.asked("/soap")[..] else { panic!("asked once") };
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-type: text/xml; charset=utf-8"), "{head}");
    let action = format!("soapaction: \"{SERVICE}/IPartnerSystemUserService/Authenticate\"");
    assert!(head.contains(&action), "{head}");
    assert!(body.contains("<p:ApplicationToken>s&amp;cret</p:ApplicationToken>"), "{body}");
    assert!(body.contains(&format!("<p:SignedSystemToken>{TOKEN}.202311142213.")), "{body}");
}

#[tokio::test]
async fn every_refusal_is_told_apart_in_both_protocols() {
    let world = World::start().await;
    for (message, expected) in [
        ("Authorization error: InvalidSignature (7)", "BadSignature"),
        ("Authorization error: InvalidTimestamp (6)", "BadTime"),
        ("Authorization error: Revoked (1)", "Revoked"),
        ("Unknown context identifier", "UnknownTenant"),
        ("Authorization error: Denied (4)", "Refused"),
        ("", "Refused"),
    ] {
        world.double.says("/rest", refusal(message));
        let refused = buy(&world, SystemUserProtocol::Rest).await.unwrap_err();
        assert!(format!("{refused:?}").starts_with(expected), "{refused:?}");
        world.double.says(
            "/soap",
            soap(&format!(
                "<IsSuccessful>false</IsSuccessful><ErrorMessage>{message}</ErrorMessage>"
            )),
        );
        let refused = buy(&world, SystemUserProtocol::Soap).await.unwrap_err();
        assert!(format!("{refused:?}").starts_with(expected), "{refused:?}");
    }
    let refused = TicketRefused::BadTime.to_string();
    assert!(refused.contains("check the clock"), "{refused}");
}

#[tokio::test]
async fn no_refusal_repeats_a_secret() {
    let world = World::start().await;
    for echoed in [TOKEN, "s&cret"] {
        world.double.says("/rest", refusal(&format!("cannot use {echoed} here")));
        let refused = buy(&world, SystemUserProtocol::Rest).await.unwrap_err();
        let shown = format!("{refused} {refused:?}");
        assert!(!shown.contains(echoed) && shown.contains("withheld"), "{shown}");
    }
    world.double.says("/rest", refusal(&format!("bad ticket {}", ticket("Cust12345"))));
    let refused = buy(&world, SystemUserProtocol::Rest).await.unwrap_err();
    assert!(refused.to_string().ends_with("bad ticket (...)"), "{refused}");
}

#[tokio::test]
async fn an_answer_that_is_not_the_tenants_is_not_believed() {
    let world = World::start().await;
    for (name, value, expected) in [
        ("iss".to_owned(), json!("https://superid.test"), ClaimsRefused::Issuer),
        ("aud".to_owned(), json!("spn:1"), ClaimsRefused::Audience),
        ("exp".to_owned(), json!(NOW - 61), ClaimsRefused::Expired),
        ("nbf".to_owned(), json!(NOW + 61), ClaimsRefused::NotYetValid),
        (claim("ctx"), json!("Cust1"), ClaimsRefused::WrongTenant),
        (claim("serial"), json!("1"), ClaimsRefused::Serial),
        (claim("ticket"), json!(ticket("Cust1")), ClaimsRefused::TicketOfAnother),
        (claim("ticket"), json!(null), ClaimsRefused::Ticket),
    ] {
        let mut claims = claims();
        claims[&name] = value;
        world.double.says("/rest", rest(&claims));
        match buy(&world, SystemUserProtocol::Rest).await {
            Err(TicketRefused::Untrusted(refused)) => assert_eq!(refused, expected, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    let stranger = json!({"IsSuccessful": true, "Token": SECOND.sign(&claims())});
    world.double.says("/rest", Reply::ok(stranger.to_string()));
    let refused = buy(&world, SystemUserProtocol::Rest).await;
    assert!(matches!(refused, Err(TicketRefused::Untrusted(ClaimsRefused::KeyUnknown))));
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_an_outage() {
    let world = World::start().await;
    for reply in [
        Reply::status(503, "busy"),
        Reply::status(500, r#"{"IsSuccessful":false}"#),
        Reply::ok("<html>"),
        Reply::ok("{}"),
        Reply::ok(r#"{"IsSuccessful":"true","Token":"x"}"#),
        Reply::ok(r#"{"IsSuccessful":true,"Token":""}"#),
        Reply::ok(r#"{"IsSuccessful":true,"Token":null}"#),
        Reply::ok(r#"{"IsSuccessful":true,"IsSuccessful":true,"Token":"x"}"#),
        Reply::ok(" ".repeat(65_537)),
        Reply::CutOff,
    ] {
        world.double.says("/rest", reply.clone());
        let refused = buy(&world, SystemUserProtocol::Rest).await;
        assert!(matches!(refused, Err(TicketRefused::Outage(_))), "{reply:?}: {refused:?}");
    }
    let good = "<IsSuccessful>true</IsSuccessful><Token>x</Token>";
    let Reply::Answer(_, _, whole) = soap(good) else { panic!("an answer") };
    for body in [
        whole.replace("<s:Envelope", "<!DOCTYPE s [<!ENTITY e \"x\">]><s:Envelope"),
        whole.replace(">x<", ">&e;<"),
        whole.replace(SERVICE, "urn:other"),
        whole.replace(SOAP, "http://www.w3.org/2003/05/soap-envelope"),
        whole.replace("</Token>", "</Token><Token>y</Token>"),
        whole.replace("true", "yes"),
        whole.replace("<Token>x</Token>", "<Token/>"),
        whole.replace("<IsSuccessful>", "stray<IsSuccessful>"),
        whole.replace("</s:Envelope>", ""),
        format!("{whole}<x/>"),
        format!("<s:Envelope xmlns:s=\"{SOAP}\"><s:Body><s:Fault/></s:Body></s:Envelope>"),
        String::new(),
    ] {
        world.double.says("/soap", Reply::ok(body.clone()));
        let refused = buy(&world, SystemUserProtocol::Soap).await;
        let Err(TicketRefused::Outage(outage)) = refused else { panic!("{body}: {refused:?}") };
        assert!(matches!(*outage, Outage::Unreadable), "{body}: {outage}");
    }
}

#[tokio::test]
async fn a_superid_that_does_not_answer_is_an_outage_and_no_wait_without_end() {
    let double = Double::start().await;
    double.says("/rest", Reply::Silence);
    let world = World::at(double, Duration::from_millis(50), "http");
    let refused = buy(&world, SystemUserProtocol::Rest).await;
    assert!(matches!(refused, Err(TicketRefused::Outage(_))), "{refused:?}");
}

#[tokio::test]
async fn without_a_system_user_nothing_is_asked() {
    let world = World::start().await;
    let tenant = ContextId::parse("Cust12345").unwrap();
    let token = SystemUserToken::parse(TOKEN).unwrap();
    let refused = world.superid.buy_ticket(&world.code, &tenant, SERIAL, &token).await;
    assert!(matches!(refused, Err(TicketRefused::NotConfigured)));
    assert_eq!(world.double.asked("/rest").len(), 0);
}
