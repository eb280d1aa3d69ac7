//! `[session]`: how long people stay signed in, and what seals their cookies.

use crate::crypto::KeyRing;

/// Sessions in a sealed cookie. Times are in seconds.
#[derive(Clone, Debug)]
pub struct Session {
    /// The first key seals, all of them open.
    pub keys: KeyRing,
    /// The cookies' common name; `__Host-` is put before it on https. Default `superid-gateway`.
    pub cookie_name: String,
    pub same_site: SameSite,
    /// Signed out after this long without a request. Default 1 hour.
    pub idle: u64,
    /// Signed out after this long whatever happens. Default 8 hours.
    pub absolute: u64,
    /// How long a sign-in may take from redirect to callback. Default 10 minutes.
    pub attempt: u64,
    /// How far a token's times may lie off our clock. Default 60 seconds.
    pub leeway: u64,
}

/// Which requests from other sites carry the session cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Top-level navigations only.
    Lax,
    /// All of them, for pages framed by another site; https only.
    None,
    /// None of them.
    Strict,
}
