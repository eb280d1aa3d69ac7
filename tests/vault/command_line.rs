//! `superid-gateway vault …`, as people and scripts call it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use superid_gateway::vault::{Entry, Telling};

use crate::world::{Folder, KEY, NOW, OTHER_KEY, entry, key, open, token, wait};

#[test]
fn a_list_and_one_entry_are_shown_without_tokens() {
    let place = Place::filled();
    wait(place.folder.vault().sleep(&key(2), NOW, Telling::Nobody)).unwrap();
    let list = place.call("list --config", "");
    assert_eq!(code(&list), 0);
    assert_eq!(
        text(&list),
        "sod/0123456789abcdef/Cust1  serial 1000001  by admin@example.com  since 2027-01-15T08:00:00Z\n\
         sod/0123456789abcdef/Cust2  serial 1000002  by admin@example.com  since 2027-01-15T08:00:00Z  \
         dormant since 2027-01-15T08:00:00Z, kept until 2027-02-14T08:00:00Z\n\
         2 entries\n"
    );
    let list: Value =
        serde_json::from_slice(&place.call("list --config", "--json").stdout).unwrap();
    assert_eq!(list["entries"][1]["dormant"], "2027-01-15T08:00:00Z");
    assert_eq!(list["entries"][0]["sealed_by"], "first key");
    let shown = place.call("show --config", ONE);
    assert_eq!(code(&shown), 0);
    assert!(text(&shown).contains("serial          1000001\n"), "{}", text(&shown));
    for printed in [text(&shown), list.to_string()] {
        assert!(!printed.contains("Our App"), "{printed}");
    }
}

#[test]
fn what_waits_to_be_told_is_listed_and_can_be_given_up() {
    let place = Place::filled();
    assert_eq!(text(&place.call("outbox --config", "")), "nothing waits to be told\n");
    wait(place.folder.vault().install(entry(3, 1), Telling::App)).unwrap();
    let listed = text(&place.call("outbox --config", ""));
    let id = listed.split(' ').next().unwrap().to_owned();
    assert_eq!(
        listed,
        format!(
            "{id}  sod/0123456789abcdef/Cust3  installed  since 2027-01-15T08:00:00Z  0 tries  \
             due 2027-01-15T08:00:00Z\n"
        )
    );
    let json: Value =
        serde_json::from_slice(&place.call("outbox --config", "--json").stdout).unwrap();
    assert_eq!(
        (&json["events"][0]["id"], &json["events"][0]["type"]),
        (&id.clone().into(), &"installed".into())
    );
    let given_up = place.call("outbox --config", &format!("--give-up {id}"));
    assert_eq!((code(&given_up), text(&given_up)), (0, format!("{id}: given up\n")));
    assert_eq!(code(&place.call("outbox --config", &format!("--give-up {id}"))), 1);
    assert_eq!(text(&place.call("outbox --config", "")), "nothing waits to be told\n");
}

#[test]
fn a_token_is_printed_only_when_asked_twice() {
    let place = Place::filled();
    for once in ["--token", "--yes-print-secrets"] {
        let shown = place.call("show --config", &format!("{ONE} {once}"));
        assert!(!text(&shown).contains("Our App"), "{once}");
    }
    assert_eq!(code(&place.call("show --config", &format!("{ONE} --token"))), 64);
    let twice = format!("{ONE} --token --yes-print-secrets");
    let shown = place.call("show --config", &twice);
    assert!(text(&shown).contains("token           Our App-1-1\n"));
    let shown = place.call("show --config", &format!("{twice} --json"));
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(shown["token"], "Our App-1-1");
    let file = place.folder.path().join("plain.jsonl");
    let plain = place.call("export --config", &format!("--to {} --plain", file.display()));
    assert_eq!(code(&plain), 64);
    assert!(!file.exists());
}

