//! A string that is wiped when dropped and that nothing can print.

use std::fmt;

use aws_lc_rs::constant_time;
use bytes::Bytes;
use http::HeaderValue;
use zeroize::Zeroizing;

/// A credential, key or token. `Debug` shows only its length; there is no `Display`.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the string over.
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The string itself; the name is there to be searched for in reviews.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Compares without telling by time where two values differ; lengths may be told.
    pub fn matches(&self, other: &str) -> bool {
        let (ours, theirs) = (self.0.as_bytes(), other.as_bytes());
        constant_time::verify_slices_are_equal(ours, theirs).is_ok()
    }

    /// The string behind a word, as the value of a header; `None` where no header can hold it. Its
    /// clones are cheap, print nothing, and the last one wipes it.
    pub fn header(&self, word: &str) -> Option<HeaderValue> {
        let text = Zeroizing::new([word, self.reveal()].concat().into_bytes());
        if !text.is_ascii() {
            return None;
        }
        let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(text)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.matches(other.reveal())
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Secret({} bytes)", self.0.len())
    }
}

impl serde::Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret(7 bytes)");
        assert!(secret.matches("hunter2"));
        assert!(!secret.matches("hunter3") && !secret.matches("hunter22"));
        assert!(!secret.matches("") && Secret::new(String::new()).matches(""));
    }

    #[test]
    fn a_header_holds_it_behind_a_word_and_does_not_print_it() {
        let header = Secret::new("hunter2".to_owned()).header("Basic ").unwrap();
        assert_eq!(header.as_bytes(), b"Basic hunter2");
        assert!(header.is_sensitive() && header.clone().is_sensitive());
        assert!(!format!("{header:?}").contains("hunter2"));
        for odd in ["two\r\nlines", "h\u{fc}nter", "\u{7f}", "\0"] {
            assert_eq!(Secret::new(odd.to_owned()).header(""), None, "{odd:?}");
        }
    }
}
