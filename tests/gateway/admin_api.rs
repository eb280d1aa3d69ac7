//! The admin API of a running gateway: who may ask, what is listed, what ends, and what is written down.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use superid_gateway::config::LineForm;
use superid_gateway::telemetry::{AuditLog, Outlet, Writer};
use tokio::process::Command;

use crate::installing::NORDLYS;
use crate::paper::Paper;
use crate::redis_server::RedisServer;
use crate::schema;
use crate::world::{ASTRID, JONAS, World};

const TOKEN: &str = "a-credential-of-the-admin-api-for-tests";
const API: &str = "[admin]\ntokens = [{ value = \"a-credential-of-the-admin-api-for-tests\" }]\n\
    [route.app]\npresent = \"nothing\"\n";
const MEMORY: &str = "[session]\nstore = \"memory\"\n";

/// Whoever has the credential of a gateway.
struct Admin<'w>(&'w World);

impl Admin<'_> {
    async fn asks(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.brings(&format!("Authorization: Bearer {TOKEN}\r\n"), method, path, body).await
    }

    /// The answer, which is always what the document says of it.
    async fn brings(&self, proof: &str, method: &str, path: &str, body: &str) -> (u16, Value) {
        let admin = self.0.gateway.admin().unwrap().to_string();
        let length = format!("Content-Length: {}\r\n", body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: admin\r\n{proof}{length}Connection: close\r\n\r\n{body}"
        );
        let answer = self.0.net.ask(&admin, head.as_bytes()).await.unwrap();
        let told: Value = serde_json::from_str(&answer.body).unwrap();
        schema::holds(method, path, answer.status, &told);
        if answer.status == 401 {
            assert!(answer.header("www-authenticate").starts_with("Bearer "), "{answer:?}");
        }
        (answer.status, told)
    }

    async fn lists(&self, query: &str) -> Vec<(String, String)> {
        let (status, told) = self.asks("GET", &format!("/v1/sessions?{query}"), "").await;
        assert_eq!(status, 200, "{told}");
        let text = |session: &Value, name: &str| session[name].as_str().unwrap().to_owned();
        let each = told["sessions"].as_array().unwrap().iter();
        each.map(|one| (text(one, "id"), text(one, "person"))).collect()
    }

    async fn revokes(&self, what: &Value) {
        let (status, told) = self.asks("POST", "/v1/revocations", &what.to_string()).await;
        assert_eq!((status, &told["everywhere"]), (200, &json!(true)), "{told}");
    }
}

async fn with(more: &str) -> World {
    World::with(&format!("{API}{more}")).await
}

#[tokio::test]
async fn a_tenants_people_are_listed_page_by_page_and_ended_one_by_one() {
    let world = with(MEMORY).await;
    let admin = Admin(&world);
    let mut astrid = world.signed_in(ASTRID).await;
    let mut jonas = world.signed_in(JONAS).await;
    let all = admin.lists(&format!("tenant={NORDLYS}")).await;
    let people: Vec<&str> = all.iter().map(|(_, person)| person.as_str()).collect();
    assert!(people.len() == 2 && people.contains(&ASTRID) && people.contains(&JONAS), "{all:?}");
    assert!(admin.lists("tenant=Cust9").await.is_empty());
    // Page by page it is the same.
    let first = format!("/v1/sessions?tenant={NORDLYS}&limit=1");
    let (_, page) = admin.asks("GET", &first, "").await;
    let next = page["next"].as_str().unwrap().to_owned();
    let (_, last) = admin.asks("GET", &format!("{first}&after={next}"), "").await;
    let ids = [&page, &last].map(|page| page["sessions"][0]["id"].clone());
    assert_eq!(ids[..], [json!(all[0].0), json!(all[1].0)]);
    assert_eq!(last["next"], Value::Null);
    let upper = ASTRID.to_uppercase();
    let (id, _) = admin.lists(&format!("person={upper}&authority=emulator")).await.remove(0);
    let (status, told) = admin.asks("DELETE", &format!("/v1/sessions/{id}"), "").await;
    assert_eq!((status, &told["revoked"]), (200, &json!("session")), "{told}");
    assert_eq!(astrid.visit(&world.url("/orders")).await.status, 303, "ended");
    assert_eq!(jonas.visit(&world.url("/orders")).await.status, 200);
    let (status, _) = admin.asks("DELETE", &format!("/v1/sessions/{id}"), "").await;
    assert_eq!(status, 404, "there is none of this id any more");
    // What is past its time is no living session.
    world.turn_clock(3_601);
    assert!(admin.lists(&format!("tenant={NORDLYS}")).await.is_empty());
}

