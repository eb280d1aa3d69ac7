//! `keys inspect` and `keys convert`, as the command line calls them.

use std::fs;
use std::path::{Path, PathBuf};

use superid_gateway::cli::{self, Conversion, Form, KeySource, PartnerKeyCommand, Verdict};
use superid_gateway::crypto::PartnerKey;

use crate::scratch::Scratch;

fn source(key: PathBuf) -> KeySource {
    KeySource { key, passphrase_file: None, passphrase_env: None }
}

fn run(command: &PartnerKeyCommand) -> (Verdict, String) {
    let mut printed = Vec::new();
    let verdict = cli::partner_keys(command, &mut printed).unwrap();
    (verdict, String::from_utf8(printed).unwrap())
}

fn inspect(key: PathBuf) -> (Verdict, String) {
    run(&PartnerKeyCommand::Inspect(source(key)))
}

fn read(path: &Path) -> PartnerKey {
    PartnerKey::read(&fs::read_to_string(path).unwrap(), None).unwrap()
}

#[test]
fn inspect_tells_what_a_key_is_and_never_the_key() {
    let scratch = Scratch::with_secrets();
    let path = scratch.folder().join("partner-key.xml");
    let (verdict, printed) = inspect(path.clone());
    assert_eq!(verdict, Verdict::Fine);
    let expected = format!(
        "{}: an RSA private key\n  form         RSAKeyValue XML\n  bits         2048\n\
         \x20 fingerprint  sha256 {}\n  signs        yes\n",
        path.display(),
        read(&path).fingerprint()
    );
    assert_eq!(printed, expected);
}

#[test]
fn inspect_warns_of_a_weak_key() {
    let scratch = Scratch::with_secrets();
    let (verdict, printed) = inspect(scratch.folder().join("weak.xml"));
    assert_eq!(verdict, Verdict::Fine);
    assert!(printed.contains("bits         1024\n"), "{printed}");
    assert!(printed.contains("warning: 1024 bits are too few to trust; "), "{printed}");
    let signs = match cfg!(feature = "weak-partner-keys") {
        true => "signs        only with weak_key = \"accepted\"\n",
        false => "signs        not in this build, which takes 2,048 bits and more\n",
    };
    assert!(printed.contains(signs), "{printed}");
}

#[test]
fn inspect_says_what_is_wrong_with_a_key() {
    let scratch = Scratch::with_secrets();
    let good = fs::read_to_string(scratch.folder().join("partner-key.xml")).unwrap();
    let (before, after) = good.split_once("<P>").unwrap();
    let digit = if after.as_bytes()[8] == b'A' { "B" } else { "A" };
    let bent = format!("{before}<P>{}{digit}{}", &after[..8], &after[9..]);
    for (text, verdict, expected) in [
        ("hello", Verdict::Problems, "is neither PEM nor RSAKeyValue XML; use the key as"),
        (&bent, Verdict::Problems, "signs        never: its numbers do not belong together"),
        (&good.replace("<P>", "<p>"), Verdict::Problems, "is damaged"),
    ] {
        let path = scratch.write("bad.xml", text);
        let (found, printed) = inspect(path);
        assert_eq!(found, verdict, "{printed}");
        assert!(printed.contains(expected), "{printed}");
    }
    let (verdict, printed) = inspect(scratch.folder().join("nowhere.xml"));
    assert_eq!(verdict, Verdict::Unreadable, "{printed}");
}

#[test]
fn convert_writes_each_form_for_the_owner_alone() {
    let scratch = Scratch::with_secrets();
    let from = scratch.folder().join("partner-key.xml");
    for (to, begin) in [
        (Form::Pem, "-----BEGIN PRIVATE KEY-----\n"),
        (Form::Pkcs1, "-----BEGIN RSA PRIVATE KEY-----\n"),
        (Form::Xml, "<RSAKeyValue><Modulus>"),
    ] {
        let out = scratch.folder().join(format!("{to:?}"));
        let conversion =
            Conversion { source: source(from.clone()), to, out: out.clone(), overwrite: false };
        let (verdict, printed) = run(&PartnerKeyCommand::Convert(conversion));
        assert_eq!(verdict, Verdict::Fine, "{printed}");
        let text = fs::read_to_string(&out).unwrap();
        assert!(text.starts_with(begin), "{to:?}");
        assert_eq!(read(&out).fingerprint(), read(&from).fingerprint());
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            assert_eq!(fs::metadata(&out).unwrap().mode() & 0o777, 0o600);
        }
    }
}

#[test]
fn convert_replaces_nothing_unless_told() {
    let scratch = Scratch::with_secrets();
    let out = scratch.write("out.pem", "somebody's\n");
    let mut conversion = Conversion {
        source: source(scratch.folder().join("partner-key.xml")),
        to: Form::Pem,
        out: out.clone(),
        overwrite: false,
    };
    let command = PartnerKeyCommand::Convert(conversion);
    let (verdict, printed) = run(&command);
    assert_eq!(verdict, Verdict::Problems);
    assert!(printed.contains("there already, left as it is"), "{printed}");
    assert_eq!(fs::read_to_string(&out).unwrap(), "somebody's\n");
    conversion = match command {
        PartnerKeyCommand::Convert(conversion) => conversion,
        PartnerKeyCommand::Inspect(_) => unreachable!(),
    };
    conversion.overwrite = true;
    assert_eq!(run(&PartnerKeyCommand::Convert(conversion)).0, Verdict::Fine);
    assert_eq!(read(&out).bits(), 2048);
    assert!(!scratch.folder().join("out.pem.new").exists());
}

#[test]
fn a_pass_phrase_comes_from_a_file_or_a_variable_and_is_never_asked_for() {
    let scratch = Scratch::with_secrets();
    let mut source = source(scratch.folder().join("partner-key.pem"));
    let (verdict, printed) = inspect(source.key.clone());
    assert_eq!(verdict, Verdict::Problems);
    assert!(printed.contains("is encrypted, and there is no pass phrase for it"), "{printed}");
    source.passphrase_file = Some(scratch.write("wrong", "hallo\n"));
    let command = PartnerKeyCommand::Inspect(source);
    let (_, printed) = run(&command);
    assert!(printed.contains("does not open with the pass phrase given"), "{printed}");
    let PartnerKeyCommand::Inspect(mut source) = command else { unreachable!() };
    source.passphrase_file = Some(scratch.write("right", "hello\n"));
    let command = PartnerKeyCommand::Inspect(source);
    let (verdict, printed) = run(&command);
    assert_eq!(verdict, Verdict::Fine);
    assert!(printed.contains("form         PEM, PKCS#8, encrypted\n"), "{printed}");
    let PartnerKeyCommand::Inspect(mut source) = command else { unreachable!() };
    source.passphrase_file = None;
    source.passphrase_env = Some("NOT_SET_ANYWHERE_HERE".to_owned());
    let (verdict, printed) = run(&PartnerKeyCommand::Inspect(source));
    assert_eq!(verdict, Verdict::Problems);
    assert_eq!(
        printed,
        "the environment variable NOT_SET_ANYWHERE_HERE is not set; \
                         set NOT_SET_ANYWHERE_HERE\n"
    );
}