#[test]
fn what_is_exported_comes_back_on_another_machine() {
    let place = Place::filled();
    for (options, sealed) in [("", true), ("--plain --yes-print-secrets", false)] {
        let file = place.folder.path().join(format!("out-{sealed}.jsonl"));
        let exported = place.call("export --config", &format!("--to {} {options}", file.display()));
        assert_eq!(code(&exported), 0);
        let lines = fs::read_to_string(&file).unwrap();
        assert_eq!(lines.lines().count(), 2);
        assert_eq!(lines.contains("Our App"), !sealed);
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        }
        let again = place.call("export --config", &format!("--to {}", file.display()));
        assert_eq!(code(&again), 3, "a file that is there is left as it is");
        assert_eq!(fs::read_to_string(&file).unwrap(), lines);

        let other = Place::new();
        let imported = other.call("import --config", &format!("--from {}", file.display()));
        assert_eq!(code(&imported), 0, "{}", text(&imported));
        assert_eq!(token(wait(other.folder.vault().get(&key(2))).unwrap()), "Our App-2-1");
    }
}

#[test]
fn one_wrong_line_and_nothing_is_imported() {
    let place = Place::filled();
    let file = place.folder.path().join("lines.jsonl");
    place.call("export --config", &format!("--to {}", file.display()));
    let lines = fs::read_to_string(&file).unwrap();
    let first = lines.lines().next().unwrap();
    let damaged = first.replace("\"sealed\":\"A", "\"sealed\":\"B");
    fs::write(&file, format!("{lines}\nnot a line\n{first}\n{damaged}\n")).unwrap();
    let other = Place::new();
    let import = format!("--from {}", file.display());
    let refused = other.call("import --config", &import);
    assert_eq!(code(&refused), 1);
    let (printed, file) = (text(&refused), file.display());
    assert_eq!(
        printed,
        format!(
            "{file}:4: it is no line of an export, beginning at character 2\n\
             {file}:5: sod/0123456789abcdef/Cust1 is in line 1 too\n\
             {file}:6: it is damaged: it is not what was written\n\
             {file}: 3 of its lines are wrong; nothing was taken\n"
        )
    );
    assert_eq!(wait(other.folder.vault().verify()).unwrap().entries, 0);
}

#[test]
fn an_import_replaces_only_when_told_to() {
    let place = Place::filled();
    let file = place.folder.path().join("lines.jsonl");
    let import = format!("--from {}", file.display());
    place.call("export --config", &format!("--to {}", file.display()));
    wait(place.folder.vault().put(entry(1, 9))).unwrap();
    let refused = place.call("import --config", &import);
    assert_eq!(code(&refused), 1);
    assert!(text(&refused).contains(":1: sod/0123456789abcdef/Cust1 is in the vault already"));
    assert_eq!(token(wait(place.folder.vault().get(&key(1))).unwrap()), "Our App-1-9");
    assert_eq!(code(&place.call("import --config", &format!("{import} --replace"))), 0);
    assert_eq!(token(wait(place.folder.vault().get(&key(1))).unwrap()), "Our App-1-1");
}

#[test]
fn of_a_broken_file_everything_is_exported_that_can_be_read() {
    let place = Place::new();
    let entries: Vec<_> = (10..70).map(|tenant| entry(tenant, 1)).collect();
    wait(place.folder.vault().put_all(&entries)).unwrap();
    let mut bytes = place.folder.closed();
    let broken = bytes.windows(6).position(|six| six == b"Cust40").unwrap() / 4_096 * 4_096;
    bytes[broken..broken + 4_096].fill(0xff);
    fs::write(place.folder.file(), &bytes).unwrap();
    let file = place.folder.path().join("out.jsonl");
    let exported = place.call("export --config", &format!("--to {}", file.display()));
    assert_eq!(code(&exported), 1);
    assert!(text(&exported).contains("; entries may be missing\n"), "{}", text(&exported));
    let lines = fs::read_to_string(&file).unwrap();
    assert!(lines.lines().count() > 45 && lines.contains("Cust10") && lines.contains("Cust69"));
    assert_eq!(code(&place.call("list --config", "")), 1);
    assert_eq!(code(&place.call("verify --config", "")), 1);
    let refused = place.call("forget --config", "sod/0123456789abcdef/Cust10");
    assert_eq!(code(&refused), 3, "nothing is written to it");
    assert_eq!(fs::read(place.folder.file()).unwrap(), bytes);
    let other = Place::new();
    assert_eq!(code(&other.call("import --config", &format!("--from {}", file.display()))), 0);
}

