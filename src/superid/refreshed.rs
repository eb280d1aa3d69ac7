//! What a refresh token is good for, and what became of using one (RFC 6749 §6).

use crate::clock::Timestamp;
use crate::identity::RefreshToken;

/// What tokens can be had anew with.
#[derive(Clone, Debug)]
pub struct Refreshable {
    pub token: RefreshToken,
    /// When the tokens were asked for that came with it.
    pub asked: Timestamp,
    /// When the access token that came with it is dead.
    pub until: Timestamp,
}

/// What a refresh token brought.
#[derive(Clone, Debug)]
pub struct Refreshed<T> {
    /// Whom the new id_token is about, verified; none came where a provider sends none again.
    pub who: Option<T>,
    /// What takes the place of the refresh token; without it, the old one stays good (RFC 6749 §6).
    pub rotated: Option<RefreshToken>,
    /// When the tokens were asked for.
    pub asked: Timestamp,
    /// When the new access token is dead.
    pub until: Timestamp,
}

/// Why a refresh token brought nothing.
#[derive(Clone, Debug)]
pub struct RefreshFailed<E> {
    pub why: E,
    /// What takes the place of the refresh token all the same: tokens came, and what was with them
    /// could not be looked at.
    pub rotated: Option<RefreshToken>,
}

impl<E> RefreshFailed<E> {
    /// Nothing came.
    pub(crate) fn before(why: impl Into<E>) -> Self {
        Self { why: why.into(), rotated: None }
    }
}
