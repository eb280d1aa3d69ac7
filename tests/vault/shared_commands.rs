//! `superid-gateway vault …` on a vault in Redis.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use crate::redis_server::RedisServer;
use crate::world::Folder;

#[test]
fn every_command_works_on_a_vault_in_redis() {
    let Some(redis) = RedisServer::start_keeping() else { return };
    let place = Place::on(&redis);
    let tokens = place.folder.path().join("tokens.jsonl");
    fs::write(&tokens, TOKENS).unwrap();
    let imported = place.call(&["import", "--from", tokens.to_str().unwrap()]);
    assert_eq!(code(&imported), 0, "{}", text(&imported));
    assert!(text(&imported).ends_with("redis.sock: 2 entries imported\n"), "{}", text(&imported));
    assert!(text(&place.call(&["list"])).ends_with("2 entries\n"));
    assert!(text(&place.call(&["show", ONE])).contains("serial          1000001\n"));
    let sealed = place.folder.path().join("sealed.jsonl");
    assert_eq!(code(&place.call(&["export", "--to", sealed.to_str().unwrap()])), 0);
    assert_eq!(code(&place.call(&["import", "--from", sealed.to_str().unwrap()])), 1);
    let again = place.call(&["import", "--replace", "--from", sealed.to_str().unwrap()]);
    assert_eq!(code(&again), 0, "{}", text(&again));
    place.keys("{ file = \"new.key\" }, { file = \"vault.key\" }");
    assert!(text(&place.call(&["rewrap"])).contains("2 entries sealed anew"));
    place.keys("{ file = \"new.key\" }");
    assert_eq!(text(&place.call(&["forget", ONE])), format!("{ONE}: forgotten\n"));
    assert_eq!(code(&place.call(&["forget", ONE])), 1);
    let verified = place.call(&["verify", "--json"]);
    assert_eq!(code(&verified), 0, "{}", text(&verified));
    let verified: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!((&verified["entries"], &verified["opened"]), (&1.into(), &1.into()));
    redis.ask(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    let verified = place.call(&["verify"]);
    assert_eq!(code(&verified), 1);
    let words = "the vault: redis may throw entries out when its memory is full";
    assert!(text(&verified).contains(words), "{}", text(&verified));
}

#[test]
fn without_redis_the_commands_say_so_and_no_list_looks_empty() {
    let Some(mut redis) = RedisServer::start_keeping() else { return };
    let place = Place::on(&redis);
    redis.kill();
    for command in ["list", "verify", "rewrap"] {
        let failed = place.call(&[command]);
        assert_eq!((code(&failed), text(&failed)), (3, String::new()), "{command}");
        let said = String::from_utf8_lossy(&failed.stderr);
        assert!(said.contains("redis.sock: the vault cannot be read or written: redis"), "{said}");
    }
}

#[test]
fn of_the_file_redis_has_to_hold_too() {
    let Some(redis) = RedisServer::start() else { return };
    let place = Place::on(&redis);
    for (table, words) in [
        ("", "vault.place: needs a server, and [redis] names none"),
        ("[redis]\nurl = \"http://x\"\n", "redis.url:"),
    ] {
        let keys = "[vault]\nplace = \"redis\"\nkeys = [{ file = \"vault.key\" }]\n";
        fs::write(&place.config, format!("{keys}{table}")).unwrap();
        let failed = place.call(&["list"]);
        assert_eq!(code(&failed), 1);
        assert!(text(&failed).contains(words), "{}", text(&failed));
    }
}

struct Place {
    folder: Folder,
    config: PathBuf,
    socket: PathBuf,
}

impl Place {
    fn on(redis: &RedisServer) -> Self {
        let folder = Folder::new();
        for (name, key) in [("vault.key", KEY), ("new.key", OTHER_KEY)] {
            fs::write(folder.path().join(name), key).unwrap();
        }
        let config = folder.path().join("gateway.toml");
        let place = Self { folder, config, socket: redis.socket() };
        place.keys("{ file = \"vault.key\" }");
        place
    }

    fn keys(&self, keys: &str) {
        let url = format!("unix://{}", self.socket.display());
        let text = format!(
            "[vault]\nplace = \"redis\"\nkeys = [{keys}]\n[redis]\nurl = {url:?}\nprefix = \"test\"\n"
        );
        fs::write(&self.config, text).unwrap();
    }

    fn call(&self, arguments: &[&str]) -> Output {
        let mut call = Command::new(env!("CARGO_BIN_EXE_superid-gateway"));
        call.args(["vault", arguments[0], "--config"]).arg(&self.config);
        call.args(&arguments[1..]).output().unwrap()
    }
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// 32 equal bytes each.
const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
const OTHER_KEY: &str = "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";
const ONE: &str = "sod/0123456789abcdef/Cust1";
const TOKENS: &str = r#"
{"environment":"sod","client_id":"0123456789abcdef","tenant":"Cust1","serial":"1000001","token":"Our App-1","consented_by":"","stored":1800000000}
{"environment":"sod","client_id":"0123456789abcdef","tenant":"Cust2","serial":"1000002","token":"Our App-2","consented_by":"","stored":1800000000}
"#;
