//! What a token says of the key that signed it.

/// Which key a token says it was signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyHint {
    /// Nothing is said that would be believed: any key may be it.
    Any,
    /// `kid`, and `x5t` where it is there too.
    Kid { kid: String, x5t: Option<String> },
    /// Neither: only a sole key will do.
    Unnamed,
    /// `x5t` alone, as older tokens have it (`superid.md` §3.1).
    X5t(String),
}
