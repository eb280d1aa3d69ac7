//! What every file looks like: its first sentence, its size, its name, and what it must not hold.

use std::collections::BTreeSet;

use crate::tree::{Problem, SourceFile, Tree};

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 5] = ["common", "core", "helpers", "types", "util"];
/// Words that promise what is not there.
const PROMISES: [&str; 4] = ["TODO", "FIXME", "todo!", "unimplemented!"];
const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 60;

/// Every file that no `mod` reaches, and so is never compiled.
pub fn orphans(tree: &Tree) -> Vec<Problem> {
    let mut reached = BTreeSet::new();
    let roots = tree.files.iter().filter(|file| matches!(file.path.as_str(), "lib.rs" | "main.rs"));
    let mut open: Vec<&SourceFile> = roots.collect();
    while let Some(file) = open.pop() {
        if !reached.insert(file.path.as_str()) {
            continue;
        }
        for (name, _) in &file.children {
            let module: Vec<_> = file.module.iter().chain([name]).collect();
            let children = tree.files.iter().filter(|child| {
                child.path != "main.rs" && child.module.iter().collect::<Vec<_>>() == module
            });
            open.extend(children);
        }
    }
    let orphans = tree.files.iter().filter(|file| !reached.contains(file.path.as_str()));
    orphans
        .map(|file| file.problem(1, "no `mod` leads to this file; declare it or remove it".into()))
        .collect()
}

/// Every file that does not open with one sentence about itself.
pub fn without_their_sentence(tree: &Tree) -> Vec<Problem> {
    let without = tree.files.iter().filter(|file| !opens_with_a_sentence(&file.text));
    let text = "open the file with `//!` and one sentence, closed by a full stop, about what it is";
    without.map(|file| file.problem(1, text.to_owned())).collect()
}

/// Every file and function over its cap.
pub fn too_long(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in &tree.files {
        let lines = file.text.lines().count();
        if lines > FILE_LINES {
            let text = format!("{lines} lines, over {FILE_LINES}; split it by what it is about");
            problems.push(file.problem(lines, text));
        }
        for function in file.functions.iter().filter(|function| function.lines > FUNCTION_LINES) {
            let text = format!(
                "`{}` has {} lines, over {FUNCTION_LINES}; give its steps names of their own",
                function.name, function.lines
            );
            problems.push(file.problem(function.line, text));
        }
    }
    problems
}

/// Every `mod.rs` that holds more than declarations and re-exports by name.
pub fn folders_that_hold(tree: &Tree) -> Vec<Problem> {
    let folders = tree.files.iter().filter(|file| file.path.ends_with("mod.rs"));
    let text = "a mod.rs declares modules and re-exports by name; move this into a leaf";
    folders
        .flat_map(|file| {
            file.more_than_declares.iter().map(|line| file.problem(*line, text.to_owned()))
        })
        .collect()
}

/// Every module whose name could hold anything.
pub fn empty_names(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in &tree.files {
        if let Some(name) = file.module.iter().find(|name| EMPTY_NAMES.contains(&name.as_str())) {
            let text = format!("`{name}` says nothing; name the module after what it is about");
            problems.push(file.problem(1, text));
        }
    }
    problems
}

/// Every `.unwrap()` outside tests.
pub fn unwraps(tree: &Tree) -> Vec<Problem> {
    let text = "`unwrap()` outside tests; use `?`, or `expect` with the invariant";
    let of_file = |file: &SourceFile| -> Vec<_> {
        file.unwraps.iter().map(|line| file.problem(*line, text.to_owned())).collect()
    };
    tree.files.iter().flat_map(of_file).collect()
}

/// Every promise of work not done.
pub fn promises(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in &tree.files {
        for (number, line) in file.text.lines().enumerate() {
            if let Some(word) = PROMISES.iter().find(|word| line.contains(**word)) {
                let text = format!("`{word}`: do it now, or file an issue and leave no trace here");
                problems.push(file.problem(number + 1, text));
            }
        }
    }
    problems
}

/// Sizes for people to read: medians, maxima, and how much of it is documentation.
pub fn measures(tree: &Tree) -> String {
    let files: Vec<_> = tree.files.iter().map(|file| file.text.lines().count()).collect();
    let functions: Vec<_> =
        tree.files.iter().flat_map(|file| &file.functions).map(|one| one.lines).collect();
    let lines = tree.files.iter().flat_map(|file| file.text.lines());
    let docs = lines.filter(|line| {
        let line = line.trim_start();
        line.starts_with("///") || line.starts_with("//!")
    });
    let share = 100.0 * docs.count() as f64 / files.iter().sum::<usize>().max(1) as f64;
    format!(
        "files: {}\nfunctions: {}\ndoc comments: {share:.1} % of lines (aim: 12 to 25)",
        spread(files, "150"),
        spread(functions, "10")
    )
}

