//! The source tree as data: files, what each refers to, and where its functions and tests lie.

use std::fmt;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::references::{Reference, references};

/// Every `.rs` file under `src/`.
pub struct Tree {
    pub files: Vec<SourceFile>,
}

/// One file, read once.
pub struct SourceFile {
    /// Relative to `src/`, with forward slashes: `web/origin.rs`.
    pub path: String,
    pub text: String,
    /// `["web", "origin"]`; a `mod.rs` has its folder's, `lib.rs` and `main.rs` have none.
    pub module: Vec<String>,
    pub references: Vec<Reference>,
    pub functions: Vec<Function>,
    /// Names of `mod x;` declarations, with their lines.
    pub children: Vec<(String, usize)>,
    /// Lines at the file's root that do more than declare and re-export by name.
    pub more_than_declares: Vec<usize>,
    /// Lines of `.unwrap()` outside tests.
    pub unwraps: Vec<usize>,
}

/// A function with a body, outside tests.
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// A broken rule, where, and the way out.
#[derive(Debug)]
pub struct Problem {
    pub path: String,
    pub line: usize,
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "src/{}:{}: {}", self.path, self.line, self.text)
    }
}

impl Tree {
    /// Reads the crate this test belongs to.
    pub fn of_this_crate() -> Self {
        Self::under("src")
    }

    /// Reads every `.rs` file under a folder of the repository.
    pub fn under(folder: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut files = Vec::new();
        read_folder(&root, &root, &mut files);
        assert!(!files.is_empty(), "there is no Rust file under {}", root.display());
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Self { files }
    }

    /// A tree of snippets, to try the rules on.
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| SourceFile::parse(path, text)).collect() }
    }
}

impl SourceFile {
    /// The first folder or file name: `web` for `web/origin.rs`, `main` for `main.rs`.
    pub fn top(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// A problem of this file.
    pub fn problem(&self, line: usize, text: String) -> Problem {
        Problem { path: self.path.clone(), line, text }
    }

    fn parse(path: &str, text: &str) -> Self {
        let ast = syn::parse_file(text).unwrap_or_else(|error| panic!("src/{path}: {error}"));
        let module = module_of(path);
        let mut found = Found::default();
        found.visit_file(&ast);
        let children = ast.items.iter().filter_map(child).collect();
        let (references, unwraps) = references(text, &module, &found.tests);
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            module,
            references,
            functions: found.functions(),
            children,
            more_than_declares: ast.items.iter().filter_map(more_than_declares).collect(),
            unwraps,
        }
    }
}

fn read_folder(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}")) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_folder(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            files.push(SourceFile::parse(&name, &fs::read_to_string(&path).unwrap()));
        }
    }
}

fn module_of(path: &str) -> Vec<String> {
    let mut module: Vec<_> = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(path, "lib.rs" | "main.rs") || path.ends_with("/mod.rs") {
        module.pop();
    }
    module
}

fn child(item: &syn::Item) -> Option<(String, usize)> {
    match item {
        syn::Item::Mod(child) if child.content.is_none() => {
            Some((child.ident.to_string(), child.ident.span().start().line))
        }
        _ => None,
    }
}

fn more_than_declares(item: &syn::Item) -> Option<usize> {
    let declares = match item {
        syn::Item::Mod(child) => child.content.is_none(),
        syn::Item::Use(item) => !has_glob(&item.tree),
        _ => false,
    };
    (!declares).then(|| item.span().start().line)
}

fn has_glob(tree: &syn::UseTree) -> bool {
    match tree {
        syn::UseTree::Path(path) => has_glob(&path.tree),
        syn::UseTree::Group(group) => group.items.iter().any(has_glob),
        syn::UseTree::Glob(_) => true,
        syn::UseTree::Name(_) | syn::UseTree::Rename(_) => false,
    }
}

/// What a walk over one file finds.
#[derive(Default)]
struct Found {
    all: Vec<Function>,
    tests: Vec<RangeInclusive<usize>>,
}

impl Found {
    fn functions(self) -> Vec<Function> {
        let Self { all, tests } = self;
        let in_test = |line: &usize| tests.iter().any(|range| range.contains(line));
        all.into_iter().filter(|function| !in_test(&function.line)).collect()
    }

    fn add(&mut self, sig: &syn::Signature, body: &syn::Block) {
        let line = sig.span().start().line;
        let lines = body.span().end().line - line + 1;
        self.all.push(Function { name: sig.ident.to_string(), line, lines });
    }

    fn note_test(&mut self, attributes: &[syn::Attribute], span: proc_macro2::Span) {
        if attributes.iter().any(is_test) {
            self.tests.push(span.start().line..=span.end().line);
        }
    }
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.note_test(&item.attrs, item.span());
        visit::visit_item_mod(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.note_test(&item.attrs, item.span());
        visit::visit_item_impl(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.note_test(&item.attrs, item.span());
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.note_test(&item.attrs, item.span());
        self.add(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.note_test(&item.attrs, item.span());
        self.add(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.add(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

/// `#[test]`, `#[tokio::test]`, `#[cfg(test)]` and `#[cfg(all(test, …))]`; not `cfg(not(test))`.
fn is_test(attribute: &syn::Attribute) -> bool {
    if attribute.path().segments.last().is_some_and(|segment| segment.ident == "test") {
        return true;
    }
    let syn::Meta::List(list) = &attribute.meta else { return false };
    let words: Vec<_> = list
        .tokens
        .to_string()
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .map(str::to_owned)
        .collect();
    list.path.is_ident("cfg")
        && words.iter().any(|word| word == "test")
        && !words.iter().any(|word| word == "not" || word == "any")
}