#[tokio::test]
async fn a_persons_and_a_tenants_sessions_end_where_they_are_in_cookies_too() {
    for store in ["", MEMORY] {
        let world = with(store).await;
        let admin = Admin(&world);
        let mut astrid = world.signed_in(ASTRID).await;
        let mut copy = astrid.clone();
        let mut jonas = world.signed_in(JONAS).await;
        let person = json!({ "what": "person", "person": ASTRID, "tenant": NORDLYS });
        admin.revokes(&person).await;
        for browser in [&mut astrid, &mut copy] {
            assert_eq!(browser.visit(&world.url("/orders")).await.status, 303, "{store}");
        }
        assert_eq!(jonas.visit(&world.url("/orders")).await.status, 200);
        world.turn_clock(10);
        let mut again = world.signed_in(ASTRID).await;
        assert_eq!(
            again.visit(&world.url("/orders")).await.status,
            200,
            "a new one is none of them"
        );
        admin
            .revokes(&json!({ "what": "tenant", "tenant": NORDLYS, "authority": "emulator" }))
            .await;
        for browser in [&mut again, &mut jonas] {
            assert_eq!(browser.visit(&world.url("/orders")).await.status, 303, "{store}");
        }
        if !store.is_empty() {
            assert!(admin.lists(&format!("tenant={NORDLYS}")).await.is_empty());
        }
    }
}

#[tokio::test]
async fn cookies_are_listed_by_nobody_and_what_is_wrong_is_said() {
    let world = with("").await;
    let admin = Admin(&world);
    let (status, told) = admin.asks("GET", &format!("/v1/sessions?tenant={NORDLYS}"), "").await;
    assert_eq!((status, &told["error"]), (409, &json!("not_listed")));
    assert!(told["message"].as_str().unwrap().contains("/v1/revocations"), "{told}");
    let large = " ".repeat(20_000);
    let everything = json!({ "what": "everything", "tenant": NORDLYS }).to_string();
    let nobodys = json!({ "what": "tenant", "tenant": NORDLYS, "authority": "x" }).to_string();
    for (method, path, body, status) in [
        ("GET", "/v1/sessions", "", 400),
        ("GET", "/v1/sessions?tenant=Cust1&limit=201", "", 400),
        ("GET", "/v1/tenants?after=x", "", 400),
        ("POST", "/v1/revocations", "{}", 400),
        ("POST", "/v1/revocations", &everything, 400),
        ("POST", "/v1/revocations", &nobodys, 400),
        ("POST", "/v1/revocations", &large, 413),
        ("PUT", "/v1/sessions", "", 405),
        ("GET", "/v1/session", "", 404),
    ] {
        let (answered, told) = admin.asks(method, path, body).await;
        assert_eq!(answered, status, "{method} {path} {told}");
    }
    let mut astrid = world.signed_in(ASTRID).await;
    assert_eq!(astrid.visit(&world.url("/orders")).await.status, 200, "nobody was ended");
}

#[tokio::test]
async fn nothing_is_told_without_the_credential_and_who_guesses_has_to_wait() {
    let world = with("").await;
    let admin = Admin(&world);
    let paths = [
        ("GET", "/v1/sessions?tenant=Cust1"),
        ("GET", "/v1/tenants"),
        ("POST", "/v1/revocations"),
        ("DELETE", "/v1/sessions/AAAAAAAAAAAAAAAAAAAAAA"),
        ("GET", "/v1/nothing"),
    ];
    for (method, path) in paths {
        for proof in ["", "Authorization: Bearer wrong\r\n"] {
            assert_eq!(admin.brings(proof, method, path, "").await.0, 401, "{method} {path}");
        }
    }
    let (status, told) = admin.asks("GET", "/v1/tenants", "").await;
    assert_eq!((status, &told["error"]), (429, &json!("too_many_failures")));
    assert_eq!(admin.brings("", "GET", "/v1/openapi.json", "").await.0, 200, "that is no secret");
    world.turn_clock(60);
    assert_eq!(admin.asks("GET", "/v1/tenants", "").await.0, 200);
    let off = World::new().await;
    let (status, told) = Admin(&off).asks("GET", "/v1/tenants", "").await;
    assert_eq!((status, &told["error"]), (404, &json!("admin_api_off")));
}

