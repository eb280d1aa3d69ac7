//! `SUPERID_GATEWAY__SECTION__KEY`: variables of the environment, laid over what files say.

use std::borrow::Cow;
use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::given::PREFIX;
use super::nearest::nearest;
use super::reading::{Place, Reading};
use super::secret_source::is_secret;
use super::sources::Source;
use super::{Key, Table};

/// Lays every variable over the document.
pub(super) fn lay<'t>(reading: &Reading<'t>, document: &mut DeTable<'t>, tables: &[Table]) {
    let mut said: BTreeMap<Vec<String>, &str> = BTreeMap::new();
    for variable in reading.sources().variables() {
        let place = Place { offset: variable.start, key: String::new() };
        let found = Search { tables, document, variable }.key().and_then(|found| {
            let value = found.value(variable)?;
            Ok((found, value))
        });
        let (found, value) = match found {
            Ok(found) => found,
            Err(Wrong { key, wrong, instead }) => {
                reading.problem(&Place { key, ..place }, wrong, instead);
                continue;
            }
        };
        match said.insert(found.path.clone(), &variable.name) {
            Some(other) => reading.problem(
                &Place { key: found.path.join("."), ..place },
                format!("{other} says it too"),
                "leave one of them out",
            ),
            None => put(document, &found.path, variable.start, value),
        }
    }
}

/// What is wrong with a variable.
struct Wrong {
    key: String,
    wrong: String,
    instead: String,
}

/// A way through the tables, along a variable's name.
struct Search<'s, 't> {
    tables: &'s [Table],
    document: &'s DeTable<'t>,
    variable: &'s Source,
}

/// The key a variable means.
struct Found {
    path: Vec<String>,
    key: Key,
    is_file: bool,
}

impl Search<'_, '_> {
    fn key(&self) -> Result<Found, Wrong> {
        let (mut header, mut path) = (String::new(), Vec::new());
        let mut rest = self.variable.name[PREFIX.len()..].split("__").map(str::to_ascii_lowercase);
        while let Some(word) = rest.next() {
            if let Some((key, is_file)) = self.key_of(&header, &word) {
                path.push(key.name.to_owned());
                return match rest.next() {
                    None => Ok(Found { path, key, is_file }),
                    Some(_) => Err(wrong(&path, "is no table", "leave out what follows it")),
                };
            }
            let inner = joined(&header, &word);
            if !self.is_table(&inner) {
                return Err(self.unknown(&header, &path, &word));
            }
            path.push(word);
            header = inner;
            let named = joined(&header, "NAME");
            if self.is_table(&named)
                && let Some(name) = rest.next()
            {
                let name = self.chosen(&path, &name)?;
                path.push(name);
                header = named;
            }
        }
        let instead = format!("name one of its keys: {}__KEY", self.variable.name);
        Err(wrong(&path, "is a table", &instead))
    }

    fn keys(&self, header: &str) -> impl Iterator<Item = &'static Key> {
        self.tables.iter().filter(move |table| table.header == header).flat_map(|table| table.keys)
    }

    /// A key, or a secret's file.
    fn key_of(&self, header: &str, word: &str) -> Option<(Key, bool)> {
        let find = |word: &str| self.keys(header).find(|key| key.name == word).copied();
        if let Some(key) = find(word).filter(|key| !self.is_table(&joined(header, key.name))) {
            return Some((key, false));
        }
        let key = find(word.strip_suffix("_file")?)?;
        matches!(Shape::of(&key), Shape::Secret | Shape::List(true)).then_some((key, true))
    }

    fn is_table(&self, header: &str) -> bool {
        let within = |table: &Table| {
            table
                .header
                .strip_prefix(header)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.tables.iter().any(within)
    }

    /// The table of files that a name means, in any case and with `_` for `-`; else a new one.
    fn chosen(&self, path: &[String], name: &str) -> Result<String, Wrong> {
        let mut table = Some(self.document);
        for step in path {
            let inner = table.and_then(|table| table.get(step.as_str()));
            table = inner.and_then(|value| value.get_ref().as_table());
        }
        let same = |known: &&str| known.to_ascii_lowercase().replace('-', "_") == *name;
        let known = table.into_iter().flat_map(DeTable::keys).map(|known| known.get_ref().as_ref());
        let meant: Vec<&str> = known.filter(same).collect();
        match meant.as_slice() {
            [] => Ok(name.to_owned()),
            [one] => Ok((*one).to_owned()),
            [one, other, ..] => Err(wrong(
                path,
                &format!("could be {one} or {other}"),
                "give them names that differ in more than case, - and _",
            )),
        }
    }

    fn unknown(&self, header: &str, path: &[String], word: &str) -> Wrong {
        let inner = |table: &&Table| {
            let rest = match header {
                "" => Some(table.header),
                header => table.header.strip_prefix(header)?.strip_prefix('.'),
            };
            rest.and_then(|rest| rest.split('.').next())
        };
        let tables = self.tables.iter().filter_map(|table| inner(&table));
        let known: Vec<&str> = self.keys(header).map(|key| key.name).chain(tables).collect();
        let instead = match nearest(word, known.iter().copied()) {
            Some(near) => {
                let before = [path, &[near.to_owned()]].concat().join("__");
                format!("did you mean {PREFIX}{}?", before.to_ascii_uppercase().replace('-', "_"))
            }
            None => "see docs/configuration.md, or take it out of the environment".to_owned(),
        };
        let key = [path, &[word.to_owned()]].concat();
        wrong(&key, "is not a known key", &instead)
    }
}

