//! A value being read: its type, its bounds, and the words when it is wrong.

use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::Key;
use super::nearest::nearest;
use super::reading::{Place, Reading, quoted};

/// One value at its place. Whatever answers `None` has reported why.
pub(super) struct Value<'v> {
    pub reading: &'v Reading<'v>,
    pub place: Place,
    pub key: &'static Key,
    pub raw: &'v DeValue<'v>,
}

impl<'v> Value<'v> {
    /// Reports what is wrong here and answers `None`.
    pub fn refuse<T>(&self, wrong: impl Into<String>, instead: impl Into<String>) -> Option<T> {
        self.reading.problem(&self.place, wrong, instead);
        None
    }

    pub fn text(&self) -> Option<&'v str> {
        self.raw.as_str().or_else(|| self.wrong_type("a string"))
    }

    /// A string of visible characters and spaces, with at least one.
    pub fn line(&self, longest: usize) -> Option<String> {
        let text = self.text()?;
        if text.trim().is_empty() {
            return self.refuse("is empty", self.key.hint());
        }
        if text.chars().count() > longest || text.chars().any(char::is_control) {
            let instead = format!("use at most {longest} characters, none of them a control");
            return self.refuse(format!("{} does not fit one line", quoted(text)), instead);
        }
        Some(text.to_owned())
    }

    pub fn boolean(&self) -> Option<bool> {
        self.raw.as_bool().or_else(|| self.wrong_type("true or false"))
    }

    /// One of the words, each standing for its variant.
    pub fn choice<T: Copy>(&self, words: &[(&'static str, T)]) -> Option<T> {
        let text = self.text()?;
        if let Some((_, variant)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*variant);
        }
        let instead = match nearest(text, words.iter().map(|(word, _)| *word)) {
            Some(word) => format!("did you mean \"{word}\"?"),
            None => format!("write {}", either(words.iter().map(|(word, _)| *word))),
        };
        self.refuse(format!("{} is not a choice", quoted(text)), instead)
    }

    /// A number with or without a fraction.
    pub fn number(&self) -> Option<f64> {
        let text = match self.raw {
            DeValue::Float(float) => float.as_str(),
            DeValue::Integer(integer) => integer.as_str(),
            _ => return self.wrong_type("a number"),
        };
        match text.parse() {
            Ok(number) => Some(number),
            Err(_) => self.wrong_type("a decimal number"),
        }
    }

    /// A count within bounds, both included.
    pub fn count(&self, least: usize, most: usize) -> Option<usize> {
        let DeValue::Integer(integer) = self.raw else { return self.wrong_type("a whole number") };
        match usize::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(count) if (least..=most).contains(&count) => Some(count),
            _ => self.refuse(
                format!("{integer} is out of bounds"),
                format!("write a number from {least} to {most}"),
            ),
        }
    }

    /// Bytes as a number or as `"64KiB"`, `"1MiB"`, within bounds, both included.
    pub fn bytes(&self, least: usize, most: usize) -> Option<usize> {
        let Some(text) = self.raw.as_str() else { return self.count(least, most) };
        // From the environment a number of bytes comes as text.
        let size =
            [("KiB", 1 << 10), ("MiB", 1 << 20), ("", 1)].into_iter().find_map(|(unit, scale)| {
                digits(text.strip_suffix(unit)?)?.checked_mul(scale)?.try_into().ok()
            });
        match size {
            Some(size) if (least..=most).contains(&size) => Some(size),
            Some(_) => self.refuse(
                format!("{} is out of bounds", quoted(text)),
                format!("write a size from {least} to {most} bytes"),
            ),
            None => self.refuse(
                format!("{} is not a size", quoted(text)),
                "write a number of bytes, or \"64KiB\", \"1MiB\"",
            ),
        }
    }

    /// A time such as `"90s"`, `"15m"`, `"8h"`, `"2d"`, within bounds in seconds, both included.
    pub fn duration(&self, least: u64, most: u64) -> Option<Duration> {
        let text = self.text()?;
        let seconds = UNITS
            .into_iter()
            .find_map(|(unit, scale)| digits(text.strip_suffix(unit)?)?.checked_mul(scale));
        match seconds {
            Some(seconds) if (least..=most).contains(&seconds) => {
                Some(Duration::from_secs(seconds))
            }
            Some(_) => self.refuse(
                format!("{} is out of bounds", quoted(text)),
                format!("write a time from {} to {}", spelled(least), spelled(most)),
            ),
            None => self.refuse(
                format!("{} is not a time", quoted(text)),
                "write a number and a unit: \"90s\", \"15m\", \"8h\" or \"2d\"",
            ),
        }
    }

    /// Every item of a list; all are looked at even when one is wrong.
    pub fn list<T>(&self, mut convert: impl FnMut(&Value) -> Option<T>) -> Option<Vec<T>> {
        let DeValue::Array(items) = self.raw else { return self.wrong_type("a list") };
        let read: Vec<Option<T>> = items
            .iter()
            .map(|item| {
                let place = Place { offset: item.span().start, key: self.place.key.clone() };
                convert(&Value { reading: self.reading, place, key: self.key, raw: item.get_ref() })
            })
            .collect();
        read.into_iter().collect()
    }

    /// A list in which nothing stands twice.
    pub fn distinct<T: PartialEq>(
        &self,
        mut convert: impl FnMut(&Value) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut seen: Vec<T> = Vec::new();
        self.list(|item| {
            let read = convert(item)?;
            if seen.contains(&read) {
                return item.refuse("stands in the list twice", "leave one of them out");
            }
            seen.push(read);
            Some(())
        })?;
        Some(seen)
    }

    /// The entries of a table whose keys people choose, in order of key.
    pub fn entries<T>(&self, mut convert: impl FnMut(&str, &Value) -> Option<T>) -> Option<Vec<T>> {
        let read: Vec<Option<T>> = self
            .table()?
            .iter()
            .map(|(name, value)| {
                let key = format!("{}.{}", self.place.key, name.get_ref());
                let place = Place { offset: value.span().start, key };
                let raw = value.get_ref();
                convert(name.get_ref(), &Value { reading: self.reading, place, key: self.key, raw })
            })
            .collect();
        read.into_iter().collect()
    }

    pub fn table(&self) -> Option<&'v DeTable<'v>> {
        self.raw.as_table().or_else(|| self.wrong_type("a table"))
    }

    /// Says which type it is, never the value: it may be a secret in the wrong place.
    fn wrong_type<T>(&self, wanted: &str) -> Option<T> {
        self.refuse(format!("is {}, not {wanted}", kind(self.raw)), self.key.hint())
    }
}

