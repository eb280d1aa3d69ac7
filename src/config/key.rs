//! What a key is called and what it is when left out: written here once, for the reader, for the
//! hints in problems, and for the test of `config/reference.toml`.

/// One key of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub name: &'static str,
    pub kind: KeyKind,
    /// A value as TOML: the default of a [`KeyKind::Defaulted`] key, else an example.
    pub text: &'static str,
    /// A value as TOML that shows the form, for hints; the same as `text` unless that is empty.
    pub example: &'static str,
}

/// What leaving a key out means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// The value is `text`.
    Defaulted,
    /// Nothing, or something that follows from other keys.
    Optional,
    /// A problem.
    Required,
}

/// One table of the file, `NAME` standing for a name people choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    pub header: &'static str,
    pub keys: &'static [Key],
}

impl Key {
    pub(super) const fn defaulted(name: &'static str, text: &'static str) -> Self {
        Self { name, kind: KeyKind::Defaulted, text, example: text }
    }

    pub(super) const fn optional(name: &'static str, text: &'static str) -> Self {
        Self { name, kind: KeyKind::Optional, text, example: text }
    }

    pub(super) const fn required(name: &'static str, text: &'static str) -> Self {
        Self { name, kind: KeyKind::Required, text, example: text }
    }

    /// The same key with a hint of its own, where the default shows no form.
    pub(super) const fn such_as(self, example: &'static str) -> Self {
        Self { example, ..self }
    }

    /// `name = example`, for the second half of a problem.
    pub(super) fn hint(&self) -> String {
        format!("write {} = {}", self.name, self.example)
    }
}
