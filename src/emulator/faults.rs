//! Faults that can be switched on, to see how a caller bears them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::answer_lie::AnswerLie;
use super::ending::Ending;
use super::journal::Kind;
use super::keys::Keys;

/// One thing going wrong. As JSON `{"fault":"status","endpoint":"tokens","code":503}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// Access tokens are good for this many seconds, 1 at least; not a fault of SuperID's, but another
    /// provider's habit.
    AccessLifetime { seconds: u64 },
    /// The authorization endpoint's answer says something untrue.
    AnswerLie { lie: AnswerLie },
    /// Moves the times in tokens by this many seconds, forward or back.
    ClockSkew { seconds: i64 },
    /// Closes the connection instead of answering.
    DropConnection { endpoint: Kind },
    /// Sign-ins end without one, of one app or tenant or of all.
    Ending {
        #[serde(default)]
        client_id: Option<String>,
        #[serde(default)]
        ctx: Option<String>,
        ending: Ending,
    },
    /// Answers 200 with a body that is not what it says it is.
    Garbage { endpoint: Kind },
    /// Holds answers back until the fault is gone, at most 30 seconds. What an answer does has
    /// been done by then, and the journal has it.
    Hold { endpoint: Kind },
    /// Refresh tokens are good once, and each answer brings the next. One that comes again takes
    /// every one of its person's with it (RFC 9700 §4.14.2). SuperID does not do this; others do.
    OneUseRefresh,
    /// Renews the signing key at once; it does not stay in the list.
    RotateKey,
    /// Waits this long before it answers, at most 30 seconds.
    Slow { endpoint: Kind, milliseconds: u64 },
    /// Takes requests and does nothing with them until the fault is gone, at most 30 seconds. What
    /// hangs up meanwhile was never asked for.
    Stall { endpoint: Kind },
    /// The state API says something untrue, about one tenant or about all.
    StateLie {
        #[serde(default)]
        ctx: Option<String>,
        lie: StateLie,
    },
    /// Answers with this HTTP status and nothing else.
    Status { endpoint: Kind, code: u16 },
    /// The system users' exchange says something untrue, about one tenant or about all.
    SystemUserLie {
        #[serde(default)]
        ctx: Option<String>,
        lie: SystemUserLie,
    },
    /// Signs tokens with a key that the key set does not list.
    WrongKey,
}

/// What the state API says instead. As JSON `"null_endpoint"`, or
/// `{"elsewhere":{"origin":"https://evil.example"}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateLie {
    /// The tenant's addresses are at this origin.
    Elsewhere { origin: String },
    /// Not a lie at all: the context identifier in the addresses is in lower case.
    LowerCase,
    /// Neither `Endpoint` nor `Api`, whatever the state is.
    NullEndpoint,
    /// The answer is about another `ContextIdentifier`.
    OtherContext,
    /// The addresses are those of another tenant.
    OtherTenant,
}

/// What the exchange says instead. As JSON `"expired"`, or `{"refusal":{"message":"…"}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemUserLie {
    /// The token's signature is by a key that the key set does not list.
    BadSignature,
    /// The token ended an hour ago.
    Expired,
    /// The token has no ticket.
    NoTicket,
    /// Success, and no token.
    NoToken,
    /// The token begins in an hour.
    NotYet,
    /// No success, and these words.
    Refusal { message: String },
    /// The ticket, a good one, is another tenant's.
    TicketOfAnother,
    /// The audience is another tenant's serial.
    WrongAudience,
    /// The context identifier is another tenant's.
    WrongContext,
    /// The issuer is the one of id_tokens.
    WrongIssuer,
    /// Audience and serial are another tenant's.
    WrongSerial,
}

/// The longest wait of [`Fault::Slow`] and [`Fault::Hold`].
pub const SLOWEST: Duration = Duration::from_secs(30);

const MOST_FAULTS: usize = 50;

/// The faults in force. Over HTTP: `PUT /emulator/faults` with `{"faults":[…]}` replaces them.
pub struct Faults {
    keys: Arc<Keys>,
    /// Read by every request, so reading takes no lock.
    active: ArcSwap<Vec<Fault>>,
    changed: watch::Sender<()>,
    stalled: AtomicUsize,
    lying: AtomicUsize,
}

/// A request that is left lying.
struct Lying<'a>(&'a AtomicUsize);

/// What to do with a request before anything else.
pub(super) enum Interference {
    Drop,
    Garbage,
    Status(u16),
}

impl Drop for Lying<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Faults {
    pub(super) fn new(keys: Arc<Keys>) -> Self {
        Self {
            keys,
            active: ArcSwap::default(),
            changed: watch::Sender::new(()),
            stalled: AtomicUsize::new(0),
            lying: AtomicUsize::new(0),
        }
    }

    /// Switches a fault on.
    pub fn set(&self, fault: Fault) {
        if fault == Fault::RotateKey {
            self.keys.rotate();
            return;
        }
        self.change(|active| {
            if active.len() < MOST_FAULTS && !active.contains(&fault) {
                active.push(fault.clone());
            }
        });
    }

    /// Switches one fault off, and leaves the others.
    pub fn end(&self, fault: &Fault) {
        self.change(|active| active.retain(|known| known != fault));
    }

