//! A table being read: its known keys, their defaults, and the tables inside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::nearest::nearest;
use super::reading::{Place, Reading, quoted};
use super::value::{Value, kind};
use super::{Key, KeyKind};

/// One table with the keys it may have. Whatever answers `None` has reported why, unless it says
/// otherwise.
pub(super) struct Section<'d> {
    pub reading: &'d Reading<'d>,
    /// The table's header, or the file's beginning when the table is not there.
    pub header: Place,
    entries: Option<&'d DeTable<'d>>,
    keys: &'static [Key],
}

impl<'d> Section<'d> {
    /// Opens a table and reports the keys nobody knows.
    pub fn open(
        reading: &'d Reading<'d>,
        header: Place,
        entries: &'d DeTable<'d>,
        keys: &'static [Key],
    ) -> Self {
        let section = Self { reading, header, entries: Some(entries), keys };
        for name in entries.keys() {
            section.refuse_unknown(name.get_ref(), name.span().start);
        }
        section
    }

    /// Opens the table a value is.
    pub fn inline(value: &Value<'d>, keys: &'static [Key]) -> Option<Self> {
        Some(Self::open(value.reading, value.place.clone(), value.table()?, keys))
    }

    /// Whether the key is written.
    pub fn has(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    /// Where the key's value stands, or the table's header when it is not written.
    pub fn place(&self, name: &str) -> Place {
        let offset = self.entry(name).map_or(self.header.offset, |(offset, _)| offset);
        Place { offset, key: self.full(name) }
    }

    /// What a key of this table can look like, as TOML.
    pub fn example(&self, name: &str) -> &'static str {
        self.key(name).example
    }

    /// A required or defaulted key.
    pub fn read<T>(&self, name: &str, convert: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let key = self.key(name);
        if let Some(value) = self.value(key) {
            return convert(&value);
        }
        if key.kind == KeyKind::Required {
            self.reading.problem(&self.place(name), "is missing", key.hint());
            return None;
        }
        let default = DeValue::parse(key.text).expect("every default is TOML");
        let (reading, place) = (self.reading, self.place(name));
        convert(&Value { reading, place, key, raw: default.get_ref() })
    }

    /// A key that may be left out: `None` when it is, and when it is wrong.
    pub fn optional<T>(&self, name: &str, convert: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        self.value(self.key(name)).and_then(|value| convert(&value))
    }

    /// A key that may be left out elsewhere, and is missed here when it is.
    pub fn needed<T>(&self, name: &str, convert: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        if !self.has(name) {
            let instead = format!("write {name} = {}", self.example(name));
            self.reading.problem(&self.place(name), "is missing", instead);
        }
        self.optional(name, convert)
    }

    /// A table inside this one; an empty one when it is not written.
    pub fn section(&self, name: &str, keys: &'static [Key]) -> Section<'d> {
        let absent = self.absent(name, keys);
        match self.entry(name) {
            None => absent,
            Some((_, DeValue::Table(entries))) => {
                Section::open(self.reading, absent.header, entries, keys)
            }
            Some((_, other)) => {
                let wrong = format!("is {}, not a table", kind(other));
                self.reading.problem(&absent.header, wrong, format!("write [{}]", self.full(name)));
                absent
            }
        }
    }

    /// A table nobody wrote: all its keys have their defaults.
    pub fn absent(&self, name: &str, keys: &'static [Key]) -> Section<'d> {
        Section { reading: self.reading, header: self.place(name), entries: None, keys }
    }

    /// The tables `[name.NAME]`, in order of name.
    pub fn named(&self, name: &str, keys: &'static [Key]) -> Vec<(String, Section<'d>)> {
        let Some((_, value)) = self.entry(name) else { return Vec::new() };
        let DeValue::Table(tables) = value else {
            let wrong = format!("is {}, not a table of tables", kind(value));
            self.reading.problem(&self.place(name), wrong, format!("write [{name}.NAME]"));
            return Vec::new();
        };
        let mut found = Vec::new();
        for (chosen, value) in tables {
            let header = Place {
                offset: value.span().start,
                key: format!("{}.{}", self.full(name), chosen.get_ref()),
            };
            let chosen = chosen.get_ref().as_ref();
            match value.get_ref() {
                DeValue::Table(entries) if is_name(chosen) => {
                    let section = Section::open(self.reading, header, entries, keys);
                    found.push((chosen.to_owned(), section));
                }
                DeValue::Table(_) => self.reading.problem(
                    &header,
                    format!("{} is not a name", quoted(chosen)),
                    "use 1 to 64 letters, digits, - and _",
                ),
                other => {
                    let wrong = format!("is {}, not a table", kind(other));
                    self.reading.problem(&header, wrong, format!("write [{name}.NAME]"));
                }
            }
        }
        found
    }

    fn entry(&self, name: &str) -> Option<(usize, &'d DeValue<'d>)> {
        let value = self.entries?.get(name)?;
        Some((value.span().start, value.get_ref()))
    }

    fn value(&self, key: &'static Key) -> Option<Value<'d>> {
        let (_, raw) = self.entry(key.name)?;
        Some(Value { reading: self.reading, place: self.place(key.name), key, raw })
    }

    fn key(&self, name: &str) -> &'static Key {
        self.keys.iter().find(|key| key.name == name).expect("a section reads its own keys")
    }

    fn full(&self, name: &str) -> String {
        match self.header.key.as_str() {
            "" => name.to_owned(),
            header => format!("{header}.{name}"),
        }
    }

    fn refuse_unknown(&self, name: &str, offset: usize) {
        let known = || self.keys.iter().map(|key| key.name);
        if known().any(|key| key == name) {
            return;
        }
        let instead = match nearest(name, known()) {
            Some(key) => format!("did you mean {key}?"),
            None => format!("known here: {}", known().collect::<Vec<_>>().join(", ")),
        };
        self.reading.problem(
            &Place { offset, key: self.full(name) },
            "is not a known key",
            instead,
        );
    }
}

/// The resolved tables of one kind, for those that refer to them by name. A broken one is known
/// by name, so that what refers to it does not count as wrong too.
pub(super) struct Named<T> {
    /// What a table of this kind is called: `host`.
    pub what: &'static str,
    pub entries: BTreeMap<String, Option<Arc<T>>>,
}

impl<T> Named<T> {
    /// All of them in order of name; `None`, reported before, when one is broken.
    pub fn all(&self) -> Option<Vec<Arc<T>>> {
        self.entries.values().cloned().collect()
    }

    /// Those that hold.
    pub fn sound(&self) -> Vec<Arc<T>> {
        self.entries.values().flatten().cloned().collect()
    }

    /// The one a value names.
    pub fn find(&self, value: &Value) -> Option<Arc<T>> {
        let name = value.text()?;
        if let Some(found) = self.entries.get(name) {
            return found.clone();
        }
        let known: Vec<&str> = self.entries.keys().map(String::as_str).collect();
        let instead = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None if known.is_empty() => format!("add a table [{}.{name}]", self.what),
            None => format!("known: {}", known.join(", ")),
        };
        value.refuse(format!("there is no [{}.{name}]", self.what), instead)
    }

    /// The ones a list of names means, each at most once.
    pub fn find_each(&self, value: &Value) -> Option<Vec<Arc<T>>> {
        let distinct = value.distinct(|item| item.text().map(str::to_owned));
        let found = value.list(|item| self.find(item));
        distinct.and(found)
    }
}

/// Whether a table may be called so.
pub(super) fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}
