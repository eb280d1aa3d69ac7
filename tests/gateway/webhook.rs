//! After an install the app is told: signed, in order, retried until it has taken each event.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use superid_gateway::clock::Timestamp;
use superid_gateway::crypto::MacKey;
use superid_gateway::emulator::{TenantChange, TenantState};
use superid_gateway::identity::{ContextId, SystemUserToken, TenantKey};
use superid_gateway::server::Running;
use superid_gateway::vault::{Entry, Telling, Vault};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::api_client::ApiClient;
use crate::installing::{NORDLYS, SYSTEM_USER, joined, kept, key, vault};
use crate::recorder::{Recorded, Recorder, Reply};
use crate::wire::PATIENCE;
use crate::world::{ASTRID, NOW, World};

/// The app listens where the world's second server is.
const WEBHOOK: &str = r#"
[relying_party.main.webhook]
url = "$LIAR/events"
secret = { value = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX" }
timeout = "1s"
"#;

async fn world(more: &str) -> World {
    World::with(&joined(&joined(SYSTEM_USER, WEBHOOK), more)).await
}

/// Waits until the app was sent so many events in all.
async fn told(world: &World, count: usize) -> Vec<Recorded> {
    timeout(PATIENCE, world.liar.hears_more_than(count - 1)).await.expect("the app is told");
    world.liar.requests()
}

/// Waits until a gateway has counted so many.
async fn counted(world: &World, gateway: &Running, name: &str, count: u64) {
    let line = format!("superid_gateway_{name} {count}\n");
    let admin = format!("http://{}/metrics", gateway.admin().unwrap());
    let api: ApiClient = world.api();
    let all = async { while !api.get(&admin).await.body.contains(&line) {} };
    timeout(PATIENCE, all).await.unwrap_or_else(|_| panic!("{line}"));
}

async fn failed(world: &World, count: u64) {
    let name = "webhook_deliveries_total{outcome=\"failed\"}";
    counted(world, &world.gateway, name, count).await;
}

async fn taken(world: &World, count: u64) {
    let name = "webhook_deliveries_total{outcome=\"taken\"}";
    counted(world, &world.gateway, name, count).await;
}

fn json(request: &Recorded) -> serde_json::Value {
    serde_json::from_str(&request.body).unwrap()
}

fn kinds(requests: &[Recorded]) -> Vec<String> {
    requests.iter().map(|one| json(one)["type"].as_str().unwrap().to_owned()).collect()
}

/// As any app verifies it.
#[track_caller]
fn is_signed(request: &Recorded, now: u64) {
    let header = |name| request.header(name).unwrap().to_owned();
    let (id, time) = (header("webhook-id"), header("webhook-timestamp"));
    let key = BASE64_STANDARD.decode("AAECAwQFBgcICQoLDA0ODxAREhMUFRYX").unwrap();
    let text = format!("{id}.{time}.{}", request.body);
    let expected = BASE64_STANDARD.encode(MacKey::new(&key).sign(&[text.as_bytes()]));
    assert_eq!(header("webhook-signature"), format!("v1,{expected}"));
    assert_eq!(time, now.to_string());
}

fn entry(tenant: &str) -> Entry {
    Entry {
        key: TenantKey { tenant: ContextId::parse(tenant).unwrap(), ..key() },
        serial: "1201052551".to_owned(),
        web_api_url: None,
        token: SystemUserToken::parse("client-of-main-0123456789").unwrap(),
        consented_by: "somebody@before.example".to_owned(),
        stored: Timestamp(NOW),
        dormant: None,
    }
}

#[tokio::test]
async fn after_an_install_the_app_is_told_once_and_the_event_is_signed_and_holds_no_secret() {
    let world = world("").await;
    world.signed_in(ASTRID).await;
    let told = told(&world, 1).await;
    let [event] = &told[..] else { panic!("{told:?}") };
    assert_eq!((event.method.as_str(), event.target.as_str()), ("POST", "/events"));
    assert_eq!(event.header("content-type"), Some("application/json"));
    is_signed(event, NOW);
    let said = json(event);
    assert_eq!(said["type"], "installed");
    assert_eq!(said["timestamp"], "2023-11-14T22:13:20Z");
    let data = serde_json::json!({
        "environment": "emulator",
        "relying_party": "main",
        "client_id": "client-of-main",
        "tenant": NORDLYS,
        "serial": "1201052551",
        "web_api_url": kept(&world).await.unwrap().web_api_url,
        "by": ASTRID,
    });
    assert_eq!(said["data"], data);
    let secret = kept(&world).await.unwrap().token;
    assert!(!format!("{event:?}").contains(secret.reveal()));
    assert!(!format!("{event:?}").contains("secret of main"));
    taken(&world, 1).await;
    world.signed_in(ASTRID).await;
    world.turn_clock(86_400);
    world.signed_in(ASTRID).await;
    assert_eq!(world.liar.requests().len(), 1, "what changes nothing is not told");
    counted(&world, &world.gateway, "webhook_events_waiting", 0).await;
}

#[tokio::test]
async fn an_app_that_does_not_take_an_event_gets_it_again_later() {
    let world = world("").await;
    let redirect = format!(
        "HTTP/1.1 307 X\r\nLocation: {}/elsewhere\r\nContent-Length: 0\r\n\r\n",
        world.app.url()
    );
    let bad = "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n".to_owned();
    world.liar.says(Reply::Bytes(bad));
    world.signed_in(ASTRID).await;
    failed(&world, 1).await;
    let others = [Reply::HangUp, Reply::Bytes(redirect), Reply::Held, Reply::Bytes(String::new())];
    let mut at = NOW;
    for (number, reply) in others.into_iter().enumerate() {
        world.liar.says(reply);
        // A fifth more than 5, 10, 20 and 40 seconds.
        let pause = 6 << number;
        world.turn_clock(pause);
        at += pause;
        failed(&world, number as u64 + 2).await;
    }
    counted(&world, &world.gateway, "webhook_events_waiting", 1).await;
    world.liar.says_with("");
    world.turn_clock(96);
    taken(&world, 1).await;
    let told = world.liar.requests();
    assert_eq!(told.len(), 6);
    is_signed(told.last().unwrap(), at + 96);
    for again in &told {
        assert_eq!(again.body, told[0].body);
        assert_eq!(again.header("webhook-id"), told[0].header("webhook-id"));
    }
    assert_eq!(world.app.requests().iter().filter(|one| one.method == "POST").count(), 0);
}

#[tokio::test]
async fn an_app_that_asks_for_more_time_gets_it_and_one_that_is_gone_is_asked_once_an_hour() {
    let world = world("").await;
    let asks = |status: &str| {
        let answer = format!("HTTP/1.1 {status}\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n");
        world.liar.says(Reply::Bytes(answer));
    };
    asks("503 Later");
    world.signed_in(ASTRID).await;
    failed(&world, 1).await;
    asks("410 Gone");
    world.turn_clock(599);
    counted(&world, &world.gateway, "webhook_oldest_event_seconds", 599).await;
    assert_eq!(world.liar.requests().len(), 1, "not before");
    world.turn_clock(121);
    let gone = "webhook_deliveries_total{outcome=\"gone\"}";
    counted(&world, &world.gateway, gone, 1).await;
    world.liar.says_with("");
    world.turn_clock(3_599);
    counted(&world, &world.gateway, "webhook_oldest_event_seconds", 600 + 120 + 3_599).await;
    assert_eq!(world.liar.requests().len(), 2, "not before");
    world.turn_clock(721);
    taken(&world, 1).await;
    assert_eq!(world.liar.requests().len(), 3, "nothing is lost");
}

/// A webhook of the world's app at this address, with more keys.
async fn world_at(url: &str, more: &str) -> World {
    let webhook = WEBHOOK.replace("$LIAR/events", url).replace("timeout = \"1s\"", more);
    World::with(&joined(SYSTEM_USER, &webhook)).await
}

/// An app with a certificate of its own for `localhost`, in a file.
async fn https_app(folder: &Folder, name: &str) -> (Recorder, String, String) {
    superid_gateway::crypto::install_provider();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let app = Recorder::behind(Some(TlsAcceptor::from(Arc::new(config)))).await;
    let file = folder.0.join(name);
    std::fs::write(&file, made.cert.pem()).unwrap();
    let url = format!("https://localhost:{}/events", app.address.port());
    (app, url, format!("ca = {file:?}"))
}

#[tokio::test]
async fn an_app_is_told_over_https_under_an_authority_of_its_own() {
    let folder = Folder::new("https");
    let (app, url, ca) = https_app(&folder, "app.pem").await;
    let world = world_at(&url, &ca).await;
    world.signed_in(ASTRID).await;
    taken(&world, 1).await;
    let told = app.last();
    assert_eq!(
        (told.target.as_str(), json(&told)["type"].as_str()),
        ("/events", Some("installed"))
    );
    assert_eq!(told.header("host"), Some(&url["https://".len()..url.len() - "/events".len()]));
    is_signed(&told, NOW);
    assert_eq!(app.handshakes()[0].name.as_deref(), Some("localhost"));
}

#[tokio::test]
async fn an_app_whose_certificate_is_not_vouched_for_is_told_nothing_until_it_is() {
    let folder = Folder::new("stranger");
    let (app, url, ca) = https_app(&folder, "app.pem").await;
    let (_other, _, others_ca) = https_app(&folder, "other.pem").await;
    let elsewhere = url.replace("localhost", "127.0.0.1");
    for (url, believed) in [(&url, &*others_ca), (&url, ""), (&elsewhere, &*ca)] {
        let world = world_at(url, believed).await;
        world.signed_in(ASTRID).await;
        failed(&world, 1).await;
        app.heard_nothing();
    }
    let mut world = world_at(&url, &others_ca).await;
    world.signed_in(ASTRID).await;
    failed(&world, 1).await;
    std::fs::copy(folder.0.join("app.pem"), folder.0.join("other.pem")).unwrap();
    world.reload("").unwrap();
    world.turn_clock(6);
    taken(&world, 1).await;
    assert_eq!(json(&app.last())["type"], "installed");
}

#[tokio::test]
async fn an_app_that_hangs_holds_up_no_other_s_events() {
    let quick = Recorder::start().await;
    let twin = format!(
        "[relying_party.twin]\nenvironment = \"emulator\"\nclient_id = \"client-of-twin\"\n\
         redirect_path = \"/twin\"\nclient_secret = {{ value = \"secret of twin\" }}\n\
         [relying_party.twin.system_user]\nkey = {{ value = $PARTNER }}\n\
         [relying_party.twin.webhook]\nurl = {:?}\n\
         secret = {{ value = \"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\" }}",
        quick.url()
    );
    let hangs = WEBHOOK.replace("\"1s\"", "\"60s\"");
    let jobs = "[job_listener.jobs]\nrelying_party = \"main\"";
    let world = World::with(&joined(&joined(&joined(SYSTEM_USER, &hangs), &twin), jobs)).await;
    world.liar.says(Reply::Held);
    let vault = vault(&world);
    for number in 0..40 {
        vault.install(entry(&format!("Cust{}", 100 + number)), Telling::App).await.unwrap();
    }
    told(&world, 1).await;
    for number in 0..20 {
        let entry = entry(&format!("Cust{}", 100 + number));
        let key = TenantKey { client_id: "client-of-twin".into(), ..entry.key.clone() };
        vault.install(Entry { key, ..entry }, Telling::App).await.unwrap();
    }
    taken(&world, 20).await;
    assert_eq!(quick.requests().len(), 20);
}

#[tokio::test]
async fn uninstalling_and_what_superoffice_says_of_a_tenant_are_told() {
    let notices = "[host.main]\nnotice_path = \"/auth/tenant_change\"\n\
                   app_pages = { uninstall = \"/uninstall\" }";
    let world = world(notices).await;
    drop(world.signed_in(ASTRID).await);
    let notice = async |change| {
        let notice = world.superid.mint().notice(NORDLYS, change).unwrap();
        let status = notice.post(&world.url("/auth/tenant_change")).await.unwrap();
        assert_eq!(status.as_u16(), 200);
    };
    world.superid.tenants().set_state(NORDLYS, TenantState::Deleted).unwrap();
    notice(TenantChange::Delete).await;
    taken(&world, 2).await;
    world.superid.tenants().set_state(NORDLYS, TenantState::Running).unwrap();
    world.turn_clock(60);
    notice(TenantChange::Resume).await;
    taken(&world, 3).await;
    // Everybody of a tenant that is deleted is signed out.
    let mut browser = world.signed_in(ASTRID).await;
    let (status, _) = crate::app_pages::confirm(&world, &mut browser, NORDLYS).await;
    assert_eq!(status, 200);
    let told = told(&world, 4).await;
    assert_eq!(kinds(&told), ["installed", "dormant", "restored", "uninstalled"]);
    let by: Vec<_> = told.iter().map(|one| json(one)["data"]["by"].clone()).collect();
    let nobody = serde_json::Value::Null;
    assert_eq!(by, [ASTRID.into(), nobody.clone(), nobody, ASTRID.into()]);
}

#[tokio::test]
async fn events_of_a_tenant_come_in_order_and_do_not_wait_for_another_s() {
    let world = world("").await;
    world.liar.says_json(503, "{}");
    let vault = vault(&world);
    vault.install(entry(NORDLYS), Telling::App).await.unwrap();
    failed(&world, 1).await;
    vault.install(entry(NORDLYS), Telling::App).await.unwrap();
    vault.uninstall(&key(), ASTRID, Telling::App).await.unwrap();
    world.liar.says_with("");
    vault.install(entry("Cust67890"), Telling::App).await.unwrap();
    taken(&world, 1).await;
    let early = world.liar.requests();
    assert_eq!(json(&early[1])["data"]["tenant"], "Cust67890");
    world.turn_clock(6);
    let told = told(&world, 5).await;
    assert_eq!(kinds(&told[2..]), ["installed", "token_replaced", "uninstalled"]);
}

/// A vault in a file of the test's own.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("superid-gateway-webhook-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn toml(&self) -> String {
        format!("[vault]\nplace = \"file\"\npath = {:?}", self.0.join("vault.db"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn what_was_not_delivered_before_a_stop_is_delivered_after_the_next_start() {
    let folder = Folder::new("restart");
    let world = world(&folder.toml()).await;
    world.liar.says(Reply::HangUp);
    world.signed_in(ASTRID).await;
    failed(&world, 1).await;
    let first = world.liar.last();
    world.liar.says_with("");
    let world = world.taken_over("").await;
    world.turn_clock(60);
    let told = told(&world, 2).await;
    assert_eq!(told[1].body, first.body);
    assert_eq!(told[1].header("webhook-id"), first.header("webhook-id"));
    taken(&world, 1).await;
}

#[tokio::test]
async fn two_gateways_over_one_vault_tell_each_event_once() {
    let folder = Folder::new("two");
    let world = world(&folder.toml()).await;
    let other = world.beside("").await;
    let vaults: [Vault; 2] = [vault(&world), other.system_users().vault().unwrap().clone()];
    for number in 0..24 {
        let tenant = format!("Cust{}", 100 + number % 12);
        vaults[number / 3 % 2].install(entry(&tenant), Telling::App).await.unwrap();
    }
    told(&world, 24).await;
    let done = async { while !vaults[0].letters().await.unwrap().is_empty() {} };
    timeout(PATIENCE, done).await.expect("all is noted as taken");
    // Who has nothing under way any more looks again after five seconds.
    world.turn_clock(5);
    for gateway in [&world.gateway, &other] {
        counted(&world, gateway, "webhook_events_waiting", 0).await;
    }
    let told = world.liar.requests();
    assert_eq!(told.len(), 24, "none twice");
    let mut tenants: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in &told {
        let said = json(one);
        let tenant = said["data"]["tenant"].as_str().unwrap().to_owned();
        tenants.entry(tenant).or_default().push(said["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(tenants.len(), 12);
    assert!(tenants.values().all(|kinds| kinds == &["installed", "token_replaced"]));
}

#[tokio::test]
async fn without_a_webhook_nothing_is_kept_to_be_told() {
    let world = World::with(SYSTEM_USER).await;
    world.signed_in(ASTRID).await;
    assert!(kept(&world).await.is_some());
    assert!(vault(&world).letters().await.unwrap().is_empty());
}
