//! `[session]`: how long people stay signed in, and what seals their cookies.

use std::path::PathBuf;
use std::sync::Arc;

use crate::crypto::{KeyId, KeyRing, Random};

use super::key_ring::{self, ring_and_revoked};
use super::reading::quoted;
use super::section::Section;
use super::value::Value;
use super::{Flow, Host, Key, RelyingParty, ResponseMode, Table, relying_party};

pub(super) const TABLE: Table = Table {
    header: "session",
    keys: &[
        Key::defaulted("store", "\"cookie\""),
        Key::required("keys", "[{ file = \"session.key\" }]"),
        Key::defaulted("cookie_name", "\"superid-gateway\""),
        Key::defaulted("same_site", "\"lax\""),
        Key::defaulted("idle", "\"1h\""),
        Key::defaulted("absolute", "\"8h\""),
        Key::defaulted("attempt", "\"10m\""),
        Key::defaulted("leeway", "\"60s\""),
        Key::optional("replicas", "3"),
        Key::defaulted("revoked_keys", "[]"),
        Key::optional("state_dir", "\"/var/lib/superid-gateway\""),
    ],
};

/// Where sessions are kept, and for how long. Times are in seconds.
#[derive(Clone, Debug)]
pub struct Session {
    /// What keeps them. Default `cookie`.
    pub store: SessionStore,
    /// The first key seals, all of them open.
    pub keys: KeyRing,
    /// Keys whose sessions are over: all that one ever sealed, or was made from what it sealed.
    pub revoked_keys: Vec<KeyId>,
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
    /// How many gateways share these sessions, where that is said.
    pub replicas: Option<usize>,
    /// Where it is remembered, through restarts, which sessions were ended.
    pub state_dir: Option<PathBuf>,
}

/// What a rotation of the session keys has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The first file of `session.keys`, where one of them is a file.
    pub file: Option<PathBuf>,
    /// Seconds that a session lives at most.
    pub absolute: u64,
    /// How many gateways share these sessions, where that is said.
    pub replicas: Option<usize>,
}

/// What keeps sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStore {
    /// Each browser its own, sealed in its cookie.
    Cookie,
    /// The process and those that follow it, up to `limits.sessions`.
    Memory,
    /// The Redis of `[redis]`, for all replicas.
    Redis,
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

/// Reads the table.
pub(super) fn session(root: &Section) -> Option<Session> {
    let section = root.section("session", TABLE.keys);
    // Without people there are no cookies to seal.
    let nobody = !root.has("session") && !root.has("host") && root.has("job_listener");
    let keys = match nobody {
        true => Some((KeyRing::new(&[Random::system().bytes()]), Vec::new())),
        false => section.read("keys", |value| ring_and_revoked(value, "a session")),
    };
    let revoked = section.read("revoked_keys", key_ring::names);
    let store = section.read("store", |value| {
        value.choice(&[
            ("cookie", SessionStore::Cookie),
            ("memory", SessionStore::Memory),
            ("redis", SessionStore::Redis),
        ])
    });
    let cookie_name = section.read("cookie_name", cookie_name);
    let same_site = section.read("same_site", |value| {
        value.choice(&[
            ("lax", SameSite::Lax),
            ("strict", SameSite::Strict),
            ("none", SameSite::None),
        ])
    });
    let time = |name, least, most| {
        section.read(name, |value| value.duration(least, most)).map(|time| time.as_secs())
    };
    let idle = time("idle", 60, THIRTY_DAYS);
    let absolute = time("absolute", 60, THIRTY_DAYS);
    let attempt = time("attempt", 60, 3_600);
    let leeway = time("leeway", 0, 120);
    let replicas = section.optional("replicas", |value| value.count(1, 1_000));
    let folder = |value: &Value<'_>| Some(value.reading.path(&value.line(1_024)?));
    let state_dir = section.optional("state_dir", folder);
    if let (Some(idle), Some(absolute)) = (idle, absolute)
        && idle > absolute
    {
        section.reading.problem(
            &section.place("idle"),
            "is longer than session.absolute",
            "make idle the shorter of the two",
        );
    }
    let (keys, revoked_in_files) = keys?;
    let mut revoked_keys = revoked?;
    revoked_keys.extend(revoked_in_files);
    Some(Session {
        store: store?,
        keys,
        revoked_keys,
        cookie_name: cookie_name?,
        same_site: same_site?,
        idle: idle?,
        absolute: absolute?,
        attempt: attempt?,
        leeway: leeway?,
        replicas,
        state_dir,
    })
}