#[test]
fn forgetting_is_for_one_entry_and_for_good() {
    let place = Place::filled();
    assert_eq!(text(&place.call("forget --config", ONE)), format!("{ONE}: forgotten\n"));
    let again = place.call("forget --config", ONE);
    assert_eq!((code(&again), text(&again)), (1, format!("{ONE}: there is no such entry\n")));
    assert_eq!(code(&place.call("show --config", ONE)), 1);
    assert_eq!(token(wait(place.folder.vault().get(&key(2))).unwrap()), "Our App-2-1");
    assert_eq!(code(&place.call("forget --config", "Cust1")), 64);
}

#[test]
fn who_did_what_to_the_vault_is_in_the_audit_log_and_no_token_is() {
    let mut place = Place::filled();
    let (log, file) = (place.folder.path().join("audit.log"), place.folder.path().join("out"));
    let audit = format!("[audit]\nto = \"file\"\npath = {log:?}\n");
    fs::write(&place.config, fs::read_to_string(&place.config).unwrap() + &audit).unwrap();
    let to = format!("--to {}", file.display());
    let from = format!("--replace --from {}", file.display());
    for (before, after) in [
        ("list --config", ""),
        ("show --config", ONE),
        ("show --config", &*format!("--token --yes-print-secrets {ONE}")),
        ("export --config", &*format!("--plain --yes-print-secrets {to}")),
        ("import --config", &*from),
        ("rewrap --config", ""),
        ("forget --config", ONE),
    ] {
        assert_eq!(code(&place.call(before, after)), 0, "{before} {after}");
    }
    assert_eq!(code(&place.call("forget --config", ONE)), 1, "it is gone");
    let written = fs::read_to_string(&log).unwrap();
    assert!(!written.contains("Our App"), "{written}");
    let lines: Vec<Value> =
        written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let actions: Vec<_> = lines.iter().map(|line| line["action"].as_str().unwrap()).collect();
    let expected =
        ["vault_show_token", "vault_export", "vault_import", "vault_rewrap", "vault_forget"];
    assert_eq!(actions, expected);
    let user = format!("unix:{}", rustix::process::getuid().as_raw());
    for line in &lines {
        assert_eq!((&line["event"], &line["user"]), (&"admin_action".into(), &user.clone().into()));
        assert!(line["timestamp"].is_string());
    }
    assert_eq!(lines[4]["detail"], ONE);
    assert!(lines[1]["detail"].as_str().unwrap().ends_with("2 entries, with tokens unsealed"));
    place.keys("{ file = \"vault.key\" }");
    let audit = audit.replace("audit.log", "nowhere/audit.log");
    fs::write(&place.config, fs::read_to_string(&place.config).unwrap() + &audit).unwrap();
    let other = ONE.replace("Cust1", "Cust2");
    assert_eq!(code(&place.call("forget --config", &other)), 3, "nobody would know");
    assert!(wait(place.folder.vault().get(&key(2))).unwrap().is_some());
}

#[test]
fn a_rewrap_lets_the_older_key_go() {
    let mut place = Place::filled();
    place.keys("{ file = \"new.key\" }, { file = \"vault.key\" }");
    let verified = place.call("verify --config", "");
    assert!(text(&verified).contains("2 sealed with an older key (rewrap"), "{}", text(&verified));
    let done = place.call("rewrap --config", "");
    assert_eq!(code(&done), 0);
    assert!(text(&done).ends_with("2 entries sealed anew, 0 had the first key already\n"));
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(said.starts_with("2 entries looked at\n"), "{said}");
    assert!(said.contains("vault_rewrap"), "the audit log is the standard output: {said}");
    place.keys("{ file = \"new.key\" }");
    assert_eq!(code(&place.call("verify --config", "")), 0);
    place.keys("{ file = \"vault.key\" }");
    for command in ["verify", "list", "rewrap", "show"] {
        let entry = if command == "show" { ONE } else { "" };
        let failed = place.call(&format!("{command} --config"), entry);
        assert_eq!(code(&failed), 1, "{command}");
        let words = "is sealed with a key that is not in vault.keys";
        assert!(text(&failed).contains(words), "{command}");
    }
}

