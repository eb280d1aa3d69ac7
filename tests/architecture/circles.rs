//! No file uses another that, by whatever way round, uses it.

use std::collections::{BTreeMap, BTreeSet};

use crate::references::{Place, Target};
use crate::tree::{Problem, SourceFile, Tree};

/// Every circle of files, named once, with the lines that close it.
///
/// A name taken from a `mod.rs` counts as taken from the file that the `mod.rs` re-exports it
/// from. Tests may look wherever they like.
pub fn circles(tree: &Tree) -> Vec<Problem> {
    let graph = Graph::of(tree);
    let reach: Vec<_> = (0..tree.files.len()).map(|file| graph.reach(file)).collect();
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for (number, file) in tree.files.iter().enumerate() {
        if !reach[number].contains(&number) || !seen.insert(number) {
            continue;
        }
        let ring: BTreeSet<_> =
            reach[number].iter().copied().filter(|other| reach[*other].contains(&number)).collect();
        seen.extend(&ring);
        let edges = ring.iter().flat_map(|from| {
            let inside = graph.edges[*from].iter().filter(|(to, _)| ring.contains(to));
            inside.map(|(to, line)| {
                let (from, to) = (&tree.files[*from].path, &tree.files[*to].path);
                format!("{from}:{line} uses {to}")
            })
        });
        let edges: Vec<_> = edges.collect();
        let line = graph.edges[number].iter().find(|(to, _)| ring.contains(to));
        problems.push(file.problem(
            line.map_or(1, |(_, line)| *line),
            format!("a circle of files; move the shared part to a file of its own: {edges:?}"),
        ));
    }
    problems
}

/// For each file, the files it uses, each with the first line that does.
struct Graph {
    edges: Vec<BTreeMap<usize, usize>>,
}

impl Graph {
    fn of(tree: &Tree) -> Self {
        let modules = tree.files.iter().enumerate().filter(|(_, file)| file.path != "main.rs");
        let index = modules.map(|(number, file)| (file.module.as_slice(), number)).collect();
        let edges_of = |(number, file): (usize, &SourceFile)| {
            let mut edges = BTreeMap::new();
            if only_declares(file) {
                return edges;
            }
            for reference in &file.references {
                let Target::Ours(path) = &reference.target else { continue };
                let home = home_of(path, tree, &index, 8);
                let Some(home) = home.filter(|_| reference.place == Place::Program) else {
                    continue;
                };
                if home != number && !only_declares(&tree.files[home]) {
                    edges.entry(home).or_insert(reference.line);
                }
            }
            edges
        };
        Self { edges: tree.files.iter().enumerate().map(edges_of).collect() }
    }

    fn reach(&self, from: usize) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut open = vec![from];
        while let Some(next) = open.pop() {
            open.extend(self.edges[next].keys().filter(|to| reached.insert(**to)));
        }
        reached
    }
}

fn only_declares(file: &SourceFile) -> bool {
    file.path == "lib.rs" || file.path.ends_with("mod.rs")
}

type Index<'a> = BTreeMap<&'a [String], usize>;

/// The file that defines what a path names, through at most `hops` re-exports.
fn home_of(path: &[String], tree: &Tree, index: &Index<'_>, hops: usize) -> Option<usize> {
    let (length, file) = (0..=path.len())
        .rev()
        .find_map(|length| index.get(&path[..length]).map(|file| (length, *file)))?;
    let Some((name, rest)) = path[length..].split_first() else { return Some(file) };
    let exported = tree.files[file].references.iter().find_map(|reference| {
        let Target::Ours(target) = &reference.target else { return None };
        let is_it = reference.introduces.as_ref() == Some(name) && target.as_slice() != path;
        is_it.then(|| target.iter().chain(rest).cloned().collect::<Vec<_>>())
    });
    match exported {
        Some(target) if hops > 0 => home_of(&target, tree, index, hops - 1),
        _ => Some(file),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_no_circle() {
        let tree = Tree::of(&[
            ("a/mod.rs", "mod x; mod y; pub use x::X; pub use y::Y;"),
            ("a/x.rs", "use super::Y;"),
            ("a/y.rs", "pub struct Y; #[cfg(test)] mod tests { use super::super::X; }"),
        ]);
        assert!(circles(&tree).is_empty());
    }

    #[test]
    fn two_files_that_use_each_other_are_found_through_re_exports() {
        let tree = Tree::of(&[
            ("a/mod.rs", "mod x; mod y; pub use x::X; pub use y::{Y as Why};"),
            ("a/x.rs", "use super::Why; pub struct X(Why);"),
            ("a/y.rs", "//! y.\npub fn y() { crate::a::X::new() }"),
        ]);
        let problems = circles(&tree);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].text.contains("a/y.rs:2 uses a/x.rs"), "{problems:?}");
    }

    #[test]
    fn a_ring_of_three_is_one_problem() {
        let tree = Tree::of(&[
            ("a/x.rs", "use super::y::Y;"),
            ("a/y.rs", "use super::z::Z;"),
            ("a/z.rs", "use super::x;"),
        ]);
        assert_eq!(circles(&tree).len(), 1);
    }
}
