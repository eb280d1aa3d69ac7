//! JSON as it is taken from outside: of bounded depth, and with no member twice in any object.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// Any JSON value. Not `Debug`: claims hold credentials.
#[derive(Clone, PartialEq)]
pub(crate) enum Json {
    Array(Vec<Json>),
    Bool(bool),
    Null,
    Number(f64),
    Object(Object),
    Text(String),
    /// A number without sign or fraction, exactly.
    Whole(u64),
}

/// A JSON object.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Object(BTreeMap<String, Json>);

/// Why a text is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonRefused {
    /// A member occurs twice: two readers could see two values (RFC 8725 §2.4).
    Duplicate,
    /// Not UTF-8, not JSON, not an object, or nested deeper than [`DEPTH`].
    Malformed,
}

impl Object {
    /// Reads one object and nothing after it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, JsonRefused> {
        let duplicate = Cell::new(false);
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let read = Value { depth: DEPTH, duplicate: &duplicate }
            .deserialize(&mut reader)
            .and_then(|value| reader.end().map(|()| value));
        match read {
            Ok(Json::Object(object)) => Ok(object),
            Err(_) if duplicate.get() => Err(JsonRefused::Duplicate),
            _ => Err(JsonRefused::Malformed),
        }
    }

    /// A member, unless it is absent or null.
    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name).filter(|value| **value != Json::Null)
    }

    /// Whether a member is there, null or not.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A member that is a string.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(Json::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Sets a member to a text, or to a list where there are several; nothing where there is none.
    pub(super) fn set(&mut self, name: &str, values: &[String]) {
        let value = match values {
            [] => return,
            [only] => Json::Text(only.clone()),
            several => Json::Array(several.iter().cloned().map(Json::Text).collect()),
        };
        self.0.insert(name.to_owned(), value);
    }

    /// Every member with its name.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Takes a member over, unless there is one of this name.
    pub(crate) fn adopt(&mut self, name: &str, value: &Json) {
        self.0.entry(name.to_owned()).or_insert_with(|| value.clone());
    }

    /// Forgets a member.
    pub(crate) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }
}

/// Deep enough for anything SuperID sends, and far from our stack's end.
const DEPTH: usize = 8;

#[derive(Clone, Copy)]
struct Value<'a> {
    depth: usize,
    duplicate: &'a Cell<bool>,
}

impl Value<'_> {
    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("nested too deep"))?;
        Ok(Self { depth, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Json, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = Json;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Whole(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let inner = self.inner()?;
        let mut items = Vec::new();
        while let Some(item) = from.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let inner = self.inner()?;
        let mut members = BTreeMap::new();
        while let Some(name) = from.next_key::<String>()? {
            let value = from.next_value_seed(inner)?;
            if members.insert(name, value).is_some() {
                self.duplicate.set(true);
                return Err(A::Error::custom("a member occurs twice"));
            }
        }
        Ok(Json::Object(Object(members)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Option<JsonRefused> {
        Object::parse(text.as_bytes()).err()
    }

    #[test]
    fn a_member_twice_is_refused_at_any_level_and_in_any_spelling() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":[{"y":{"a":1,"a":2}}]}"#,
            r#"{"a":null,"a":1}"#,
        ] {
            assert_eq!(refusal(text), Some(JsonRefused::Duplicate), "{text}");
        }
        assert_eq!(refusal(r#"{"a":1,"A":2,"b":{"a":3}}"#), None);
    }

    #[test]
    fn what_is_not_one_object_in_utf8_is_malformed() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(8), "]".repeat(8));
        for text in ["", "[]", "1", "{} {}", "{}x", "{\"a\":1e999}", "{'a':1}", "\u{feff}{}", &deep]
        {
            assert_eq!(refusal(text), Some(JsonRefused::Malformed), "{text}");
        }
        assert!(Object::parse(b"{\"a\":\"\xff\"}").is_err());
        assert!(Object::parse(br#"{"a":"\ud800"}"#).is_err());
    }

    #[test]
    fn null_counts_as_absent_but_is_there() {
        let object = Object::parse(br#"{"a":null,"b":"x"}"#).unwrap_or_default();
        assert!(object.get("a").is_none() && object.has("a"));
        assert_eq!(object.text("b"), Some("x"));
    }
}