#[test]
fn verify_tells_programs_too_what_is_wrong() {
    let place = Place::filled();
    let stranger = open(&place.folder.file(), &[OTHER_KEY]).unwrap();
    wait(stranger.put(entry(3, 1))).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let open = fs::Permissions::from_mode(0o644);
        fs::set_permissions(place.folder.file(), open).unwrap();
    }
    let verified = place.call("verify --config", "--json");
    assert_eq!(code(&verified), 1);
    let found: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!((&found["entries"], &found["opened"]), (&3.into(), &2.into()));
    assert_eq!(found["faults"][0]["tenant"], "Cust3");
    assert_eq!(found["faults"][1]["problem"], "other users of this machine may open it; chmod 600");
}

#[test]
fn what_a_claim_held_cannot_steer_the_terminal() {
    let place = Place::new();
    let bold = Entry { consented_by: "\u{1b}[1m\nx".to_owned(), ..entry(1, 1) };
    wait(place.folder.vault().put(bold)).unwrap();
    for (command, entry) in [("list --config", ""), ("show --config", ONE)] {
        let printed = text(&place.call(command, entry));
        assert!(printed.contains("\\u{1b}[1m\\nx") && !printed.contains('\u{1b}'), "{printed}");
    }
}

#[test]
fn only_the_vault_s_table_has_to_hold_and_each_way_to_fail_has_its_code() {
    let place = Place::new();
    let missing = place.call("list --config", "");
    assert_eq!(code(&missing), 3);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("vault.db: there is no vault yet"));
    assert!(!place.folder.file().exists());
    fs::write(place.folder.file(), "notes of somebody").unwrap();
    assert_eq!(code(&place.call("list --config", "")), 3);
    fs::write(&place.config, "[vault]\nkeys = [{ value = \"short\" }]\n").unwrap();
    assert_eq!(code(&place.call("list --config", "")), 1);
    fs::write(&place.config, "[session]\n").unwrap();
    let none = place.call("list --config", "");
    assert_eq!(code(&none), 1);
    assert!(text(&none).contains("there is no [vault]"));
    let memory = "[vault]\nkeys = [{ file = \"vault.key\" }]\nplace = \"memory\"\n";
    fs::write(&place.config, memory).unwrap();
    assert_eq!(code(&place.call("list --config", "")), 3);
    fs::remove_file(&place.config).unwrap();
    assert_eq!(code(&place.call("list --config", "")), 2);
}

#[test]
fn keys_makes_the_vault_s_keys_too() {
    let place = Place::new();
    fs::remove_file(place.folder.path().join("vault.key")).unwrap();
    let made = Command::new(PROGRAM).args(["keys", "--config"]).arg(&place.config).output();
    assert!(text(&made.unwrap()).ends_with("vault.key: made\n"));
    assert_eq!(fs::read(place.folder.path().join("vault.key")).unwrap().len(), 45);
}

/// A configuration with a vault, and with nothing else that holds.
struct Place {
    folder: Folder,
    config: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = Folder::new();
        for (name, key) in [("vault.key", KEY), ("new.key", OTHER_KEY)] {
            fs::write(folder.path().join(name), in_base64(key)).unwrap();
        }
        let mut place = Self { config: folder.path().join("gateway.toml"), folder };
        place.keys("{ file = \"vault.key\" }");
        place
    }

    fn filled() -> Self {
        let place = Self::new();
        let entries = [entry(1, 1), entry(2, 1)];
        wait(place.folder.vault().put_all(&entries)).unwrap();
        place
    }

    fn keys(&mut self, keys: &str) {
        fs::write(&self.config, format!("[vault]\nkeys = [{keys}]\n")).unwrap();
    }

    fn call(&self, before: &str, after: &str) -> Output {
        let mut call = Command::new(PROGRAM);
        call.arg("vault").args(before.split(' ')).arg(&self.config);
        call.args(after.split_whitespace()).output().unwrap()
    }
}

/// 32 equal bytes: ten groups of three, and two.
fn in_base64(key: [u8; 32]) -> &'static str {
    match key {
        KEY => "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
        _ => "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=",
    }
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_superid-gateway");
const ONE: &str = "sod/0123456789abcdef/Cust1";