/// What a key takes, by its default or example.
enum Shape {
    Bare,
    /// Of secrets, or of strings.
    List(bool),
    Secret,
    Text,
    Table,
}

impl Shape {
    fn of(key: &Key) -> Self {
        let example = DeValue::parse(key.example).expect("every example is TOML");
        match example.get_ref() {
            DeValue::String(_) => Self::Text,
            DeValue::Table(table) if is_secret(table) => Self::Secret,
            DeValue::Table(_) => Self::Table,
            DeValue::Array(items) => Self::List(
                items.first().is_some_and(|item| item.get_ref().as_table().is_some_and(is_secret)),
            ),
            _ => Self::Bare,
        }
    }
}

impl Found {
    fn value<'t>(&self, variable: &'t Source) -> Result<DeValue<'t>, Wrong> {
        let text = variable.text.as_str();
        let string = || DeValue::String(Cow::Borrowed(text));
        let at = |value| Spanned::new(variable.start..variable.start, value);
        let secret = || {
            let mut table = DeTable::new();
            let source = if self.is_file { "file" } else { "value" };
            let name = Spanned::new(variable.start..variable.start, Cow::Borrowed(source));
            table.insert(name, at(string()));
            DeValue::Table(table)
        };
        let list = |item| {
            let mut list = DeArray::new();
            list.push(at(item));
            DeValue::Array(list)
        };
        match Shape::of(&self.key) {
            Shape::Text => Ok(string()),
            Shape::Secret => Ok(secret()),
            Shape::List(true) => Ok(list(secret())),
            Shape::List(false) if !text.contains(',') => Ok(list(string())),
            Shape::List(false) => Err(wrong(
                &self.path,
                "is a list of one from the environment",
                "write several in a file",
            )),
            Shape::Table => Err(wrong(&self.path, "is a table", "write it in a file")),
            // What is no number and no boolean is refused as the string it is.
            Shape::Bare => {
                let bare = text == "true"
                    || text == "false"
                    || (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
                let parsed = bare.then(|| DeValue::parse(text).ok()).flatten();
                Ok(parsed.map_or_else(string, Spanned::into_inner))
            }
        }
    }
}

/// Puts a value where it belongs, in place of what a file says. What is no table on the way is
/// refused by whoever reads it.
fn put<'t>(document: &mut DeTable<'t>, path: &[String], offset: usize, value: DeValue<'t>) {
    let [name, rest @ ..] = path else { return };
    let name_there = || Spanned::new(offset..offset, Cow::Owned(name.clone()));
    let at = |value| Spanned::new(offset..offset, value);
    if rest.is_empty() {
        document.remove(name.as_str());
        document.insert(name_there(), at(value));
        return;
    }
    if !document.contains_key(name.as_str()) {
        document.insert(name_there(), at(DeValue::Table(DeTable::new())));
    }
    let inner = document.get_mut(name.as_str()).map(Spanned::get_mut);
    if let Some(DeValue::Table(inner)) = inner {
        put(inner, rest, offset, value);
    }
}

/// Puts an empty table where nothing is.
pub(super) fn put_table(document: &mut DeTable, path: &[&str]) {
    let path: Vec<String> = path.iter().map(|step| (*step).to_owned()).collect();
    put(document, &path, 0, DeValue::Table(DeTable::new()));
}

fn joined(header: &str, word: &str) -> String {
    match header {
        "" => word.to_owned(),
        header => format!("{header}.{word}"),
    }
}

fn wrong(path: &[String], wrong: &str, instead: &str) -> Wrong {
    Wrong { key: path.join("."), wrong: wrong.to_owned(), instead: instead.to_owned() }
}