/// The type of a value with its article.
pub(super) fn kind(value: &DeValue) -> &'static str {
    match value {
        DeValue::Array(_) => "a list",
        DeValue::Boolean(true) => "true",
        DeValue::Boolean(false) => "false",
        DeValue::Datetime(_) => "a date",
        DeValue::Float(_) => "a fraction",
        DeValue::Integer(_) => "a whole number",
        DeValue::String(_) => "a string",
        DeValue::Table(_) => "a table",
    }
}

/// `"a", "b" or "c"`.
pub(super) fn either<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let mut quoted: Vec<String> = words.map(|word| format!("\"{word}\"")).collect();
    match quoted.pop() {
        Some(last) if quoted.is_empty() => last,
        Some(last) => format!("{} or {last}", quoted.join(", ")),
        None => String::new(),
    }
}

fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Seconds in the largest unit that divides them.
fn spelled(seconds: u64) -> String {
    let divides = |(_, scale): &&(&str, u64)| seconds > 0 && seconds.is_multiple_of(*scale);
    let (unit, scale) = UNITS.iter().find(divides).copied().unwrap_or(("s", 1));
    format!("{}{unit}", seconds / scale)
}

const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_spelled_in_their_largest_unit() {
        assert_eq!(spelled(0), "0s");
        assert_eq!(spelled(90), "90s");
        assert_eq!(spelled(3_600), "1h");
        assert_eq!(spelled(30 * 86_400), "30d");
    }
}
