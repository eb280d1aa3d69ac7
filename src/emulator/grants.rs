//! What SuperID has handed out and remembers: requests, sessions, codes, tokens, tickets.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::prelude::{BASE64_STANDARD, Engine};

use super::ending::Ending;
use super::pkce::Challenge;
use super::response::{Parts, ResponseMode};
use super::shelf::Shelf;

/// Everything that was handed out and is still good.
pub(super) struct Grants {
    pub(super) requests: Shelf<Request>,
    pub(super) sessions: Shelf<SignedIn>,
    pub(super) codes: Shelf<Code>,
    pub(super) access: Shelf<Grant>,
    pub(super) refresh: Shelf<Grant>,
    /// Refresh tokens that were good once.
    pub(super) spent: Shelf<Grant>,
    pub(super) tickets: Shelf<Arc<Pass>>,
}

/// A request to sign somebody in, remembered while its pages are shown.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) client_id: String,
    /// From `/login/{ctx}/…`, `acr_values` or `ctx`; skips the tenant picker.
    pub(super) tenant: Option<String>,
    pub(super) login_hint: Option<String>,
    pub(super) prompt: Prompt,
    pub(super) goal: Goal,
    /// How the person on the sign-in page wants it to end instead.
    pub(super) ending: Option<Ending>,
}

/// How the request ends.
#[derive(Clone, Debug)]
pub(super) enum Goal {
    Callback(Callback),
    /// The legacy form post; `None` where the address asked for is not registered.
    Form {
        target: Option<String>,
    },
}

/// What OpenID Connect has that the legacy form has not.
#[derive(Clone, Debug)]
pub(super) struct Callback {
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<Challenge>,
    pub(super) parts: Parts,
    pub(super) mode: ResponseMode,
}

/// `prompt` as OpenID Connect Core 3.1.2.1 has it; SuperID's own behaviour is not documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prompt {
    Login,
    None,
    Whatever,
}

/// SuperID's own session: who is signed in, and the tenant they picked last.
#[derive(Clone, Debug)]
pub(super) struct SignedIn {
    pub(super) upn: String,
    pub(super) tenant: Option<String>,
}

/// An authorization code's bindings.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) grant: Grant,
    pub(super) redirect_uri: String,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<Challenge>,
}

/// A person's leave for one app in one tenant.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) client_id: String,
    pub(super) upn: String,
    pub(super) ctx: String,
}

/// What a credential lets its bearer do at a tenant.
#[derive(Clone, Debug)]
pub(super) struct Pass {
    pub(super) client_id: String,
    pub(super) ctx: String,
    pub(super) holder: Holder,
}

/// In whose name.
#[derive(Clone, Debug)]
pub(super) enum Holder {
    /// The user name.
    Person(String),
    SystemUser,
}

impl Pass {
    pub(super) fn is_for(&self, ctx: &str) -> bool {
        self.ctx.eq_ignore_ascii_case(ctx)
    }
}

impl From<Grant> for Pass {
    fn from(grant: Grant) -> Self {
        Self { client_id: grant.client_id, ctx: grant.ctx, holder: Holder::Person(grant.upn) }
    }
}

/// How long a code is good (`superid.md` §2).
pub(super) const CODE_LIFETIME: Duration = Duration::from_secs(600);
/// How long an access token is good (`superid.md` §4).
pub(super) const ACCESS_LIFETIME: Duration = Duration::from_secs(3600);
/// How long a ticket lives after its last use (`superid.md` §5).
pub(super) const TICKET_IDLE: Duration = Duration::from_secs(6 * 3600);
/// How long a sign-in page may stay open.
pub(super) const REQUEST_LIFETIME: Duration = Duration::from_secs(1800);
/// How long SuperID remembers a browser.
pub(super) const SESSION_LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// Refresh tokens last as long as the registration (`superid.md` §4); ten years stand for that.
const REFRESH_LIFETIME: Duration = Duration::from_secs(10 * 365 * 86_400);

