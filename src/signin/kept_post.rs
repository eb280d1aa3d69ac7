//! What somebody was sending when they had to sign in: kept for the browser that sent it, and handed
//! out once, to the person who was signed in before where that is known.
//!
//! A small one lies in a cookie, a larger one with us, and the cookie says which. Both are sealed. Where
//! replicas share a store, the larger one lies there, and there it is said that one was sent.

use http::HeaderValue;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::clock::Timestamp;
use crate::crypto::{KeyRing, Purpose, sha256};
use crate::identity::ContextId;
use crate::redis_link::LinkFailed;
use crate::session::SessionState;
use crate::web::SetCookie;

use super::begin::Wish;
use super::binding::Binding;
use super::desk::{Counter, Desk};
use super::failure::Outcome;
use super::posts::{NotKnown, PostNotKept};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// It was kept for somebody else than is signed in now.
    AnotherPersons,
    /// It is not here any more.
    Lost,
    Nothing,
    /// It can be handed out, unless another replica does or its store has lost it.
    Ready,
    /// It was sent already.
    Sent,
}

/// What came of asking for it.
#[derive(Debug)]
pub enum HandedOut {
    /// Why it was not.
    Not(Waiting),
    /// It, with the cookie that says so.
    Now(Post, Option<HeaderValue>),
    /// Nobody can tell whether it was sent before.
    Unavailable(NotKnown),
}

/// Whom it was kept for.
#[derive(Serialize, Deserialize)]
struct Whom {
    binding: [u8; 16],
    /// The tenant the sign-in is for, where there is only one.
    tenant: Option<ContextId>,
    /// Who was signed in before, and in which tenant.
    whose: Option<(String, ContextId)>,
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
    Here(Whom, Post),
    Sent,
    Shelf(Whom),
}

impl Desk {
    /// Keeps one while its sender signs in, to one tenant where that is asked for.
    ///
    /// # Errors
    /// [`PostNotKept`] when it is too large for a cookie, and there is no room for it or no store.
    pub async fn keep_post(
        &self,
        at: Counter<'_>,
        post: Post,
        tenant: Option<ContextId>,
    ) -> Result<KeptPost, PostNotKept> {
        let binding = self.binding(at).unwrap_or_else(|| Binding::fresh(&self.random));
        let before = at.sessions.whose(at.cookies);
        let whose =
            before.map(|state| (state.principal.subject.clone(), state.principal.context.clone()));
        let (id, begun, target) = (self.random.bytes(), self.clock.now(), digest(&post.target));
        let whom = Whom { binding: binding.fingerprint(), tenant, whose };
        let note = Note { id, begun, target, held: Place::Here(whom, post) };
        let cookie = match (self.noted(at, &note), note.held) {
            (Some(cookie), _) => cookie,
            (None, Place::Here(whom, post)) => {
                let plain = postcard::to_stdvec(&post).map_err(|_| ShelfFull)?;
                let sealed = self.keys.seal(Purpose::Post, &context(&id), &plain, &self.random);
                let note = Note { id, begun, target, held: Place::Shelf(whom) };
                let cookie = self.noted(at, &note).ok_or(ShelfFull)?;
                let until = begun.plus(self.attempt_life);
                self.posts.keep(id, (until, begun), sealed).await?;
                cookie
            }
            (None, Place::Sent | Place::Shelf(_)) => return Err(ShelfFull.into()),
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
            Some(note) => self.waits(at, &note, session),
            None => Waiting::Nothing,
        }
    }

