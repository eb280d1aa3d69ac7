//! What somebody was sending when they had to sign in: kept for the browser that sent it, and handed
//! out once, to the person who was signed in before where that is known.
//!
//! A small one lies in a cookie, a larger one here, and the cookie says which. Both are sealed.

use http::HeaderValue;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::clock::Timestamp;
use crate::crypto::{KeyRing, Purpose, sha256};
use crate::identity::ContextId;
use crate::session::SessionState;
use crate::web::SetCookie;

use super::begin::Wish;
use super::binding::Binding;
use super::desk::{Counter, Desk};
use super::failure::Outcome;
use super::shelf::ShelfFull;

/// A request that was not sent on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// Path and query.
    pub target: String,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

/// One that is kept, and the browser it is kept for.
pub struct KeptPost {
    binding: Binding,
    cookie: HeaderValue,
}

/// What waits for a browser at an address.
#[derive(Debug, PartialEq, Eq)]
pub enum Waiting {
    /// It was kept for somebody else than is signed in now.
    AnotherPersons,
    /// It is not here any more.
    Lost,
    Nothing,
    Ready(Post),
    /// It was sent already.
    Sent,
}

/// All that is kept of one.
#[derive(Serialize, Deserialize)]
struct Held {
    binding: [u8; 16],
    /// The tenant the sign-in is for, where there is only one.
    tenant: Option<ContextId>,
    /// Who was signed in before, and in which tenant.
    whose: Option<(String, ContextId)>,
    post: Post,
}

/// What the cookie says.
#[derive(Serialize, Deserialize)]
struct Note {
    id: [u8; 16],
    begun: Timestamp,
    /// A digest of the address.
    target: [u8; 32],
    held: Place,
}

#[derive(Serialize, Deserialize)]
enum Place {
    Here(Held),
    Sent,
    Shelf,
}

impl Desk {
    /// Keeps one while its sender signs in, to one tenant where that is asked for.
    ///
    /// # Errors
    /// [`ShelfFull`] when it is too large for a cookie and there is no room here.
    pub fn keep_post(
        &self,
        at: Counter<'_>,
        post: Post,
        tenant: Option<ContextId>,
    ) -> Result<KeptPost, ShelfFull> {
        let binding = self.binding(at).unwrap_or_else(|| Binding::fresh(&self.random));
        let before = at.sessions.whose(at.cookies);
        let whose =
            before.map(|state| (state.principal.subject.clone(), state.principal.context.clone()));
        let (id, begun) = (self.random.bytes(), self.clock.now());
        let target = digest(&post.target);
        let held = Held { binding: binding.fingerprint(), tenant, whose, post };
        let note = Note { id, begun, target, held: Place::Here(held) };
        let small = self.noted(at, &note);
        let cookie = match (small, note.held) {
            (Some(cookie), _) => cookie,
            (None, Place::Here(held)) => {
                let plain = postcard::to_stdvec(&held).map_err(|_| ShelfFull)?;
                let sealed = self.keys.seal(Purpose::Post, &context(&id), &plain, &self.random);
                self.posts.put(
                    id,
                    begun.plus(self.attempt_life),
                    sealed,
                    (begun, self.posts_most),
                )?;
                let note = Note { held: Place::Shelf, ..note_of(id, begun, target) };
                self.noted(at, &note).ok_or(ShelfFull)?
            }
            (None, Place::Sent | Place::Shelf) => return Err(ShelfFull),
        };
        Ok(KeptPost { binding, cookie })
    }

    /// As [`Desk::begin`], with something kept.
    ///
    /// # Errors
    /// As that.
    pub async fn begin_keeping(&self, at: Counter<'_>, wish: &Wish<'_>, kept: KeptPost) -> Outcome {
        let begun = self.begin_anywhere_as(at, wish, kept.binding).await?;
        Ok(begun.with_cookies([kept.cookie]))
    }

    /// The cookies of something kept for somebody who has yet to choose how to sign in.
    pub fn keeping(&self, at: Counter<'_>, kept: KeptPost) -> [HeaderValue; 2] {
        [self.bind(at, &kept.binding), kept.cookie]
    }

    /// Whether something was posted to this address by this browser and kept.
    pub fn has_kept(&self, at: Counter<'_>, target: &str) -> bool {
        self.note(at, target).is_some()
    }