#[tokio::test]
async fn everything_is_written_down_and_never_a_credential() {
    let paper = Paper::default();
    let (outlet, writer): (_, Writer) = Outlet::to("audit", LineForm::Json, paper.clone());
    let world = World::audited(API, AuditLog::through(outlet)).await;
    let admin = Admin(&world);
    admin.revokes(&json!({ "what": "person", "person": ASTRID })).await;
    admin.asks("GET", "/v1/tenants?tenant=Cust1", "").await;
    admin.asks("GET", "/v1/sessions?tenant=Cust1", "").await;
    admin.brings("Authorization: Bearer guessed-at\r\n", "POST", "/v1/revocations", "{}").await;
    world.gateway.stop().await;
    drop(writer);
    let lines = paper.lines();
    let told: Vec<String> = lines
        .iter()
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
            assert_eq!(
                (text("event"), text("client")),
                ("admin_action".into(), "127.0.0.1".into())
            );
            assert!(line["request_id"].is_string() && line["server"].is_string(), "{line}");
            let user = text("user").starts_with("token:");
            format!(
                "{} {} {user} {} {}",
                text("action"),
                text("outcome"),
                text("reason"),
                text("detail")
            )
        })
        .collect();
    let person = format!("revoke success true - person {ASTRID}");
    assert_eq!(told[..2], [person, "list_tenants success true - tenant Cust1".to_owned()]);
    assert!(told[2].starts_with("list_sessions refused true not_listed "), "{told:?}");
    assert!(told[3].starts_with("revoke refused false not_authenticated "), "{told:?}");
    assert_eq!(told.len(), 4);
    let all = format!("{lines:?}");
    assert!(!all.contains(TOKEN) && !all.contains("guessed-at"), "{all}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_of_all_replicas_are_listed_from_redis_whichever_is_asked() {
    let Some(redis) = RedisServer::start() else { return };
    let socket = redis.socket();
    let shared =
        format!("[session]\nstore = \"redis\"\n[redis]\nurl = \"unix://{}\"\n", socket.display());
    let world = with(&shared).await;
    let admin = Admin(&world);
    let mut jonas = world.signed_in(JONAS).await;
    // From here on the browsers meet the other one.
    let _other = world.beside("").await;
    let mut astrid = world.signed_in(ASTRID).await;
    let begun = Instant::now();
    let query = format!("tenant={NORDLYS}");
    while admin.lists(&query).await.len() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(5), "not listed");
    }
    let first = format!("/v1/sessions?{query}&limit=1");
    let (_, page) = admin.asks("GET", &first, "").await;
    let next = page["next"].as_str().unwrap().to_owned();
    let (_, rest) = admin.asks("GET", &format!("{first}&after={next}"), "").await;
    assert_ne!(page["sessions"][0]["person"], rest["sessions"][0]["person"]);
    let (id, _) = admin.lists(&format!("person={ASTRID}&tenant={NORDLYS}")).await.remove(0);
    assert_eq!(admin.asks("DELETE", &format!("/v1/sessions/{id}"), "").await.0, 200);
    let ended = Instant::now();
    while astrid.visit(&world.url("/orders")).await.status == 200 {
        assert!(ended.elapsed() < Duration::from_secs(5), "the other has not noticed");
    }
    println!("the other noticed after {:?}", ended.elapsed());
    assert_eq!(jonas.visit(&world.url("/orders")).await.status, 200);
    let left = admin.lists(&query).await;
    assert_eq!(left.iter().map(|(_, person)| person.as_str()).collect::<Vec<_>>(), [JONAS]);
}

#[tokio::test]
async fn the_commands_list_and_end_and_say_what_is_wrong() {
    let world = with(MEMORY).await;
    let mut astrid = world.signed_in(ASTRID).await;
    let address = world.gateway.admin().unwrap().to_string();
    let folder = std::env::temp_dir().join(format!("superid-admin-api-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("admin.token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let run = async |arguments: &[&str]| {
        let asked = Command::new(env!("CARGO_BIN_EXE_superid-gateway"))
            .args(arguments)
            .args(["--admin", &address, "--token-file", file.to_str().unwrap()])
            .output()
            .await
            .unwrap();
        let text = String::from_utf8([asked.stdout, asked.stderr].concat()).unwrap();
        (asked.status.code().unwrap(), text)
    };
    let (code, text) = run(&["sessions", "list", "--tenant", NORDLYS]).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains(ASTRID) && text.contains("\n1 session\n"), "{text}");
    let (code, text) = run(&["sessions", "list"]).await;
    assert!(code == 1 && text.contains("name a tenant"), "{code} {text}");
    let (code, text) = run(&["tenants"]).await;
    assert!(code == 0 && text.contains("0 tenants"), "{code} {text}");
    let (code, text) = run(&["sessions", "end", "--person", ASTRID]).await;
    assert_eq!((code, text.as_str()), (0, "ended\n"));
    assert_eq!(astrid.visit(&world.url("/orders")).await.status, 303);
    std::fs::write(&file, "wrong-and-yet-as-long-as-it-has-to-be").unwrap();
    let (code, text) = run(&["tenants"]).await;
    assert!(code == 1 && text.contains("none of admin.tokens"), "{code} {text}");
    std::fs::remove_dir_all(&folder).unwrap();
}