/// What a rotation of the session keys has to know. Nothing else of the table has to hold yet.
pub(super) fn rotation(root: &Section) -> Option<Rotation> {
    let section = root.section("session", TABLE.keys);
    let files = section.read("keys", key_ring::files);
    let absolute = section.read("absolute", |value| value.duration(60, THIRTY_DAYS));
    let replicas = section.optional("replicas", |value| value.count(1, 1_000));
    Some(Rotation { file: files?.into_iter().next(), absolute: absolute?.as_secs(), replicas })
}

/// Reads the table, and holds it against where it is remembered which sessions were ended.
pub(super) fn bounded(root: &Section) -> Option<Session> {
    let mut session = session(root)?;
    bound_the_forgetful(root, &mut session);
    Some(session)
}

/// Bounds sessions whose end nobody remembers: cookies hold them whole, and after a restart the copy of
/// one that was signed out would be good again.
fn bound_the_forgetful(root: &Section, session: &mut Session) {
    let remembers = root.has("redis") || session.state_dir.is_some();
    if session.store != SessionStore::Cookie
        || remembers
        || !root.has("host")
        || session.absolute <= AN_HOUR
    {
        return;
    }
    session.absolute = AN_HOUR;
    session.idle = session.idle.min(AN_HOUR);
    let section = root.section("session", TABLE.keys);
    section.reading.warn(
        &section.place("absolute"),
        "is an hour at most: sessions are in cookies, and which of them were ended is forgotten at a \
         restart",
        "write state_dir = \"/var/lib/superid-gateway\", add [redis], or write absolute = \"1h\"",
    );
}

/// Reports `same_site = "none"` where browsers would drop the cookie: it must be `Secure` then
/// (RFC 6265bis §4.1.2.7), and a plain http host has no such cookies.
pub(super) fn refuse_none_on_http(root: &Section, session: &Session, hosts: &[Arc<Host>]) {
    let plain = hosts.iter().find(|host| !host.origin.is_https());
    if let (SameSite::None, Some(host)) = (session.same_site, plain) {
        let section = root.section("session", TABLE.keys);
        section.reading.problem(
            &section.place("same_site"),
            format!("\"none\" needs https, and [host.{}] is {}", host.name, host.origin),
            "write same_site = \"lax\", or give the host an https origin",
        );
    }
}

/// Warns where sessions are for pages in other sites' frames and a sign-in goes through the page for
/// a fragment, which no frame may show.
pub(super) fn warn_of_fragments_in_frames(
    root: &Section,
    session: &Session,
    parties: &[Arc<RelyingParty>],
) {
    if session.same_site != SameSite::None {
        return;
    }
    let by_fragment = |name: &str| {
        let mut found = parties.iter().filter(|party| party.name == name);
        found.any(|party| party.flow == Flow::Code && party.response.mode == ResponseMode::Fragment)
    };
    let tables = root.named("relying_party", relying_party::TABLE.keys);
    for (_, section) in tables.iter().filter(|(name, _)| by_fragment(name)) {
        section.reading.warn(
            &section.place("response_mode"),
            "\"fragment\" needs a page of ours that no frame may show, and session.same_site = \"none\" \
             is for pages in frames: there nobody could sign in",
            "use response_mode = \"form_post\", or \"query\" for a code",
        );
    }
}

/// A cookie name's letters (RFC 6265 §4.1.1, RFC 9110 §5.6.2).
fn cookie_name(value: &Value) -> Option<String> {
    let name = value.line(64)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !name.bytes().all(fits) {
        let wrong = format!("{} is not a cookie name", quoted(&name));
        return value.refuse(wrong, "use letters, digits and -._ alone");
    }
    if name.starts_with("__") {
        let wrong =
            format!("{} begins with two underscores, which browsers reserve", quoted(&name));
        return value.refuse(wrong, "leave the prefix out: __Host- is added on https");
    }
    Some(name)
}

const AN_HOUR: u64 = 3_600;
const THIRTY_DAYS: u64 = 30 * 86_400;
