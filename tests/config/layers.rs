//! Several files and the environment over them: which counts, what is refused, and what is shown.

use std::fs;
use std::process::{Command, Output};

use superid_gateway::config::{self, Given, Loaded, Problems};

use crate::scratch::{KEY, Scratch, variables};

const HOLDS: &str = r#"
[host.main]
origin = "https://app.example"
[relying_party.main]
environment = "sod"
client_id = "client"
client_secret = { env = "SUPERID_CLIENT_SECRET" }
[route.my-app]
upstream = "http://127.0.0.1:3000"
[session]
keys = [{ file = "session.key" }]
"#;

/// Everything a sidecar needs, without a file.
const ALONE: [(&str, &str); 8] = [
    ("SUPERID_GATEWAY__HOST__MAIN__ORIGIN", "https://app.example"),
    ("SUPERID_GATEWAY__RELYING_PARTY__MAIN__ENVIRONMENT", "sod"),
    ("SUPERID_GATEWAY__RELYING_PARTY__MAIN__CLIENT_ID", "1234"),
    ("SUPERID_GATEWAY__RELYING_PARTY__MAIN__CLIENT_SECRET", "not to be seen\n"),
    ("SUPERID_GATEWAY__ROUTE__APP__UPSTREAM", "http://127.0.0.1:3000"),
    ("SUPERID_GATEWAY__SESSION__IDLE", "2h"),
    ("SUPERID_GATEWAY__SESSION__KEYS", KEY),
    ("SUPERID_GATEWAY__SESSION__STATE_DIR", "state"),
];

fn given(scratch: &Scratch, files: &[(&str, &str)], variables: &[(&str, &str)]) -> Given {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    Given {
        name: if files.is_empty() { "the environment" } else { "conf.d" }.to_owned(),
        base: scratch.folder().to_owned(),
        files: files.iter().map(owned).collect(),
        variables: variables.iter().map(owned).collect(),
    }
}

/// What is loaded, or every problem.
fn loaded(files: &[(&str, &str)], said: &[(&str, &str)]) -> Result<Loaded, String> {
    let scratch = Scratch::with_secrets();
    let given = given(&scratch, files, said);
    config::load_given(&given, &variables).map_err(|problems| problems.to_string())
}

fn refused(files: &[(&str, &str)], said: &[(&str, &str)]) -> String {
    loaded(files, said).expect_err("it does not hold")
}

#[test]
fn the_environment_alone_is_a_whole_configuration() {
    let Loaded { settings, warnings } = loaded(&[], &ALONE).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(settings.hosts[0].name, "main");
    assert_eq!(settings.session.idle, 7200);
    let party = &settings.relying_parties[0];
    assert_eq!(party.client_id, "1234", "a string, whatever it looks like");
    assert_eq!(
        party.client_secret.as_ref().unwrap().reveal(),
        "not to be seen",
        "without the line's end"
    );
    assert_eq!(settings.routes[0].name, "app");
}

#[test]
fn the_environment_counts_more_than_a_file() {
    let said = [
        ("SUPERID_GATEWAY__LIMITS__COOKIE_BYTES", "9000"),
        ("SUPERID_GATEWAY__LIMITS__MAX_REQUESTS", "77"),
        ("SUPERID_GATEWAY__LOG__ACCESS", "false"),
        ("SUPERID_GATEWAY__RELYING_PARTY__MAIN__CLIENT_SECRET_FILE", "client-secret.txt"),
        ("SUPERID_GATEWAY__ROUTE__MY_APP__UPSTREAM", "http://127.0.0.1:4000"),
    ];
    let text = format!("{HOLDS}[log]\naccess = true\n[limits]\nmax_requests = 5\n");
    let settings = loaded(&[("gateway.toml", &text)], &said).unwrap().settings;
    assert_eq!((settings.limits.crowd.requests, settings.log.access), (77, false));
    assert_eq!(settings.limits.cookie_bytes, 9000);
    assert_eq!(settings.relying_parties[0].client_secret.as_ref().unwrap().reveal(), "secret");
    let route = &settings.routes[0];
    assert_eq!((route.name.as_str(), settings.routes.len()), ("my-app", 1), "- is _ there");
    let server = &route.upstream.app().unwrap().servers.each[0];
    assert!(server.to_string().ends_with(":4000"), "{server}");
}

#[test]
fn files_are_one_and_a_key_stands_in_one_of_them() {
    let more = "[route.other]\npath = \"/other\"\nupstream = \"http://127.0.0.1:3001\"\n\
                [route.my-app.headers]\nuser = \"X-User\"\n";
    let files = [("10.toml", HOLDS), ("20.toml", more)];
    let settings = loaded(&files, &[]).unwrap().settings;
    assert_eq!(settings.routes.len(), 2);

    let twice = "\n[route.my-app]\nupstream = \"http://127.0.0.1:1\"\n\
                 [relying_party.main]\nclient_secret = { file = \"client-secret.txt\" }\n";
    assert_eq!(
        refused(&[("10.toml", HOLDS), ("20.toml", twice)], &[]),
        "20.toml:3:12 route.my-app.upstream: stands in 10.toml:9 too; leave one of them out\n\
         20.toml:5:17 relying_party.main.client_secret: stands in 10.toml:7 too; leave one of them out"
    );
}

