//! An administrator signs in, and the tenant's system user token is in the vault: proven, or not at all.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use superid_gateway::clock::Timestamp;
use superid_gateway::emulator::{Fault, Kind, SystemUserLie};
use superid_gateway::identity::{ContextId, SystemUserToken, TenantKey};
use superid_gateway::vault::{Entry, Vault};

use crate::legacy::LEGACY;
use crate::wire::Answer;
use crate::world::{ASTRID, JONAS, NOW, World};

/// What a gateway with system users has besides.
pub const SYSTEM_USER: &str = r#"
[environment.emulator]
system_user_url = "$SUPERID/Login/api/PartnerSystemUser/Authenticate"
tenant_state_url = "$SUPERID/api/state/{ctx}"
[relying_party.main.system_user]
key = { value = $PARTNER }
[vault]
place = "memory"
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
[job_listener.jobs]
address = "127.0.0.1:0"
hosts = ["jobs.test"]
[job_caller.nightly]
password = { value = "nightly-password-0123456789" }
tenants = ["*"]
"#;
pub const NORDLYS: &str = "Cust12345";

pub fn key() -> TenantKey {
    TenantKey {
        environment: "emulator".into(),
        client_id: "client-of-main".into(),
        tenant: ContextId::parse(NORDLYS).unwrap(),
    }
}

pub fn vault(world: &World) -> Vault {
    world.gateway.system_users().vault().unwrap().clone()
}

/// What the vault has for Nordlys, awake or asleep.
pub async fn kept(world: &World) -> Option<Entry> {
    vault(world).look(&key()).await.unwrap()
}

/// A background job's call to Nordlys.
pub async fn job(world: &World) -> Answer {
    let addresses = world.gateway.addresses();
    let (_, address) = addresses.iter().find(|(name, _)| name == "job:jobs").unwrap();
    let url = format!("http://{address}/{NORDLYS}/api/v1/Contact/1");
    let proof = BASE64_STANDARD.encode("nightly:nightly-password-0123456789");
    world.api().send("GET", &url, &format!("Authorization: Basic {proof}\r\n")).await
}

fn token(world: &World) -> String {
    world.superid.tenants().system_token("client-of-main", NORDLYS).unwrap()
}

fn granted(world: &World) -> u64 {
    world.superid.exchanges().granted("client-of-main", NORDLYS)
}

/// An entry as an older consent left it.
async fn store(world: &World, token: &str) {
    let entry = Entry {
        key: key(),
        serial: "1201052551".to_owned(),
        web_api_url: None,
        token: SystemUserToken::parse(token).unwrap(),
        consented_by: "somebody@before.example".to_owned(),
        stored: Timestamp(NOW - 1_000),
        dormant: None,
    };
    vault(world).put(entry).await.unwrap();
}

#[tokio::test]
async fn an_administrator_s_sign_in_puts_the_token_into_the_vault_in_either_flow() {
    for flow in ["", LEGACY] {
        let mut world = World::with(&joined(SYSTEM_USER, flow)).await;
        assert_eq!(job(&world).await.status, 403, "nothing is installed");
        world.signed_in(ASTRID).await;
        let entry = kept(&world).await.unwrap();
        assert_eq!(entry.token.reveal(), token(&world));
        assert_eq!((entry.serial.as_str(), entry.dormant), ("1201052551", None));
        assert_eq!((entry.consented_by.as_str(), entry.stored), (ASTRID, Timestamp(NOW)));
        assert_eq!(granted(&world), 1, "proven by an exchange before it was kept");
        world.turn_clock(3_600);
        assert_eq!(job(&world).await.status, 200);
        world.signed_in(ASTRID).await;
        assert_eq!(granted(&world), 2, "what is kept already is not proven again");
        world.reload("").unwrap();
        assert!(kept(&world).await.is_some(), "another configuration keeps it");
    }
}

#[tokio::test]
async fn a_user_s_sign_in_brings_no_token() {
    for flow in ["", LEGACY] {
        let world = World::with(&joined(SYSTEM_USER, flow)).await;
        world.signed_in(JONAS).await;
        assert!(kept(&world).await.is_none());
        assert_eq!(world.asked(Kind::SystemUser), 0);
    }
}

