//! Whatever stands in the file: no panic, a reason for each refusal, and no secret in it.

use std::fs;
use std::path::Path;

use superid_gateway::config::{self, Problems};

use crate::scratch::{Scratch, variables};

const ODD: [&str; 10] =
    ["[]", "{}", "[{}]", "[[1]]", "1", "-1.5", "true", "\"\"", "\"\\u0000/\"", "{ a = { b = 1 } }"];

#[test]
fn any_key_can_hold_any_value_and_a_refusal_says_why() {
    let scratch = Scratch::with_secrets();
    let text = reference();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
        let Some((name, _)) = line.split_once(" = ") else { continue };
        for odd in ODD {
            loads_or_says_why(&with_line(&text, index, &format!("{name} = {odd}")), &scratch);
        }
    }
}

#[test]
fn any_line_can_be_missing_or_cut_short() {
    let scratch = Scratch::with_secrets();
    let text = reference();
    for (index, line) in text.lines().enumerate() {
        loads_or_says_why(&with_line(&text, index, ""), &scratch);
        if let Some(half) = line.get(..line.len() / 2) {
            loads_or_says_why(&with_line(&text, index, half), &scratch);
        }
    }
}

#[test]
fn no_problem_shows_a_secret() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/reject");
    let texts: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| (read(&path), read(&path.with_extension("expected"))))
        .collect();
    for hidden in ["hidden", "must not be printed"] {
        assert!(texts.iter().filter(|(text, _)| text.contains(hidden)).count() > 0, "{hidden}");
        assert!(texts.iter().all(|(_, expected)| !expected.contains(hidden)), "{hidden}");
    }
}

fn loads_or_says_why(text: &str, scratch: &Scratch) {
    match config::load_text(text, "odd.toml", scratch.folder(), &variables) {
        Ok(_) => {}
        Err(Problems::Found { problems, .. }) => assert!(!problems.is_empty(), "{text}"),
        Err(problems) => panic!("{problems}"),
    }
}

fn with_line(text: &str, index: usize, changed: &str) -> String {
    let line = |(at, line)| if at == index { changed } else { line };
    text.lines().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

fn reference() -> String {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/reference.toml"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}