    /// What waits at an address for the browser and the person of a session.
    pub fn waiting(&self, at: Counter<'_>, target: &str, session: &SessionState) -> Waiting {
        match self.note(at, target) {
            Some(note) => self.found(at, note, session),
            None => Waiting::Nothing,
        }
    }

    /// The same, handed out: with the cookie that says so where it is [`Waiting::Ready`], and once.
    pub fn hand_out(
        &self,
        at: Counter<'_>,
        target: &str,
        session: &SessionState,
    ) -> (Waiting, Option<HeaderValue>) {
        let Some(note) = self.note(at, target) else { return (Waiting::Nothing, None) };
        let (id, begun) = (note.id, note.begun);
        let sent = Note { held: Place::Sent, ..note_of(id, begun, note.target) };
        let found = self.found(at, note, session);
        if !matches!(found, Waiting::Ready(_)) {
            return (found, None);
        }
        if self.spend(&id, begun.plus(self.attempt_life)).is_err() {
            return (Waiting::Sent, None);
        }
        self.posts.drop_it(&id);
        (found, self.noted(at, &sent))
    }

    /// The cookie that takes the note away.
    pub fn forget_post(&self, at: Counter<'_>) -> HeaderValue {
        let name = &at.names.post;
        SetCookie { name, value: "", max_age: Some(0), attributes: at.attributes() }.header()
    }

    fn found(&self, at: Counter<'_>, note: Note, session: &SessionState) -> Waiting {
        let held = match note.held {
            Place::Sent => return Waiting::Sent,
            _ if self.spent.knows(&note.id, self.clock.now()) => return Waiting::Sent,
            Place::Here(held) => Some(held),
            Place::Shelf => self.posts.look(&note.id, self.clock.now()).and_then(|sealed| {
                let context = context(&note.id);
                let plain = self.keys.open(Purpose::Post, &context, sealed.as_bytes()).ok()?;
                postcard::from_bytes(&plain).ok()
            }),
        };
        let (Some(held), Some(binding)) = (held, self.binding(at)) else { return Waiting::Lost };
        if !bool::from(held.binding.ct_eq(&binding.fingerprint())) {
            return Waiting::Lost;
        }
        let who = &session.principal;
        let same = |(subject, context): &(String, ContextId)| {
            *subject == who.subject && *context == who.context
        };
        let tenant = held.tenant.as_ref().is_none_or(|tenant| *tenant == who.context);
        match held.whose.as_ref().is_none_or(same) && tenant {
            true => Waiting::Ready(held.post),
            false => Waiting::AnotherPersons,
        }
    }

    /// What the cookie says of this address, if it is alive.
    fn note(&self, at: Counter<'_>, target: &str) -> Option<Note> {
        let name = &at.names.post;
        let sealed = at.cookies.one(name)?;
        let plain = self.keys.open(Purpose::Post, &at.context(name), sealed).ok()?;
        let note: Note = postcard::from_bytes(&plain).ok()?;
        (self.is_alive(note.begun) && note.target == digest(target)).then_some(note)
    }

    fn noted(&self, at: Counter<'_>, note: &Note) -> Option<HeaderValue> {
        let plain = postcard::to_stdvec(note).ok()?;
        if KeyRing::sealed_len(plain.len()) > MOST_SEALED {
            return None;
        }
        let name = &at.names.post;
        let value = self.keys.seal(Purpose::Post, &at.context(name), &plain, &self.random);
        let (max_age, attributes) = (Some(self.attempt_life), at.attributes());
        Some(SetCookie { name, value: &value, max_age, attributes }.header())
    }
}

fn note_of(id: [u8; 16], begun: Timestamp, target: [u8; 32]) -> Note {
    Note { id, begun, target, held: Place::Sent }
}

fn digest(target: &str) -> [u8; 32] {
    sha256(&[b"kept post", target.as_bytes()])
}

/// What is sealed in with one that lies here: it opens under its own id only.
fn context(id: &[u8; 16]) -> Vec<u8> {
    [b"shelf\n".as_slice(), id].concat()
}

/// Bytes of a sealed note, so that the cookie stays under a browser's 4,096.
const MOST_SEALED: usize = 3000;
