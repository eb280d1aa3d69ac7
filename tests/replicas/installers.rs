//! Administrators who install the app, and the book of what they were told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use superid_gateway::clock::Clock;
use superid_gateway::emulator::Emulator;
use tokio::task::JoinSet;

use crate::browser::Browser;
use crate::wire::Net;

/// Installs in one new tenant after another, and, every other time, anew in one that is there.
pub struct Installers {
    superid: Arc<Emulator>,
    net: Net,
    url: String,
    next: AtomicU32,
    over: AtomicBool,
    pub book: Mutex<Book>,
}

/// What was acknowledged, and what came to nothing.
#[derive(Clone, Default)]
pub struct Book {
    /// By tenant: the tokens that browsers were told of, the latest last.
    acknowledged: BTreeMap<String, Vec<String>>,
    pub failed: Vec<String>,
}

impl Installers {
    pub fn new(superid: Arc<Emulator>, net: Net, url: String) -> Arc<Self> {
        let (next, over) = (AtomicU32::new(0), AtomicBool::new(false));
        Arc::new(Self { superid, net, url, next, over, book: Mutex::default() })
    }

    /// So many at once, until [`Installers::end`].
    pub fn begin(self: &Arc<Self>, writers: u32) -> JoinSet<()> {
        let mut all = JoinSet::new();
        for writer in 0..writers {
            all.spawn(self.clone().work(writer));
        }
        all
    }

    pub fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    /// How many sign-ins were acknowledged so far, or came to nothing.
    pub fn told(&self) -> usize {
        let book = self.book.lock().unwrap();
        book.count() + book.failed.len()
    }

    /// The first few tenants are each one writer's own to install in anew; the others are new, as
    /// long as there are any.
    async fn work(self: Arc<Self>, writer: u32) {
        for round in 0.. {
            if self.over.load(Ordering::SeqCst) {
                return;
            }
            let new = OFTEN * WRITERS + self.next.load(Ordering::SeqCst);
            let number = match round % 2 == 0 && new < TENANTS - WRITERS {
                true => OFTEN * WRITERS + self.next.fetch_add(1, Ordering::SeqCst),
                false => writer * OFTEN + round / 2 % OFTEN,
            };
            let ctx = format!("Cust{}", 100_000 + number);
            // A task of its own: whatever is not as it must be ends it, and is counted.
            let came = tokio::spawn(self.clone().install(ctx.clone())).await;
            let mut book = self.book.lock().unwrap();
            match came {
                Ok(token) => book.acknowledge(&ctx, token),
                Err(why) => book.failed.push(format!("{ctx}: {why}")),
            }
        }
    }

    /// One administrator's consent and sign-in; the token the app is installed with then.
    async fn install(self: Arc<Self>, ctx: String) -> String {
        let tenants = self.superid.tenants();
        if tenants.system_token(CLIENT, &ctx).is_some() {
            tenants.revoke_consent(CLIENT, &ctx).unwrap();
        }
        let who = format!("admin@{}.example", ctx.to_ascii_lowercase());
        let mut browser = Browser::new(self.net.clone(), Clock::system());
        let page = browser.open(&self.url).await;
        let page = browser.pick(&page, &who, "").await;
        let request = page.field("request").expect("a consent page");
        let consent = format!("{}/login/consent", self.superid.url());
        let fields = [("request", request.as_str()), ("decision", "accept")];
        let answer = browser.submit(&page.url, &consent, &fields).await;
        let answer = browser.step(&answer).await;
        assert!(answer.signs_in(), "{} {}", answer.status, answer.body);
        assert_eq!((answer.status, answer.location()), (303, &*self.url));
        let token = tenants.system_token(CLIENT, &ctx).unwrap();
        let page = browser.arrive(answer).await;
        assert!(page.status == 200 && page.body.contains("The app is installed"), "{}", page.body);
        token
    }
}

impl Book {
    pub fn acknowledge(&mut self, ctx: &str, token: String) {
        self.acknowledged.entry(ctx.to_owned()).or_default().push(token);
    }

    pub fn count(&self) -> usize {
        self.acknowledged.values().map(Vec::len).sum()
    }

    pub fn tenants(&self) -> usize {
        self.acknowledged.len()
    }

    /// Every tenant whose token in the vault, as `tokens` has it, is none, or older than the one
    /// that was acknowledged.
    pub fn lost(&self, tokens: impl Fn(&str) -> Option<String>) -> Vec<String> {
        let mut lost = Vec::new();
        for (ctx, acknowledged) in &self.acknowledged {
            let (latest, older) = acknowledged.split_last().unwrap();
            let found = tokens(ctx);
            // One that nobody was told of yet is newer.
            if found.as_ref().is_none_or(|found| older.contains(found)) {
                lost.push(format!("{ctx}: {latest} was acknowledged, {found:?} is there"));
            }
        }
        lost
    }
}

pub const CLIENT: &str = "client";
pub const WRITERS: u32 = 4;
/// Tenants that each writer installs in again and again.
const OFTEN: u32 = 4;
/// As many as there may be in all.
pub const TENANTS: u32 = 300;