    /// Waits `delay` before every answer of `endpoint`.
    pub fn slow(&self, endpoint: Kind, delay: Duration) {
        let milliseconds = delay.min(SLOWEST).as_millis() as u64;
        self.set(Fault::Slow { endpoint, milliseconds });
    }

    /// Switches every fault off.
    pub fn clear(&self) {
        self.change(Vec::clear);
    }

    /// The faults in force.
    pub fn active(&self) -> Vec<Fault> {
        self.active.load().to_vec()
    }

    /// Waits as long as the faults in force want an answer of this kind to wait.
    pub(super) async fn wait(&self, kind: Kind) {
        let delay = self.delay(kind);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        // Whether it was released or forgotten, the answer goes out now.
        self.gone(&Fault::Hold { endpoint: kind }).await;
    }

    /// Waits as long as nothing is to be done with requests of this kind.
    pub(super) async fn stall(&self, kind: Kind) {
        let stall = Fault::Stall { endpoint: kind };
        if self.active.load().contains(&stall) {
            self.lying.fetch_add(1, Ordering::SeqCst);
            let _until_its_client_leaves = Lying(&self.lying);
            self.stalled.fetch_add(1, Ordering::SeqCst);
            self.gone(&stall).await;
        }
    }

    /// How many requests lie there now, and their clients wait.
    pub fn lying(&self) -> usize {
        self.lying.load(Ordering::SeqCst)
    }

    /// How many requests were taken and left lying, over all.
    pub fn stalled(&self) -> usize {
        self.stalled.load(Ordering::SeqCst)
    }

    /// Seconds access tokens are good for, where that was changed.
    pub(super) fn access_lifetime(&self) -> Option<Duration> {
        self.active.load().iter().find_map(|fault| match fault {
            Fault::AccessLifetime { seconds } => Some(Duration::from_secs((*seconds).max(1))),
            _ => None,
        })
    }

    pub(super) fn refresh_tokens_are_good_once(&self) -> bool {
        self.active.load().contains(&Fault::OneUseRefresh)
    }

    pub(super) fn interference(&self, kind: Kind) -> Option<Interference> {
        self.active.load().iter().find_map(|fault| match fault {
            Fault::DropConnection { endpoint } if *endpoint == kind => Some(Interference::Drop),
            Fault::Garbage { endpoint } if *endpoint == kind => Some(Interference::Garbage),
            Fault::Status { endpoint, code } if *endpoint == kind => {
                Some(Interference::Status(*code))
            }
            _ => None,
        })
    }

    pub(super) fn answer_lies(&self) -> Vec<AnswerLie> {
        let active = self.active.load();
        let lies = active.iter().filter_map(|fault| match fault {
            Fault::AnswerLie { lie } => Some(lie.clone()),
            _ => None,
        });
        lies.collect()
    }

    pub(super) fn ending(&self, app: &str, tenant: &str) -> Option<Ending> {
        self.active.load().iter().find_map(|fault| match fault {
            Fault::Ending { client_id, ctx, ending }
                if concerns(client_id.as_deref(), app) && concerns(ctx.as_deref(), tenant) =>
            {
                Some(*ending)
            }
            _ => None,
        })
    }

    pub(super) fn state_lie(&self, about: &str) -> Option<StateLie> {
        self.active.load().iter().find_map(|fault| match fault {
            Fault::StateLie { ctx, lie } if concerns(ctx.as_deref(), about) => Some(lie.clone()),
            _ => None,
        })
    }

    pub(super) fn system_user_lie(&self, about: &str) -> Option<SystemUserLie> {
        self.active.load().iter().find_map(|fault| match fault {
            Fault::SystemUserLie { ctx, lie } if concerns(ctx.as_deref(), about) => {
                Some(lie.clone())
            }
            _ => None,
        })
    }

    /// Seconds to add to the times in tokens.
    pub(super) fn skew(&self) -> i64 {
        let active = self.active.load();
        let skews = active.iter().map(|fault| match fault {
            Fault::ClockSkew { seconds } => *seconds,
            _ => 0,
        });
        skews.fold(0, i64::saturating_add).clamp(-1_000_000_000, 1_000_000_000)
    }

    pub(super) fn signs_with_wrong_key(&self) -> bool {
        self.active.load().contains(&Fault::WrongKey)
    }

    fn delay(&self, kind: Kind) -> Duration {
        let active = self.active.load();
        let waits = active.iter().map(|fault| match fault {
            Fault::Slow { endpoint, milliseconds } if *endpoint == kind => *milliseconds,
            _ => 0,
        });
        Duration::from_millis(waits.max().unwrap_or(0)).min(SLOWEST)
    }

    /// Waits until a fault is not in force, but not for ever.
    async fn gone(&self, fault: &Fault) {
        let mut changes = self.changed.subscribe();
        let gone = async {
            while self.active.load().contains(fault) && changes.changed().await.is_ok() {}
        };
        let _it_goes_on_either_way = tokio::time::timeout(SLOWEST, gone).await;
    }

    fn change(&self, change: impl Fn(&mut Vec<Fault>)) {
        self.active.rcu(|active| {
            let mut active = active.to_vec();
            change(&mut active);
            active
        });
        self.changed.send_replace(());
    }
}

/// A fault without a tenant is about all of them.
fn concerns(ctx: Option<&str>, about: &str) -> bool {
    ctx.is_none_or(|ctx| ctx.eq_ignore_ascii_case(about))
}