#[test]
fn a_problem_names_its_file_or_its_variable() {
    let files = [("10.toml", HOLDS), ("20.toml", "[log]\nlevel = \"loud\"\n")];
    let said = [
        ("SUPERID_GATEWAY__LIMITS__IDLE_TIMEOUT", "soon"),
        ("SUPERID_GATEWAY__LIMITS__MAX_REQUESTS", "-1"),
        ("SUPERID_GATEWAY__SESSION__KEYS_FILE", "missing.key"),
    ];
    let told = refused(&files, &said);
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("20.toml:2:9 log.level: \"loud\" is not a choice"), "{told}");
    assert!(
        lines[1].starts_with(
            "SUPERID_GATEWAY__LIMITS__IDLE_TIMEOUT limits.idle_timeout: \"soon\" is not a time"
        ),
        "{told}"
    );
    assert!(
        lines[2].starts_with(
            "SUPERID_GATEWAY__LIMITS__MAX_REQUESTS limits.max_requests: is a string, not a whole"
        ),
        "{told}"
    );
    assert!(
        lines[3].starts_with(
            "SUPERID_GATEWAY__SESSION__KEYS_FILE session.keys.file: \"missing.key\" does not"
        ),
        "{told}"
    );
    assert_eq!(lines.len(), 4, "{told}");
}

#[test]
fn a_variable_that_means_nothing_is_a_problem() {
    let tangled =
        format!("{HOLDS}[route.my_app]\npath = \"/x\"\nupstream = \"http://127.0.0.1:1\"\n");
    for (name, value, told) in [
        ("LOGG__LEVEL", "info", "logg: is not a known key; did you mean SUPERID_GATEWAY__LOG?"),
        (
            "ROUTE__MY_APP__UPSTRAEM",
            "http://127.0.0.1:1",
            "route.my-app.upstraem: is not a known key; \
             did you mean SUPERID_GATEWAY__ROUTE__MY_APP__UPSTREAM?",
        ),
        ("LOG", "info", "log: is a table; name one of its keys: SUPERID_GATEWAY__LOG__KEY"),
        ("LOG__LEVEL__X", "info", "log.level: is no table; leave out what follows it"),
        (
            "LOG__LEVEL_FILE",
            "info",
            "log.level_file: is not a known key; \
             see docs/configuration.md, or take it out of the environment",
        ),
        (
            "HOST__MAIN__RELYING_PARTIES",
            "main,other",
            "host.main.relying_parties: is a list of one from the environment; \
             write several in a file",
        ),
    ] {
        let name = format!("SUPERID_GATEWAY__{name}");
        let found = refused(&[("gateway.toml", HOLDS)], &[(&name, value)]);
        assert_eq!(found, format!("{name} {told}"));
    }
    let twice = [
        ("SUPERID_GATEWAY__RELYING_PARTY__MAIN__CLIENT_SECRET", "a"),
        ("SUPERID_GATEWAY__RELYING_PARTY__MAIN__CLIENT_SECRET_FILE", "client-secret.txt"),
    ];
    let found = refused(&[("gateway.toml", HOLDS)], &twice);
    assert!(found.contains("CLIENT_SECRET says it too; leave one of them out"), "{found}");
    let upstream = [("SUPERID_GATEWAY__ROUTE__MY_APP__UPSTREAM", "http://127.0.0.1:4000")];
    let found = refused(&[("gateway.toml", &tangled)], &upstream);
    assert!(found.contains("route: could be my-app or my_app"), "{found}");
}

#[test]
fn a_secret_comes_from_systemd_too() {
    let scratch = Scratch::with_secrets();
    let text = HOLDS.replace("{ env = \"SUPERID_CLIENT_SECRET\" }", "{ credential = \"superid\" }");
    let given = given(&scratch, &[("gateway.toml", &text)], &[]);
    let folder = scratch.folder().join("credentials");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("superid"), "from systemd\n").unwrap();
    let with =
        |name: &str| (name == "CREDENTIALS_DIRECTORY").then(|| folder.to_str().unwrap().to_owned());
    let settings = config::load_given(&given, &with).unwrap().settings;
    assert_eq!(
        settings.relying_parties[0].client_secret.as_ref().unwrap().reveal(),
        "from systemd"
    );
    let told = config::load_given(&given, &|_| None).unwrap_err().to_string();
    assert!(told.contains("the credential superid is asked for, and there are none"), "{told}");
    let outside = text.replace("\"superid\"", "\"../session.key\"");
    let given = Given { files: vec![("gateway.toml".to_owned(), outside)], ..given };
    let told = config::load_given(&given, &with).unwrap_err().to_string();
    assert!(told.contains("\"../session.key\" is no credential's name"), "{told}");
}

