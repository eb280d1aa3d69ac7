//! Which tenants let which apps in, and the system token each of them stands for.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};

use super::apps::{App, Consent};

/// What administrators have said, by client id and tenant; silence is the app's own default.
#[derive(Default)]
pub(super) struct Consents {
    said: Mutex<HashMap<(String, String), Said>>,
}

#[derive(Clone, Copy, Default)]
struct Said {
    /// How often consent was given again after it was withdrawn.
    renewals: u32,
    word: Word,
}

/// What has been said of an app in a tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Word {
    Denied,
    #[default]
    Given,
    /// The app wants more than was approved: nobody of the tenant gets in until it is approved
    /// anew (`superid.md` §7).
    NeedsReapproval,
    Withdrawn,
}

/// What a system token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    NeedsReapproval,
    Unknown,
    Withdrawn,
}

impl Consents {
    pub(super) fn given(&self, app: &App, ctx: &str) -> bool {
        self.word(app, ctx) == Some(Word::Given)
    }

    /// `None` where nobody has been asked yet.
    pub(super) fn word(&self, app: &App, ctx: &str) -> Option<Word> {
        match self.said(&app.client_id, ctx) {
            Some(said) => Some(said.word),
            None => (app.consent == Consent::Given).then_some(Word::Given),
        }
    }

    /// An administrator says yes; after a withdrawal that makes a new system token.
    pub(super) fn give(&self, client_id: &str, ctx: &str) {
        let mut all = self.held();
        let said = all.entry(key(client_id, ctx)).or_default();
        said.renewals += u32::from(said.word == Word::Withdrawn);
        said.word = Word::Given;
    }

    /// Sets the word without anybody's approval: what was withdrawn and is given again has its
    /// old system token.
    pub(super) fn set(&self, client_id: &str, ctx: &str, word: Word) {
        self.held().entry(key(client_id, ctx)).or_default().word = word;
    }

    /// `AppName-xxxxxxxxxx` (`superid.md` §5), the same for an app and a tenant while consent
    /// lives.
    pub(super) fn system_token(&self, app: &App, ctx: &str) -> String {
        let renewals = self.said(&app.client_id, ctx).unwrap_or_default().renewals;
        system_token(app, ctx, renewals)
    }

    pub(super) fn standing(&self, app: &App, ctx: &str, token: &str) -> Standing {
        let said = self.said(&app.client_id, ctx).unwrap_or_default();
        let is = |renewals| system_token(app, ctx, renewals) == token;
        match self.word(app, ctx) {
            Some(Word::Given) if is(said.renewals) => return Standing::Good,
            Some(Word::NeedsReapproval) if is(said.renewals) => return Standing::NeedsReapproval,
            _ => {}
        }
        let never_asked = app.consent == Consent::Asked && self.said(&app.client_id, ctx).is_none();
        match (0..=said.renewals).any(is) && !never_asked {
            true => Standing::Withdrawn,
            false => Standing::Unknown,
        }
    }

    fn said(&self, client_id: &str, ctx: &str) -> Option<Said> {
        self.held().get(&key(client_id, ctx)).copied()
    }

    fn held(&self) -> MutexGuard<'_, HashMap<(String, String), Said>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(client_id: &str, ctx: &str) -> (String, String) {
    (client_id.to_owned(), ctx.to_ascii_lowercase())
}

fn system_token(app: &App, ctx: &str, renewals: u32) -> String {
    let seed = match renewals {
        0 => format!("{} {ctx}", app.client_id),
        _ => format!("{} {ctx} {renewals}", app.client_id),
    };
    let hash = digest(&SHA256, seed.as_bytes());
    let tail: String = hash.as_ref()[..5].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{tail}", app.name)
}