fn spread(mut sizes: Vec<usize>, aim: &str) -> String {
    sizes.sort_unstable();
    let at =
        |share: usize| sizes.get((sizes.len() * share / 100).min(sizes.len().saturating_sub(1)));
    let (Some(median), Some(most), Some(max)) = (at(50), at(95), sizes.last()) else {
        return "none".to_owned();
    };
    format!("{}, median {median} lines (aim: {aim}), 95 % under {most}, longest {max}", sizes.len())
}

/// Every block of property tests that does not begin with a fixed seed.
pub fn left_to_chance(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in &tree.files {
        let mut lines = file.text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            let opens = line.trim().ends_with(concat!("proptest", "! {"));
            if opens && !lines.next().is_some_and(|(_, next)| next.contains("repeatable(")) {
                let text = "begin it with #![proptest_config(repeatable(CASES))]".to_owned();
                problems.push(file.problem(at + 1, text));
            }
        }
    }
    problems
}

/// One sentence: the first paragraph ends with a full stop and has none before a capital.
fn opens_with_a_sentence(text: &str) -> bool {
    let paragraph: Vec<_> = text
        .lines()
        .map_while(|line| line.strip_prefix("//! "))
        .take_while(|line| !line.trim().is_empty())
        .collect();
    let paragraph = paragraph.join(" ");
    let Some(sentence) = paragraph.strip_suffix('.') else { return false };
    let starts_anew = |rest: &str| rest.starts_with(|letter: char| letter.is_uppercase());
    !sentence.is_empty() && !sentence.split(". ").skip(1).any(starts_anew)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(problems: Vec<Problem>) -> Vec<usize> {
        problems.iter().map(|problem| problem.line).collect()
    }

    fn one(text: &str) -> Tree {
        Tree::of(&[("a.rs", text)])
    }

    #[test]
    fn a_file_that_nothing_declares_is_an_orphan() {
        let tree = Tree::of(&[
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "mod b; mod c { }"),
            ("a/b.rs", ""),
            ("a/c.rs", ""),
        ]);
        let problems = orphans(&tree);
        assert_eq!(problems.iter().map(|problem| &problem.path).collect::<Vec<_>>(), ["a/c.rs"]);
    }

    #[test]
    fn a_file_opens_with_exactly_one_sentence() {
        for good in [
            "//! One sentence.\nfn f() {}",
            "//! One sentence, e.g. this,\n//! over two lines.\n//!\n//! More. Text.",
        ] {
            assert!(without_their_sentence(&one(good)).is_empty(), "{good}");
        }
        for bad in ["", "fn f() {}", "//! No stop", "//! One. Two.", "// Plain.", "//!\n//! Late."]
        {
            assert_eq!(lines(without_their_sentence(&one(bad))), [1], "{bad}");
        }
    }

    #[test]
    fn long_files_and_functions_are_found_and_tests_may_be_long() {
        let body = "x();\n".repeat(59);
        let long = format!("\nfn f() {{\n{body}}}");
        assert_eq!(lines(too_long(&one(&long))), [2]);
        assert!(too_long(&one(&format!("fn f() {{\n{}}}", "x();\n".repeat(58)))).is_empty());
        let test = format!("#[cfg(test)]\nmod tests {{\nfn f() {{\n{body}}}\n}}");
        assert!(too_long(&one(&test)).is_empty());
        let method = format!("impl X {{\nfn f() {{\n{body}}}\n}}");
        assert_eq!(lines(too_long(&one(&method))), [2]);
        assert_eq!(lines(too_long(&one(&"//\n".repeat(501)))), [501]);
    }

    #[test]
    fn a_folder_that_holds_code_or_globs_is_found() {
        let tree = Tree::of(&[("a/mod.rs", "mod b;\npub use b::X;\npub use b::*;\nfn f() {}")]);
        assert_eq!(lines(folders_that_hold(&tree)), [3, 4]);
    }

    #[test]
    fn empty_names_are_found() {
        let tree = Tree::of(&[("web/util.rs", ""), ("core/mod.rs", ""), ("web/score.rs", "")]);
        assert_eq!(lines(empty_names(&tree)), [1, 1]);
    }

    #[test]
    fn unwrap_is_found_outside_tests_alone() {
        let text = "fn f() {\nx.unwrap();\nx.unwrap_or(1);\nprintln!(\"{}\", y\n.unwrap());\n}\n\
                    #[cfg(test)]\nmod tests { fn f() { x.unwrap(); } }";
        assert_eq!(lines(unwraps(&one(text))), [2, 5]);
    }

    #[test]
    fn property_tests_without_a_seed_are_found() {
        let good = "proptest! {\n#![proptest_config(repeatable(9))]\n}\n";
        let bad = "    proptest::proptest! {\n    #[test]\n}\n";
        assert_eq!(lines(left_to_chance(&one(&format!("{good}{bad}")))), [4]);
    }

    #[test]
    fn promises_are_found() {
        assert_eq!(lines(promises(&one("// fine\n// TODO later\nfn f() { todo!() }"))), [2, 3]);
    }
}