#[tokio::test]
async fn without_a_system_user_nothing_is_kept() {
    let nobody =
        "job_listener = \"-\"\njob_caller = \"-\"\n[relying_party.main]\nsystem_user = \"-\"";
    let world = World::with(&joined(SYSTEM_USER, nobody)).await;
    world.signed_in(ASTRID).await;
    assert_eq!(world.asked(Kind::SystemUser), 0);
}

#[tokio::test]
async fn a_token_that_is_not_proven_good_is_not_kept_and_replaces_nothing() {
    let world = World::with(SYSTEM_USER).await;
    for lie in [
        SystemUserLie::BadSignature,
        SystemUserLie::Expired,
        SystemUserLie::NoTicket,
        SystemUserLie::NoToken,
        SystemUserLie::NotYet,
        SystemUserLie::Refusal { message: "The system user token is revoked".to_owned() },
        SystemUserLie::TicketOfAnother,
        SystemUserLie::WrongAudience,
        SystemUserLie::WrongContext,
        SystemUserLie::WrongIssuer,
        SystemUserLie::WrongSerial,
    ] {
        let fault = Fault::SystemUserLie { ctx: None, lie };
        world.superid.faults().set(fault.clone());
        vault(&world).forget(&key()).await.unwrap();
        world.signed_in(ASTRID).await;
        assert!(kept(&world).await.is_none(), "{fault:?}");
        store(&world, "client-of-main-0123456789").await;
        world.signed_in(ASTRID).await;
        let entry = kept(&world).await.unwrap();
        assert_eq!(entry.token.reveal(), "client-of-main-0123456789", "{fault:?}");
        world.superid.faults().clear();
    }
    world.signed_in(ASTRID).await;
    assert_eq!(kept(&world).await.unwrap().token.reveal(), token(&world), "the truth does");
}

#[tokio::test]
async fn an_outage_of_the_exchange_keeps_the_old_token_and_lets_the_person_in() {
    let world = World::with(SYSTEM_USER).await;
    store(&world, "client-of-main-0123456789").await;
    for fault in [
        Fault::Status { endpoint: Kind::SystemUser, code: 503 },
        Fault::DropConnection { endpoint: Kind::SystemUser },
        Fault::Garbage { endpoint: Kind::SystemUser },
    ] {
        world.superid.faults().set(fault.clone());
        world.signed_in(ASTRID).await;
        let entry = kept(&world).await.unwrap();
        assert_eq!(entry.token.reveal(), "client-of-main-0123456789", "{fault:?}");
        world.superid.faults().clear();
    }
}

#[tokio::test]
async fn a_new_consent_replaces_the_token_and_background_calls_go_on() {
    let world = World::with(SYSTEM_USER).await;
    world.signed_in(ASTRID).await;
    assert_eq!(job(&world).await.status, 200);
    let old = token(&world);
    world.superid.tenants().revoke_consent("client-of-main", NORDLYS).unwrap();
    world.turn_clock(3_600);
    assert_eq!(job(&world).await.status, 403, "taken back");

    let mut browser = world.browser();
    let page = browser.open(&world.url("/")).await;
    let page = browser.pick(&page, ASTRID, "").await;
    let request = page.field("request").unwrap();
    let consent = format!("{}/login/consent", world.superid.url());
    let fields = [("request", request.as_str()), ("decision", "accept")];
    let answer = browser.submit(&page.url, &consent, &fields).await;
    assert_eq!(browser.arrive(answer).await.body, "the app");
    assert_ne!(token(&world), old);
    assert_eq!(kept(&world).await.unwrap().token.reveal(), token(&world));
    assert_eq!(job(&world).await.status, 200, "at once: the refusal is forgotten with the old one");
}

/// Two pieces of TOML that have tables in common.
pub fn joined(under: &str, over: &str) -> String {
    let mut table: toml::Table = under.replace("$PARTNER", "\"$PARTNER\"").parse().unwrap();
    crate::world::lay(&mut table, over.replace("$PARTNER", "\"$PARTNER\"").parse().unwrap());
    table.to_string().replace("\"$PARTNER\"", "$PARTNER")
}

#[tokio::test]
async fn two_sign_ins_at_once_prove_a_token_once() {
    let world = World::with(SYSTEM_USER).await;
    let _both = tokio::join!(world.signed_in(ASTRID), world.signed_in(ASTRID));
    assert!(kept(&world).await.is_some());
    assert_eq!(granted(&world), 1);
}
