//! Every path a file writes, in `use` lines, code, attributes and macros alike, made absolute.

use std::collections::HashSet;
use std::iter::Peekable;
use std::ops::RangeInclusive;

use proc_macro2::{Delimiter, TokenStream, TokenTree, token_stream};
use syn::UseTree;

/// One path, and what it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    pub target: Target,
    pub line: usize,
    pub place: Place,
    /// The name that a `use` at the file's root gives it.
    pub introduces: Option<String>,
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Another crate, by the name code uses: `hyper_util`.
    Crate(String),
    /// Below our own root: `["web", "origin", "PublicOrigin"]`.
    Ours(Vec<String>),
}

/// Whether it counts as program or as test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Program,
    Test,
}

/// The references of a file, and the lines of `.unwrap()` outside its tests.
///
/// Tokens are read rather than the syntax tree, so that what stands inside `format!(…)` or an
/// attribute counts too.
pub fn references(
    text: &str,
    module: &[String],
    tests: &[RangeInclusive<usize>],
) -> (Vec<Reference>, Vec<usize>) {
    let tokens: TokenStream = text.parse().expect("syn has parsed it already");
    let mut walk = Walk { tests, names: HashSet::new(), paths: Vec::new(), unwraps: Vec::new() };
    walk.tokens(tokens, module);
    let Walk { names, paths, unwraps, .. } = walk;
    let references = paths
        .into_iter()
        .filter_map(|path| {
            let target = path.target(&names)?;
            let at_root = path.module == module;
            let introduces = path.introduces.filter(|_| at_root);
            Some(Reference { target, line: path.line, place: path.place, introduces })
        })
        .collect();
    (references, unwraps)
}

struct Walk<'a> {
    tests: &'a [RangeInclusive<usize>],
    /// Names that a `use` or `mod` of the file gives a meaning of its own.
    names: HashSet<String>,
    paths: Vec<Written>,
    unwraps: Vec<usize>,
}

/// A path as written, and the module it was written in.
struct Written {
    segments: Vec<String>,
    module: Vec<String>,
    line: usize,
    place: Place,
    introduces: Option<String>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    /// The name of a module declared here.
    Declaration,
    Use,
}

impl Written {
    fn target(&self, names: &HashSet<String>) -> Option<Target> {
        let (first, rest) = self.segments.split_first()?;
        let ours = |module: &[String], rest: &[String]| {
            Some(Target::Ours(module.iter().chain(rest).cloned().collect()))
        };
        match first.as_str() {
            "crate" | "superid_gateway" => ours(&[], rest),
            "self" => ours(&self.module, rest),
            "super" => {
                let ups = self.segments.iter().take_while(|word| *word == "super").count();
                let kept = self.module.len().checked_sub(ups)?;
                ours(&self.module[..kept], &self.segments[ups..])
            }
            "std" | "core" | "alloc" => None,
            _ if self.kind == Kind::Declaration => ours(&self.module, &self.segments),
            name if names.contains(&format!("mod {name}")) => ours(&self.module, &self.segments),
            name if self.kind == Kind::Code && names.contains(name) => None,
            name => Some(Target::Crate(name.to_owned())),
        }
    }
}

type Tokens = Peekable<token_stream::IntoIter>;

impl Walk<'_> {
    fn tokens(&mut self, tokens: TokenStream, module: &[String]) {
        let mut tokens = tokens.into_iter().peekable();
        let mut after_dot = false;
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream(), module),
                TokenTree::Ident(word) if after_dot => {
                    if word == "unwrap" && self.place(word.span()) == Place::Program {
                        self.unwraps.push(word.span().start().line);
                    }
                }
                TokenTree::Ident(word) => self.word(&word, &mut tokens, module),
                TokenTree::Punct(ref mark) => {
                    after_dot = mark.as_char() == '.';
                    continue;
                }
                TokenTree::Literal(_) => {}
            }
            after_dot = false;
        }
    }

    fn word(&mut self, word: &proc_macro2::Ident, tokens: &mut Tokens, module: &[String]) {
        let line = word.span().start().line;
        let place = self.place(word.span());
        if word == "use" && !is_mark(tokens.peek(), '<') {
            let clause: TokenStream =
                tokens.by_ref().take_while(|token| !is_mark(Some(token), ';')).collect();
            let tree = syn::parse2(clause).expect("a use line parses");
            self.used(&tree, &mut Vec::new(), &|segments, introduces| {
                let module = module.to_vec();
                Written { segments, module, line, place, introduces, kind: Kind::Use }
            });
        } else if word == "mod" {
            self.module(tokens, module, line, place);
        } else {
            let segments = path_from(word.to_string(), tokens);
            if segments.len() > 1 {
                let (module, kind) = (module.to_vec(), Kind::Code);
                self.paths.push(Written { segments, module, line, place, introduces: None, kind });
            }
        }
    }

    /// `mod name;` or `mod name { … }`.
    fn module(&mut self, tokens: &mut Tokens, module: &[String], line: usize, place: Place) {
        let Some(TokenTree::Ident(name)) = tokens.next() else { return };
        let name = name.to_string();
        match tokens.peek() {
            Some(TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace => {
                let inner: Vec<_> = module.iter().cloned().chain([name]).collect();
                let body = body.stream();
                tokens.next();
                self.tokens(body, &inner);
            }
            _ => {
                self.names.insert(format!("mod {name}"));
                let (segments, module, kind) = (vec![name], module.to_vec(), Kind::Declaration);
                self.paths.push(Written { segments, module, line, place, introduces: None, kind });
            }
        }
    }

    fn used(
        &mut self,
        tree: &UseTree,
        before: &mut Vec<String>,
        written: &dyn Fn(Vec<String>, Option<String>) -> Written,
    ) {
        let with = |before: &[String], name: &syn::Ident| {
            let last = (name != "self").then(|| name.to_string());
            before.iter().cloned().chain(last).collect::<Vec<_>>()
        };
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.used(&path.tree, before, written);
                before.pop();
            }
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.used(tree, before, written));
            }
            UseTree::Glob(_) => self.paths.push(written(before.clone(), None)),
            UseTree::Name(name) => {
                let segments = with(before, &name.ident);
                let introduced = segments.last().cloned();
                self.names.extend(introduced.clone());
                self.paths.push(written(segments, introduced));
            }
            UseTree::Rename(rename) => {
                let introduced = rename.rename.to_string();
                self.names.insert(introduced.clone());
                self.paths.push(written(with(before, &rename.ident), Some(introduced)));
            }
        }
    }

    fn place(&self, span: proc_macro2::Span) -> Place {
        let line = span.start().line;
        match self.tests.iter().any(|range| range.contains(&line)) {
            true => Place::Test,
            false => Place::Program,
        }
    }
}

/// `first::second::third`, as far as it goes.
fn path_from(first: String, tokens: &mut Tokens) -> Vec<String> {
    let mut segments = vec![first];
    loop {
        let mut ahead = tokens.clone();
        let colons = is_mark(ahead.next().as_ref(), ':') && is_mark(ahead.next().as_ref(), ':');
        let Some(TokenTree::Ident(word)) = ahead.next().filter(|_| colons) else {
            return segments;
        };
        segments.push(word.to_string());
        *tokens = ahead;
    }
}

fn is_mark(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == wanted)
}
