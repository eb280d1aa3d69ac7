//! `check` and `keys`, as the command line calls them.

use std::fs;
use std::path::Path;

use superid_gateway::cli::{self, Verdict};
use superid_gateway::config;
use superid_gateway::crypto::Random;

use crate::scratch::Scratch;

const HOLDS: &str = r#"
[host.main]
origin = "https://app.example"
[host.wiki]
origin = "https://wiki.example"
post_logout_path = "/goodbye"
[relying_party.main]
environment = "sod"
client_id = "client"
client_secret = { value = "secret" }
[route.app]
upstream = "http://127.0.0.1:3000"
[session]
state_dir = "state"
keys = [{ file = "new.key" }, { file = "old.key" }, { env = "NOT_SET_ANYWHERE_HERE" }]
"#;

#[test]
fn check_lists_what_to_register() {
    let scratch = Scratch::with_secrets();
    let path = scratch.write("gateway.toml", &HOLDS.replace(KEYS, r#"{ file = "session.key" }"#));
    let (verdict, printed) = check(&path);
    assert_eq!(verdict, Verdict::Fine);
    let expected = format!(
        "{}: fine, 0 warnings\n1 listener, 2 hosts, 1 relying party, 1 route\n\n\
         Register at SuperOffice, letter by letter:\n\n\
         main: client id client in sod\n\
         \x20 redirect URL     https://app.example/auth/callback\n\
         \x20 redirect URL     https://wiki.example/auth/callback\n\
         \x20 post-logout URL  https://app.example/auth/signed_out\n\
         \x20 post-logout URL  https://wiki.example/goodbye\n",
        path.display()
    );
    assert_eq!(printed, expected);
}

#[test]
fn check_prints_every_problem_and_ends_in_one() {
    let scratch = Scratch::new();
    let path = scratch.write("gateway.toml", &HOLDS.replace("http://", "ftp://"));
    let (verdict, printed) = check(&path);
    assert_eq!(verdict, Verdict::Problems);
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 5, "{printed}");
    let start = format!("{}:12:12 route.app.upstream: ", path.display());
    assert!(lines[0].starts_with(&start), "{printed}");
    assert!(lines[1].contains("\"new.key\" does not exist; run `superid-gateway keys --config "));
    assert_eq!(lines[4], format!("{}: 4 problems, 0 warnings", path.display()));
}

#[test]
fn check_of_a_file_that_is_not_there_ends_in_two() {
    let scratch = Scratch::new();
    let (verdict, printed) = check(&scratch.folder().join("nowhere.toml"));
    assert_eq!(verdict, Verdict::Unreadable);
    assert!(printed.contains("nowhere.toml: cannot be read: "), "{printed}");
}

#[test]
fn keys_makes_what_is_missing_and_leaves_what_is_there() {
    let scratch = Scratch::new();
    let path = scratch.write("gateway.toml", HOLDS);
    let old = scratch.write("old.key", "somebody's\n");
    let new = scratch.folder().join("new.key");
    let (verdict, printed) = keys(&path);
    assert_eq!(verdict, Verdict::Fine);
    let (made, left) = (new.display(), old.display());
    assert_eq!(printed, format!("{made}: made\n{left}: there already, left as it is\n"));
    assert_eq!(fs::read_to_string(&old).unwrap(), "somebody's\n");
    let key = fs::read_to_string(&new).unwrap();
    assert_eq!(key.len(), 45);

    let (_, again) = keys(&path);
    assert_eq!(again, printed.replace(": made", ": there already, left as it is"));
    assert_eq!(fs::read_to_string(&new).unwrap(), key);
}

#[test]
fn keys_makes_keys_that_load_and_that_nobody_else_can_read() {
    let scratch = Scratch::new();
    let path = scratch.write("gateway.toml", &HOLDS.replace(KEYS, r#"{ file = "new.key" }"#));
    assert!(config::load(&path).is_err());
    keys(&path);
    let loaded = config::load(&path).unwrap();
    assert!(loaded.warnings.is_empty());
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let mode = fs::metadata(scratch.folder().join("new.key")).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn keys_makes_a_key_that_signs_where_one_is_asked_for() {
    let scratch = Scratch::with_secrets();
    let text = "[session]\nstate_dir = \"state\"\nkeys = [{ file = \"session.key\" }]\n\
        [assertion]\nkeys = [{ file = \"new.key\" }, { file = \"assertion.key\" }]\n";
    let path = scratch.write("gateway.toml", text);
    let (verdict, printed) = keys(&path);
    assert_eq!(verdict, Verdict::Fine, "{printed}");
    assert!(printed.contains("new.key: made") && printed.matches("left as it is").count() == 2);
    let pem = fs::read_to_string(scratch.folder().join("new.key")).unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert!(superid_gateway::crypto::Es256Key::read(&pem).is_ok());
}

#[test]
fn keys_reports_what_it_cannot_make_and_goes_on() {
    let scratch = Scratch::new();
    let list = r#"{ file = "no/such/folder.key" }, { file = "new.key" }"#;
    let path = scratch.write("gateway.toml", &HOLDS.replace(KEYS, list));
    let (verdict, printed) = keys(&path);
    assert_eq!(verdict, Verdict::Problems);
    assert!(printed.contains("folder.key: cannot be made: "), "{printed}");
    assert!(printed.contains("new.key: made"), "{printed}");
}

#[test]
fn keys_needs_a_list_it_can_read_and_nothing_else() {
    let scratch = Scratch::new();
    let path = scratch.write("gateway.toml", "[session]\nkeys = \"oops\"\n");
    let (verdict, printed) = keys(&path);
    assert_eq!(verdict, Verdict::Problems);
    assert!(printed.contains(":2:8 session.keys: is a string, not a list; "), "{printed}");

    let path = scratch.write("bare.toml", "[session]\nkeys = [{ file = \"k\" }]\nidle = 1\n");
    assert_eq!(keys(&path).0, Verdict::Fine);
    assert_eq!(keys(&scratch.folder().join("nowhere.toml")).0, Verdict::Unreadable);
}

#[test]
fn loading_writes_nothing() {
    let scratch = Scratch::with_secrets();
    let path = scratch.write("gateway.toml", HOLDS);
    let before = listing(scratch.folder());
    let _problems = config::load(&path);
    assert_eq!(listing(scratch.folder()), before);
}

const KEYS: &str =
    r#"{ file = "new.key" }, { file = "old.key" }, { env = "NOT_SET_ANYWHERE_HERE" }"#;

fn check(path: &Path) -> (Verdict, String) {
    let mut out = Vec::new();
    let verdict = cli::check(path, &mut out).unwrap();
    (verdict, String::from_utf8(out).unwrap())
}

fn keys(path: &Path) -> (Verdict, String) {
    let mut out = Vec::new();
    let verdict = cli::keys(path, &Random::system(), &mut out).unwrap();
    (verdict, String::from_utf8(out).unwrap())
}

fn listing(folder: &Path) -> Vec<(std::path::PathBuf, std::time::SystemTime)> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.path(), entry.metadata().unwrap().modified().unwrap()))
        .collect();
    found.sort();
    found
}