#[test]
fn what_is_shown_says_where_it_comes_from_and_no_secret() {
    let scratch = Scratch::with_secrets();
    let vault = format!("[vault]\nkeys = [{{ value = {KEY:?} }}]\nplace = \"memory\"\n");
    let hook = "[relying_party.main]\nsystem_user = { key = { file = \"partner-key.xml\" } }\n\
                [relying_party.main.webhook]\nurl = \"https://hooks.example/x?token=unseen\"\n\
                secret = { value = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\" }\n\
                [acme.company]\ndirectory = \"https://acme.example/\"\nagree_to_terms = true\n\
                external_account_id = \"kid-1\"\n\
                external_account_key = { value = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\" }\n";
    let files = [("10.toml", HOLDS), ("20.toml", vault.as_str()), ("30.toml", hook)];
    let said = [
        ("SUPERID_GATEWAY__LOG__LEVEL", "warn"),
        ("SUPERID_GATEWAY__RELYING_PARTY__MAIN__CLIENT_SECRET", "not to be seen"),
    ];
    let given = given(&scratch, &files, &said);
    let shown = config::show(&given, &variables).unwrap();
    for line in [
        "[listener.web]",
        "address = \"127.0.0.1:8080\"  # default",
        "[route.my-app]",
        "upstream = \"http://127.0.0.1:3000\"  # 10.toml:9",
        "keys = [{ file = \"session.key\" }]  # 10.toml:11",
        "keys = [{ value = \"(secret)\" }]  # 20.toml:2",
        "level = \"warn\"  # SUPERID_GATEWAY__LOG__LEVEL",
        "url = \"https://hooks.example/x?(secret)\"  # 30.toml:4",
        "client_secret = \"(secret)\"  # SUPERID_GATEWAY__RELYING_PARTY__MAIN__CLIENT_SECRET",
        "external_account_key = { value = \"(secret)\" }  # 30.toml:10",
        "idle = \"1h\"  # default",
        "ticket = \"SOTicket\"  # default",
        "max_connections = 20000  # default",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\nis not in\n{shown}");
    }
    assert!(!shown.contains("unseen") && !shown.contains("AAECAwQF"), "{shown}");
    assert!(!shown.contains(KEY) && !shown.contains("not to be seen"), "{shown}");
    assert!(!shown.contains("[redis]"), "what nobody asked for is not in force");
    let table: toml::Table = shown.parse().unwrap();
    assert_eq!(table["session"]["absolute"].as_str(), Some("8h"));
}

#[test]
fn a_folder_is_read_in_order_of_name_and_nothing_else_in_it() {
    let scratch = Scratch::with_secrets();
    let empty = Given::read(scratch.folder()).unwrap_err();
    assert!(matches!(empty, Problems::Unreadable { .. }), "{empty}");
    scratch.write("20.toml", "");
    scratch.write("10.toml", HOLDS);
    scratch.write("30.toml.bak", "not TOML");
    scratch.write(".40.toml", "not TOML");
    let given = Given::read(scratch.folder()).unwrap();
    let names: Vec<&str> = given.files.iter().map(|(name, _)| &name[name.len() - 7..]).collect();
    assert_eq!(names, ["10.toml", "20.toml"]);
    assert_eq!(given.base, scratch.folder(), "where relative paths begin");
}

/// The program itself, with these variables and no others of ours.
fn program(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_superid-gateway"));
    command.args(arguments).env("SUPERID_CLIENT_SECRET", "secret");
    command.envs(variables.iter().copied()).output().unwrap()
}

#[test]
fn the_program_takes_files_and_then_its_own_environment() {
    let scratch = Scratch::with_secrets();
    scratch.write("10.toml", HOLDS);
    scratch.write("20.toml", "[limits]\nidle_timeout = \"20s\"\nmax_requests = 20\n");
    let folder = scratch.folder().to_str().unwrap();
    let said = [("SUPERID_GATEWAY__LIMITS__IDLE_TIMEOUT", "30s")];
    let shown = program(&["config", "show", "--config", folder], &said);
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success(), "{text}");
    assert!(
        text.contains("idle_timeout = \"30s\"  # SUPERID_GATEWAY__LIMITS__IDLE_TIMEOUT\n"),
        "{text}"
    );
    assert!(text.contains(&format!("max_requests = 20  # {folder}/20.toml:3\n")), "{text}");

    let checked = program(&["check", "--show"], &ALONE);
    let text = String::from_utf8(checked.stdout).unwrap();
    assert!(checked.status.success(), "{text}");
    assert!(text.starts_with("the environment: fine, 0 warnings\n"), "{text}");
    assert!(text.contains("idle = \"2h\"  # SUPERID_GATEWAY__SESSION__IDLE\n"), "{text}");

    let unset = program(&["check"], &[]);
    let text = String::from_utf8(unset.stdout).unwrap();
    assert_eq!(unset.status.code(), Some(2), "{text}");
    assert!(text.contains("name a file by --config"), "{text}");

    let wrong = program(&["config", "show"], &[("SUPERID_GATEWAY__LOGG__LEVEL", "info")]);
    let text = String::from_utf8(wrong.stdout).unwrap();
    assert_eq!(wrong.status.code(), Some(1), "{text}");
    assert!(text.contains("SUPERID_GATEWAY__LOGG__LEVEL logg: is not a known key"), "{text}");
}
