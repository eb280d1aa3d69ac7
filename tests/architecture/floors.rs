//! A module uses only what is on a floor below it, or inside its own folder.

use std::collections::BTreeSet;

use crate::references::Target;
use crate::tree::{Problem, Tree};

/// Where a top-level module of `src/` stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Floor {
    /// Imports nothing of ours, and only the one named imports it.
    Apart {
        only_for: &'static str,
    },
    On(u8),
}

/// The whole house, ground floor first.
pub const FLOORS: &[(&str, Floor)] = &[
    ("clock", Floor::On(0)),
    ("crypto", Floor::On(0)),
    ("identity", Floor::On(1)),
    ("web", Floor::On(1)),
    ("back_channel", Floor::On(1)),
    ("config", Floor::On(2)),
    ("telemetry", Floor::On(3)),
    ("redis_link", Floor::On(3)),
    ("saml", Floor::On(3)),
    ("admission", Floor::On(3)),
    ("session", Floor::On(4)),
    ("superid", Floor::On(4)),
    ("vault", Floor::On(4)),
    ("acme", Floor::On(5)),
    ("oidc", Floor::On(5)),
    ("assertion", Floor::On(5)),
    ("authn", Floor::On(5)),
    ("limits", Floor::On(5)),
    ("routing", Floor::On(5)),
    ("tenants", Floor::On(5)),
    ("webhook", Floor::On(5)),
    ("upstreams", Floor::On(5)),
    ("ws_federation", Floor::On(5)),
    ("credentials", Floor::On(6)),
    ("pages", Floor::On(6)),
    ("signin", Floor::On(6)),
    ("gateway", Floor::On(7)),
    ("server", Floor::On(8)),
    ("cli", Floor::On(9)),
    // A double that borrows its subject's parser can only agree with its mistakes.
    ("emulator", Floor::Apart { only_for: "cli" }),
    ("lib", Floor::On(10)),
    ("main", Floor::On(10)),
];

/// Every import that does not lead downwards.
pub fn imports_lead_downwards(tree: &Tree, floors: &[(&str, Floor)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in &tree.files {
        for reference in &file.references {
            let Target::Ours(path) = &reference.target else { continue };
            let Some(to) = path.first() else { continue };
            // The library's root declares the modules; that is no import.
            if file.path == "lib.rs" && path.len() == 1 {
                continue;
            }
            if let Err(text) = may_import(file.top(), to, floors) {
                problems.push(file.problem(reference.line, text));
            }
        }
    }
    problems
}

/// Every difference between the table and the top level of the tree.
pub fn table_is_the_house(tree: &Tree, floors: &[(&str, Floor)]) -> Vec<Problem> {
    let there: BTreeSet<_> = tree.files.iter().map(|file| file.top()).collect();
    let listed: BTreeSet<_> = floors.iter().map(|(name, _)| *name).collect();
    let problem = |name: &&str, text: &str| Problem {
        path: (*name).to_owned(),
        line: 1,
        text: format!("`{name}` {text}"),
    };
    let unlisted = there
        .difference(&listed)
        .map(|name| problem(name, "has no floor; give it one in tests/architecture/floors.rs"));
    let missing = listed.difference(&there).map(|name| {
        problem(name, "is in the table of floors but not in src; take it out of the table")
    });
    unlisted.chain(missing).collect()
}

fn may_import(from: &str, to: &str, floors: &[(&str, Floor)]) -> Result<(), String> {
    if from == to {
        return Ok(());
    }
    let floor = |name: &str| floors.iter().find(|(listed, _)| *listed == name).map(|row| row.1);
    match (floor(from), floor(to)) {
        (_, None) => Err(format!("`{to}` is no module with a floor; import it from its module")),
        // `table_is_the_house` says so, once for the whole module.
        (None, Some(_)) => Ok(()),
        (Some(Floor::Apart { .. }), Some(_)) => {
            Err(format!("`{from}` imports nothing of ours, but here `{to}`; write its own"))
        }
        (Some(Floor::On(_)), Some(Floor::Apart { only_for })) if from == only_for => Ok(()),
        (Some(Floor::On(_)), Some(Floor::Apart { only_for })) => {
            Err(format!("only `{only_for}` imports `{to}`; hand the thing in from there"))
        }
        (Some(Floor::On(here)), Some(Floor::On(there))) if there < here => Ok(()),
        (Some(Floor::On(here)), Some(Floor::On(there))) => Err(format!(
            "`{from}` (floor {here}) imports `{to}` (floor {there}); imports lead only downwards: \
             move what is needed to a lower floor, or hand it in as an argument"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &[(&str, Floor)] = &[
        ("low", Floor::On(0)),
        ("left", Floor::On(1)),
        ("right", Floor::On(1)),
        ("double", Floor::Apart { only_for: "right" }),
    ];

    fn problems_of(path: &str, text: &str) -> Vec<usize> {
        let tree = Tree::of(&[(path, text)]);
        imports_lead_downwards(&tree, SMALL).iter().map(|problem| problem.line).collect()
    }

    #[test]
    fn down_and_inside_are_fine() {
        assert!(problems_of("left/a.rs", "use crate::low::X; use super::b::Y;").is_empty());
        assert!(
            problems_of("left/a.rs", "fn f() -> crate::low::X { crate::left::b() }").is_empty()
        );
        assert!(problems_of("right/a.rs", "use crate::double::X;").is_empty());
    }

    #[test]
    fn up_and_beside_are_found_in_every_spelling() {
        for text in [
            "use crate::left::X;",
            "use crate::{low::X, left::{Y, Z}};",
            "use super::left::X;",
            "use crate::left as other;",
            "fn f() { crate::left::call(); }",
            "fn f() { println!(\"{}\", crate::left::call()); }",
            "#[derive(crate::left::Macro)] struct X;",
            "mod inner { use super::super::left::X; }",
            "#[cfg(test)] mod tests { use crate::left::X; }",
            "use crate::nowhere::X;",
        ] {
            let file = format!("//! x.\n{text}");
            assert!(problems_of("low.rs", &file).iter().all(|line| *line == 2), "{text}");
            assert!(!problems_of("low.rs", &file).is_empty(), "{text}");
        }
        assert_eq!(problems_of("right/a.rs", "use super::super::left::X;"), [1]);
    }

    #[test]
    fn the_one_apart_borrows_nothing_and_is_not_borrowed() {
        assert_eq!(problems_of("double/a.rs", "use crate::low::X;"), [1]);
        assert_eq!(problems_of("left/a.rs", "use crate::double::X;"), [1]);
    }

    #[test]
    fn a_module_without_a_floor_and_a_floor_without_a_module_are_found() {
        let tree = Tree::of(&[("low.rs", ""), ("new/mod.rs", ""), ("left.rs", "")]);
        let problems = table_is_the_house(&tree, SMALL);
        let names: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(names, ["new", "double", "right"]);
    }
}
