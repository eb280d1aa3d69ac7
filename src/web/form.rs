//! Query strings and posted forms: each field at most once, names in any case.

use std::collections::HashMap;

/// The fields of a query or form, by lower-case name.
#[derive(Clone, Default)]
pub struct Fields(HashMap<String, String>);

/// A field was given more than once: which one counts would be anybody's guess.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a parameter is given more than once")]
pub struct DuplicateField;

impl std::fmt::Debug for Fields {
    /// Names alone: codes and tokens are among the values.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}

impl Fields {
    /// Reads `application/x-www-form-urlencoded` text. SuperID writes legacy field names in
    /// either case (`superid.md` §3), so names are compared without.
    ///
    /// # Errors
    /// [`DuplicateField`], for names that differ only in case too.
    pub fn parse(text: &[u8]) -> Result<Self, DuplicateField> {
        let mut fields = HashMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            if fields.insert(name.to_ascii_lowercase(), value.into_owned()).is_some() {
                return Err(DuplicateField);
            }
        }
        Ok(Self(fields))
    }

    /// A field's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Every value there is.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_duplicates_refused() {
        let fields = Fields::parse(b"JWT=a%2Bb&state=x+y").unwrap();
        assert_eq!(fields.get("jwt"), Some("a+b"));
        assert_eq!(fields.get("state"), Some("x y"));
        assert_eq!(Fields::parse(b"code=1&Code=2").unwrap_err(), DuplicateField);
    }
}