    /// Hands out what waits there, once over all replicas.
    pub async fn hand_out(
        &self,
        at: Counter<'_>,
        target: &str,
        session: &SessionState,
    ) -> HandedOut {
        let Some(note) = self.note(at, target) else { return HandedOut::Not(Waiting::Nothing) };
        let why_not = self.waits(at, &note, session);
        if why_not != Waiting::Ready {
            return HandedOut::Not(why_not);
        }
        let (id, until, now) = (note.id, note.begun.plus(self.attempt_life), self.clock.now());
        let sent = Note { id, begun: note.begun, target: note.target, held: Place::Sent };
        let post = match self.taken(note, now).await {
            Ok(Some(post)) => post,
            Ok(None) => {
                let sent = self.posts.was_sent_elsewhere(&id, (until, now)).await;
                return match sent {
                    Ok(true) => HandedOut::Not(Waiting::Sent),
                    Ok(false) => HandedOut::Not(Waiting::Lost),
                    Err(failed) => HandedOut::Unavailable(failed.into()),
                };
            }
            Err(failed) => return HandedOut::Unavailable(failed.into()),
        };
        match self.posts.sends_first(&id, (until, now), &self.random).await {
            Ok(true) => HandedOut::Now(post, self.noted(at, &sent)),
            Ok(false) => HandedOut::Not(Waiting::Sent),
            Err(failed) => HandedOut::Unavailable(failed),
        }
    }

    /// The cookie that takes the note away.
    pub fn forget_post(&self, at: Counter<'_>) -> HeaderValue {
        let name = &at.names.post;
        SetCookie { name, value: "", max_age: Some(0), attributes: at.attributes() }.header()
    }

    fn waits(&self, at: Counter<'_>, note: &Note, session: &SessionState) -> Waiting {
        let now = self.clock.now();
        let whom = match &note.held {
            Place::Sent => return Waiting::Sent,
            _ if self.posts.was_sent(&note.id, now) => return Waiting::Sent,
            Place::Here(whom, _) => whom,
            Place::Shelf(_) if !self.posts.may_have(&note.id, now) => return Waiting::Lost,
            Place::Shelf(whom) => whom,
        };
        let Some(binding) = self.binding(at) else { return Waiting::Lost };
        if !bool::from(whom.binding.ct_eq(&binding.fingerprint())) {
            return Waiting::Lost;
        }
        let who = &session.principal;
        let same = |(subject, context): &(String, ContextId)| {
            *subject == who.subject && *context == who.context
        };
        let tenant = whom.tenant.as_ref().is_none_or(|tenant| *tenant == who.context);
        match whom.whose.as_ref().is_none_or(same) && tenant {
            true => Waiting::Ready,
            false => Waiting::AnotherPersons,
        }
    }

    /// It itself, from wherever it lies.
    async fn taken(&self, note: Note, now: Timestamp) -> Result<Option<Post>, LinkFailed> {
        match note.held {
            Place::Here(_, post) => Ok(Some(post)),
            Place::Sent => Ok(None),
            Place::Shelf(_) => Ok(self.posts.look(&note.id, now).await?.and_then(|sealed| {
                let plain = self.keys.open(Purpose::Post, &context(&note.id), &sealed).ok()?;
                postcard::from_bytes(&plain).ok()
            })),
        }
    }

    /// What the cookie says of this address, if it is alive.
    fn note(&self, at: Counter<'_>, target: &str) -> Option<Note> {
        let name = &at.names.post;
        let sealed = at.cookies.one(name)?;
        let plain = self.keys.open(Purpose::Post, &noting(at), sealed).ok()?;
        let note: Note = postcard::from_bytes(&plain).ok()?;
        (self.is_alive(note.begun) && note.target == digest(target)).then_some(note)
    }

    fn noted(&self, at: Counter<'_>, note: &Note) -> Option<HeaderValue> {
        let plain = postcard::to_stdvec(note).ok()?;
        if KeyRing::sealed_len(plain.len()) > MOST_SEALED {
            return None;
        }
        let name = &at.names.post;
        let value = self.keys.seal(Purpose::Post, &noting(at), &plain, &self.random);
        let (max_age, attributes) = (Some(self.attempt_life), at.attributes());
        Some(SetCookie { name, value: &value, max_age, attributes }.header())
    }
}

/// What is sealed in with a note, and with it which shape it has: one of another shape does not open.
fn noting(at: Counter<'_>) -> Vec<u8> {
    [at.context(&at.names.post).as_slice(), b"\n2"].concat()
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