impl Grants {
    pub(super) fn new() -> Self {
        Self {
            requests: Shelf::new(2_000),
            sessions: Shelf::new(2_000),
            codes: Shelf::new(2_000),
            access: Shelf::new(10_000),
            refresh: Shelf::new(10_000),
            spent: Shelf::new(10_000),
            tickets: Shelf::new(100_000),
        }
    }

    pub(super) fn code(&self, code: Code, now: SystemTime) -> String {
        let name = alphanumeric(64);
        self.codes.put(&name, code, now + CODE_LIFETIME);
        name
    }

    pub(super) fn access_token(&self, grant: &Grant, end: SystemTime) -> String {
        let token = access_token(&grant.ctx);
        self.access.put(&token, grant.clone(), end);
        token
    }

    pub(super) fn refresh_token(&self, grant: &Grant, now: SystemTime) -> String {
        let token = alphanumeric(64);
        self.refresh.put(&token, grant.clone(), now + REFRESH_LIFETIME);
        token
    }

    /// The grant of a refresh token that is good once, which it is no longer. One that comes again
    /// takes all of its person's with it: somebody else may have it (RFC 9700 §4.14.2).
    pub(super) fn spend_refresh(&self, token: &str, now: SystemTime) -> Option<Grant> {
        if let Some(grant) = self.refresh.take(token, now) {
            self.spent.put(token, grant.clone(), now + REFRESH_LIFETIME);
            return Some(grant);
        }
        let grant = self.spent.get(token, now)?;
        self.refresh.forget_where(|other| {
            (&other.client_id, &other.upn, &other.ctx) == (&grant.client_id, &grant.upn, &grant.ctx)
        });
        None
    }

    pub(super) fn ticket(&self, pass: Pass, now: SystemTime) -> String {
        let ticket = ticket(&pass.ctx);
        self.tickets.put(&ticket, Arc::new(pass), now + TICKET_IDLE);
        ticket
    }

    /// Ends every ticket and access token of an app in a tenant; refresh tokens as well.
    pub(super) fn end(&self, client_id: &str, ctx: &str) {
        let of_grant =
            |grant: &Grant| grant.client_id == client_id && grant.ctx.eq_ignore_ascii_case(ctx);
        self.access.forget_where(of_grant);
        self.refresh.forget_where(of_grant);
        let of_pass = |pass: &Arc<Pass>| pass.client_id == client_id && pass.is_for(ctx);
        self.tickets.forget_where(of_pass);
    }
}

/// `length` random letters and digits.
pub(super) fn alphanumeric(length: usize) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(length);
    while text.len() < length {
        // 248 is the largest multiple of 62 in a byte: what is above would favour some letters.
        let fair = random::<96>().into_iter().filter(|byte| *byte < 248);
        let letters = fair.map(|byte| char::from(ALPHABET[usize::from(byte) % 62]));
        text.extend(letters.take(length - text.len()));
    }
    text
}

/// `8A:Cust12345.` and standard base64 that always has `+`, `/` and `=` (`superid.md` §4), so
/// that a caller who forgets to encode one is found out.
fn access_token(ctx: &str) -> String {
    loop {
        let secret = BASE64_STANDARD.encode(random::<64>());
        if secret.contains('+') && secret.contains('/') {
            return format!("8A:{ctx}.{secret}");
        }
    }
}

/// `7T:` and base64 of UTF-16LE `<32 hex>;<integer>;<ctx>` (`superid.md` §5).
pub(super) fn ticket(ctx: &str) -> String {
    let hex: String = random::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
    let number = u32::from_le_bytes(random::<4>()) & 0x7fff_ffff;
    let text = format!("{hex};{number};{ctx}");
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    format!("7T:{}", BASE64_STANDARD.encode(bytes))
}

/// The tenant that a ticket or an access token names, whether it is still good or not.
pub(super) fn tenant_named_in(credential: &str) -> Option<String> {
    if let Some(rest) = credential.strip_prefix("8A:") {
        return Some(rest.split_once('.')?.0.to_owned());
    }
    let bytes = BASE64_STANDARD.decode(credential.strip_prefix("7T:")?).ok()?;
    let units: Vec<u16> =
        bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let text = String::from_utf16(&units).ok()?;
    Some(text.rsplit_once(';')?.1.to_owned())
}

pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
