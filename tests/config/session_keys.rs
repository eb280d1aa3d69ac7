//! `keys list`, `rotate`, `retire` and `revoke`, as the command line calls them.

use std::fs;
use std::path::Path;

use superid_gateway::cli::{self, SessionKeyCommand, Verdict};
use superid_gateway::clock::Timestamp;
use superid_gateway::crypto::{KeyList, Random};

use crate::scratch::Scratch;

const FILE: &str = "[session]\nkeys = [{ file = \"k.key\" }]\nabsolute = \"8h\"\n";
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
const NOW: u64 = 1_700_000_000;

fn asked(command: &SessionKeyCommand, now: u64) -> (Verdict, String) {
    let (random, mut out) = (Random::system(), Vec::new());
    let verdict = cli::session_keys(command, (&random, Timestamp(now)), &mut out).unwrap();
    (verdict, String::from_utf8(out).unwrap())
}

fn rotate(path: &Path, now: u64) -> String {
    let (verdict, told) = asked(&SessionKeyCommand::Rotate { config: path.to_owned() }, now);
    assert_eq!(verdict, Verdict::Fine, "{told}");
    told
}

fn list(path: &Path, now: u64) -> Vec<String> {
    let (verdict, told) = asked(&SessionKeyCommand::List { config: path.to_owned() }, now);
    assert_eq!(verdict, Verdict::Fine, "{told}");
    told.lines().map(str::to_owned).collect()
}

#[test]
fn a_rotation_in_two_turns_signs_nobody_out_and_says_when_the_old_key_may_go() {
    let scratch = Scratch::new();
    let (path, file) = (scratch.write("gateway.toml", FILE), scratch.write("k.key", KEY));
    let before = list(&path, NOW);
    let old = before[0].strip_suffix("  seals").unwrap().to_owned();
    assert!(rotate(&path, NOW).contains("it opens, and seals nothing yet"));
    let known = list(&path, NOW);
    assert_eq!(known[0], before[0]);
    let new = known[1].strip_suffix("  opens, and seals after the next turn").unwrap();
    let told = rotate(&path, NOW);
    assert!(told.contains(&format!("{new} seals from now on, and {old} opens")), "{told}");
    assert!(told.contains(&format!("{old} may go in 8 h 0 min")), "{told}");
    let turned = list(&path, NOW + 7 * 3_600);
    assert_eq!(turned[0], format!("{new}  seals"));
    assert_eq!(turned[1], format!("{old}  old: opens what it sealed, and may go in 1 h 0 min"));

    let retire = SessionKeyCommand::Retire { config: path.clone() };
    assert!(asked(&retire, NOW + 7 * 3_600).1.contains("no key may go yet"));
    assert_eq!(KeyList::read(&fs::read_to_string(&file).unwrap()).unwrap().keys().count(), 2);
    assert!(list(&path, NOW + 8 * 3_600)[1].contains("may go, `keys retire` takes it out"));
    assert!(asked(&retire, NOW + 8 * 3_600).1.contains(&format!("took out {old}")));
    assert_eq!(list(&path, NOW), [format!("{new}  seals")]);
}

#[test]
fn one_gateway_alone_takes_both_turns_at_once() {
    let scratch = Scratch::new();
    let path = scratch.write("gateway.toml", &format!("{FILE}replicas = 1\n"));
    scratch.write("k.key", KEY);
    assert!(rotate(&path, NOW).contains("nobody is signed out"));
    assert_eq!(list(&path, NOW).len(), 2);
}

#[test]
fn a_key_is_revoked_by_its_name_and_the_file_stays_its_owners() {
    let scratch = Scratch::new();
    let (path, file) = (scratch.write("gateway.toml", FILE), scratch.write("k.key", KEY));
    #[cfg(unix)]
    let mode = {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        || fs::metadata(&file).unwrap().permissions().mode() & 0o777
    };
    let name = list(&path, NOW)[0][..8].to_owned();
    let revoke = |name: &str| {
        asked(&SessionKeyCommand::Revoke { name: name.to_owned(), config: path.clone() }, NOW)
    };
    for odd in ["", "nobody", "9f86d08", "+f86d081", "9f86d0811"] {
        assert_eq!(revoke(odd).0, Verdict::Problems, "{odd}");
    }
    let (verdict, told) = revoke(&name);
    assert_eq!(verdict, Verdict::Fine);
    assert!(told.contains(&format!("{name} is revoked.")) && told.contains("seals instead"));
    let after = list(&path, NOW);
    assert!(after[0].ends_with("  seals") && !after[0].starts_with(&name));
    assert_eq!(after[1], format!("{name}  revoked: its sessions are over"));
    #[cfg(unix)]
    assert_eq!(mode(), 0o640);
}

#[test]
fn what_is_no_file_of_keys_is_left_as_it_is() {
    let scratch = Scratch::new();
    let inline = format!("[session]\nkeys = [{{ value = {:?} }}]\n", KEY.trim());
    for (config, key, told) in [
        (inline.as_str(), KEY, "names no file"),
        (FILE, "oops!\n", "is not base64"),
        (FILE, "next oops\n", "holds 3 bytes, not 32"),
        (FILE, "# nothing\n", "holds no key that seals"),
        ("[session]\n", KEY, "session.keys"),
    ] {
        let path = scratch.write("gateway.toml", config);
        let file = scratch.write("k.key", key);
        let (verdict, said) = asked(&SessionKeyCommand::Rotate { config: path }, NOW);
        assert_eq!(verdict, Verdict::Problems);
        assert!(said.contains(told), "{said}");
        assert_eq!(fs::read_to_string(file).unwrap(), key);
    }
}
