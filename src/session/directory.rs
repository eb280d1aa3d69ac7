//! Lists of sessions by tenant and person, for those who look after them.
//!
//! A cookie store has none: the browsers have the sessions.

use crate::clock::Timestamp;
use crate::crypto::KeyRing;
use crate::identity::ContextId;
use crate::redis_link::LinkFailed;

use super::index::Place;
use super::label::{Label, Listed};
use super::lifetimes::Lifetimes;
use super::marks::lowered;
use super::revocations::Revocations;
use super::state::SessionId;
use super::store::Store;

/// The sessions of one configuration.
pub struct Directory<'a> {
    store: &'a Store,
    ended: &'a Revocations,
    keys: &'a KeyRing,
    lifetimes: Lifetimes,
}

/// Which sessions are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub tenant: Option<ContextId>,
    /// Compared in lower case.
    pub person: Option<String>,
    /// The environment or provider that vouched for them.
    pub authority: Option<String>,
    /// What [`Page::next`] said.
    pub after: Option<String>,
    /// How many at most.
    pub most: usize,
}

/// Part of a list. It may have fewer than were asked for, and still not be the last.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub sessions: Vec<Listed>,
    /// Where the next part begins; `None` for the last.
    pub next: Option<String>,
}

/// Why there is no list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotListed {
    #[error("that is not where a list goes on")]
    Cursor,
    #[error("the session store: {0}")]
    Unavailable(#[from] LinkFailed),
    #[error("the browsers have the sessions")]
    WithBrowsers,
    #[error("neither a tenant nor a person is named")]
    Whose,
}

impl<'a> Directory<'a> {
    /// Of this store.
    pub fn new(
        (store, ended): (&'a Store, &'a Revocations),
        keys: &'a KeyRing,
        lifetimes: Lifetimes,
    ) -> Self {
        Self { store, ended, keys, lifetimes }
    }

    /// The living sessions that are wanted, in an order of the store's own.
    ///
    /// # Errors
    /// [`NotListed`].
    pub async fn list(&self, wanted: &Wanted, now: Timestamp) -> Result<Page, NotListed> {
        if wanted.tenant.is_none() && wanted.person.is_none() {
            return Err(NotListed::Whose);
        }
        let fits = |listed: &Listed| wanted.has(&listed.label) && self.lives(listed, now);
        match self.store {
            Store::Cookie => Err(NotListed::WithBrowsers),
            Store::Memory(records) => {
                let after = wanted.after.as_deref().map(SessionId::parse);
                let after = after.map(|read| read.ok_or(NotListed::Cursor)).transpose()?;
                let (sessions, more) = records.list(after, wanted.most, fits);
                let last = sessions.last().filter(|_| more).map(|last| last.id.to_string());
                Ok(Page { sessions, next: last })
            }
            Store::Redis(shared) => {
                let places = wanted.places(self.keys);
                let after = wanted.after.as_deref().map(Place::parse);
                let after = after.map(|read| read.ok_or(NotListed::Cursor)).transpose()?;
                let index = shared.index(self.keys)?;
                let (mut sessions, next) = index.list(&places, after, wanted.most).await?;
                sessions.retain(fits);
                Ok(Page { sessions, next: next.map(|next| next.to_string()) })
            }
        }
    }

    /// Ends one session for good, and takes it out of the store; `false` where the store knows that there is
    /// none. A store of cookies does not know.
    ///
    /// # Errors
    /// The store cannot be asked; then nothing is done.
    pub async fn take_out(&self, id: SessionId) -> Result<bool, LinkFailed> {
        match self.store {
            Store::Cookie => Ok(true),
            Store::Memory(records) => Ok(records.take_out(&id.0)),
            Store::Redis(shared) => shared.take_out(&id.0).await,
        }
    }

    fn lives(&self, listed: &Listed, now: Timestamp) -> bool {
        let seen = listed.seen.unwrap_or(now);
        self.lifetimes.unfit(listed.signed_in, seen, now).is_none()
            && !self.ended.has_listed(&listed.id.0, &listed.label, listed.signed_in)
    }
}

impl Wanted {
    fn has(&self, label: &Label) -> bool {
        self.tenant.as_ref().is_none_or(|tenant| tenant == label.tenant())
            && self.authority.as_ref().is_none_or(|authority| authority == label.authority())
            && self.person.as_ref().is_none_or(|who| lowered(who) == lowered(label.person()))
    }

    /// The lists in which all of them are: a person's is the shorter one.
    fn places(&self, keys: &KeyRing) -> Vec<String> {
        match (&self.person, &self.tenant) {
            (Some(person), _) => super::index::of_person(keys, person),
            (None, Some(tenant)) => super::index::of_tenant(keys, tenant),
            (None, None) => Vec::new(),
        }
    }
}
