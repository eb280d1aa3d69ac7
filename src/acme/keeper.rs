//! What looks after every ordered certificate: one task for each process, beside everything that serves.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::back_channel::{BackChannel, Transport};
use crate::clock::{Clock, Timestamp};
use crate::config::{AcmeChallenge, Ordered};
use crate::crypto::Random;
use crate::telemetry::{Metrics, OrderOutcome, Standing};

use super::order::{Customer, Failed, Failure};
use super::schedule::{pause, renewal, suggested};
use super::shelf::{Chain, Memory, Shelf, wish};

/// The configuration in force, as far as ordering goes.
pub struct Force {
    pub ordered: Vec<Arc<Ordered>>,
    pub metrics: Arc<Metrics>,
}

/// Orders what is missing and renews what ends, one certificate after the other.
pub struct Keeper {
    clock: Clock,
    random: Random,
    channels: [Option<Arc<BackChannel>>; 2],
    /// No order for this wish before these moments, whatever can be remembered in files.
    held: HashMap<String, (String, Timestamp)>,
    /// No question before these moments, in the same way.
    asked: HashMap<String, Timestamp>,
    /// Counts what was stored, so that it is shown at once.
    stored: watch::Sender<u64>,
}

/// When a certificate is to be ordered.
enum Due {
    Now,
    At(Timestamp),
}

impl Keeper {
    /// `stored` hears of each certificate that came.
    pub fn new(clock: Clock, random: Random, stored: watch::Sender<u64>) -> Self {
        Self {
            clock,
            random,
            channels: [None, None],
            held: HashMap::new(),
            asked: HashMap::new(),
            stored,
        }
    }

    /// Looks after them until `stop` says so or nobody is left to say it. An order that is under way
    /// then ends unfinished.
    pub async fn run(mut self, now: impl Fn() -> Force, mut stop: watch::Receiver<bool>) {
        loop {
            let (looked, force) = (self.clock.now(), now());
            let round = async {
                force.metrics.acme().only(force.ordered.iter().map(|one| one.name.as_str()));
                for one in &force.ordered {
                    self.tend(one, &force.metrics).await;
                }
                self.clock.passes(looked, BETWEEN_LOOKS).await;
            };
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                () = round => {}
            }
        }
    }

    async fn tend(&mut self, one: &Arc<Ordered>, metrics: &Metrics) {
        let shelf = Shelf(&one.account);
        let (chain, memory) = (shelf.chain(one), self.remembered(one));
        self.tell(one, chain.as_ref(), &memory, metrics);
        let is_due = self.is_due(one, chain.as_ref(), &memory);
        if !is_due && !self.asks(one, chain.as_ref(), &memory) {
            return;
        }
        let lock = match shelf.lock() {
            Ok(Some(lock)) => lock,
            // Another process orders; what it gets is found at the next look.
            Ok(None) => return,
            Err(error) if !is_due => {
                let again = self.clock.now().plus(LEAST_ASKED_AGAIN);
                self.asked.insert(one.name.clone(), again);
                let certificate = &one.name;
                return tracing::warn!(certificate, "acme: the folder cannot be used: {error}");
            }
            Err(error) => {
                let folder = one.account.folder.display();
                let detail = format!("{folder} cannot be used: {error}");
                let failed = Failed { failure: Failure::NotKept, detail, told: None };
                return self.fails(one, memory, &failed, metrics);
            }
        };
        // Another process may have been here meanwhile.
        let (chain, mut memory) = (shelf.chain(one), self.remembered(one));
        if let Some(chain) = &chain {
            self.ask(one, chain, &mut memory).await;
        }
        if self.is_due(one, chain.as_ref(), &memory) {
            self.order(one, chain.as_ref(), memory, metrics).await;
        } else {
            self.tell(one, chain.as_ref(), &memory, metrics);
        }
        drop(lock);
    }

    async fn order(
        &mut self,
        one: &Arc<Ordered>,
        chain: Option<&Chain>,
        mut memory: Memory,
        metrics: &Metrics,
    ) {
        let shelf = Shelf(&one.account);
        // An authority that does not follow it is asked plainly the next time.
        let replaced = chain.filter(|_| memory.window.is_some() && memory.failures == 0);
        // Written first: a folder that takes nothing costs no order, and neither does a process that
        // dies over each.
        memory.wanted = wish(one);
        memory.not_before = self.clock.now().plus(LEAST_BETWEEN).0;
        if let Err(error) = shelf.remember(one, &memory) {
            let detail = format!("{} cannot be used: {error}", one.account.folder.display());
            let failed = Failed { failure: Failure::NotKept, detail, told: None };
            return self.fails(one, memory, &failed, metrics);
        }
        if chain.is_none() && one.file().exists() {
            let (certificate, file) = (&one.name, one.file());
            let file = file.display();
            tracing::warn!(certificate, "acme: {file} cannot be used and is ordered anew");
        }
        let customer = Customer::enter(&one.account, self.channel(one), &self.clock).await;
        let ordered = match customer {
            Ok(customer) => {
                let ordered = customer.order(one, replaced.map(|chain| &chain.leaf));
                timeout(LONGEST_ORDER, ordered).await.unwrap_or_else(|_| Err(Failed::endless()))
            }
            Err(failed) => Err(failed),
        };
        let stored = ordered.and_then(|pem| {
            let failed = |error: std::io::Error| Failed {
                failure: Failure::NotKept,
                detail: format!("{} cannot be written: {error}", one.file().display()),
                told: None,
            };
            shelf.put(one, &pem).map_err(failed)
        });
        if let Err(failed) = stored {
            if failed.is_nobody() {
                shelf.forget_account();
            }
            return self.fails(one, memory, &failed, metrics);
        }
        self.has_come(one, metrics);
    }

    /// Remembers that a certificate came, and says so.
    fn has_come(&self, one: &Ordered, metrics: &Metrics) {
        let shelf = Shelf(&one.account);
        let chain = shelf.chain(one);
        // An authority whose window for a new certificate lies in the past is not believed at once.
        let life = chain.as_ref().map_or(0, |chain| chain.leaf.ends - chain.leaf.begins);
        let mut memory = Memory { issued_for: wish(one), wanted: wish(one), ..Memory::default() };
        memory.rests_until = self.clock.now().plus(life / 60).0;
        memory.not_before = self.clock.now().plus(LEAST_BETWEEN).0;
        OrderOutcome::Issued.word().clone_into(&mut memory.outcome);
        if let Err(error) = shelf.remember(one, &memory) {
            tracing::warn!(certificate = one.name, "acme: an order cannot be remembered: {error}");
        }
        metrics.acme().ended(&one.name, OrderOutcome::Issued);
        self.tell(one, chain.as_ref(), &memory, metrics);
        tracing::info!(
            certificate = one.name,
            hosts = one.hosts.join(","),
            ends = chain.map_or(0, |chain| chain.leaf.ends),
            "acme: a new certificate is there"
        );
        self.stored.send_modify(|stored| *stored += 1);
    }

    /// Remembers that an order failed, and when the next one may be.
    fn fails(&mut self, one: &Ordered, mut memory: Memory, failed: &Failed, metrics: &Metrics) {
        memory.failures = memory.failures.saturating_add(1);
        let again = pause(failed.failure, memory.failures, failed.told, &self.random);
        let outcome = outcome(failed.failure);
        memory.wanted = wish(one);
        memory.limited = failed.failure == Failure::RateLimited;
        memory.not_before = self.clock.now().plus(again).0;
        self.held.insert(one.name.clone(), (wish(one), Timestamp(memory.not_before)));
        outcome.word().clone_into(&mut memory.outcome);
        memory.detail = failed.detail.chars().take(MOST_DETAIL).collect();
        let shelf = Shelf(&one.account);
        if let Err(error) = shelf.remember(one, &memory) {
            tracing::warn!(certificate = one.name, "acme: an order cannot be remembered: {error}");
        }
        metrics.acme().ended(&one.name, outcome);
        let chain = shelf.chain(one);
        self.tell(one, chain.as_ref(), &memory, metrics);
        tracing::warn!(
            certificate = one.name,
            tries = memory.failures,
            again,
            "acme: no certificate{}: {}; {}",
            if chain.is_some() { ", the one there is goes on" } else { " yet" },
            memory.detail,
            advice(failed.failure, one.challenge),
        );
    }

    fn is_due(&self, one: &Ordered, chain: Option<&Chain>, memory: &Memory) -> bool {
        let now = self.clock.now();
        let held = self.held.get(&one.name);
        let held = held.is_some_and(|(wanted, until)| *wanted == wish(one) && *until > now);
        match self.due(one, chain, memory) {
            Due::Now => !held,
            Due::At(moment) => moment <= now && !held,
        }
    }

    /// Whether it is time to ask when the authority would have it renewed.
    fn asks(&self, one: &Ordered, chain: Option<&Chain>, memory: &Memory) -> bool {
        let now = self.clock.now();
        let rests = self.asked.get(&one.name).is_some_and(|until| *until > now);
        chain.is_some() && memory.ask_again <= now.0 && !rests
    }

    /// What files remember. A moment further ahead than any that is written there is from a time when
    /// the machine's clock was wrong.
    fn remembered(&self, one: &Ordered) -> Memory {
        let mut memory = Shelf(&one.account).memory(one);
        let last = self.clock.now().plus(FURTHEST).0;
        for moment in [&mut memory.not_before, &mut memory.ask_again, &mut memory.rests_until] {
            if *moment > last {
                *moment = 0;
            }
        }
        memory
    }

    fn due(&self, one: &Ordered, chain: Option<&Chain>, memory: &Memory) -> Due {
        let wish = wish(one);
        // Another wish may be granted at once, unless there were too many of them.
        let held = memory.wanted == wish || memory.limited;
        let held = if held { Timestamp(memory.not_before) } else { Timestamp(0) };
        let known = memory.issued_for.is_empty() || memory.issued_for == wish;
        let renewed = match chain.filter(|chain| known && chain.covers(&one.hosts)) {
            None => Timestamp(0),
            Some(chain) => {
                let moment = match memory.window {
                    Some(window) => suggested(&chain.leaf, window, chain.dice()),
                    None => renewal(&chain.leaf, chain.dice()),
                };
                moment.max(Timestamp(memory.rests_until))
            }
        };
        match held.max(renewed) {
            Timestamp(0) => Due::Now,
            moment => Due::At(moment),
        }
    }

    /// Asks when the authority would have it renewed, where it is time to.
    async fn ask(&mut self, one: &Ordered, chain: &Chain, memory: &mut Memory) {
        let now = self.clock.now();
        if !self.asks(one, Some(chain), memory) {
            return;
        }
        let shelf = Shelf(&one.account);
        let mut again = LEAST_ASKED_AGAIN;
        // Without an account nothing was ordered here: a certificate that was laid there by hand.
        if let Ok(Some(_)) = shelf.account()
            && let Ok(customer) =
                Customer::enter(&one.account, self.channel(one), &self.clock).await
        {
            let told = customer.window(&chain.leaf).await;
            memory.window = told.map(|(window, _)| window);
            again = told.map_or(LEAST_ASKED_AGAIN, |(_, again)| again);
        }
        let again = now.plus(again.clamp(LEAST_ASKED_AGAIN, MOST_ASKED_AGAIN));
        memory.ask_again = again.0;
        self.asked.insert(one.name.clone(), again);
        if let Err(error) = shelf.remember(one, memory) {
            tracing::warn!(certificate = one.name, "acme: a window cannot be kept: {error}");
        }
    }

    fn tell(&self, one: &Ordered, chain: Option<&Chain>, memory: &Memory, metrics: &Metrics) {
        let next = match self.due(one, chain, memory) {
            Due::Now => self.clock.now(),
            Due::At(moment) => moment,
        };
        metrics.acme().stands(Standing {
            certificate: one.name.clone(),
            ends: chain.map(|chain| chain.leaf.ends),
            failures: memory.failures,
            next: next.0,
            outcome: memory.outcome.clone(),
            detail: memory.detail.clone(),
        });
    }

    fn channel(&mut self, one: &Ordered) -> Arc<BackChannel> {
        let secure = one.account.directory.scheme() == "https";
        let transport = if secure { Transport::Tls } else { Transport::Plain };
        let made = || Arc::new(BackChannel::new(TIMEOUT, transport));
        self.channels[usize::from(secure)].get_or_insert_with(made).clone()
    }
}

fn outcome(failure: Failure) -> OrderOutcome {
    match failure {
        Failure::NotKept => OrderOutcome::NotKept,
        Failure::RateLimited => OrderOutcome::RateLimited,
        Failure::Refused => OrderOutcome::Refused,
        Failure::Unreachable => OrderOutcome::Unreachable,
    }
}

/// What to do about it.
fn advice(failure: Failure, challenge: AcmeChallenge) -> &'static str {
    match (failure, challenge) {
        (Failure::NotKept, _) => "let this user write to the folder of [acme.NAME]",
        (Failure::RateLimited, _) => "wait: each further order would count too",
        (Failure::Refused, AcmeChallenge::Http01) => {
            "do these hosts lead to this gateway, and port 80 to a listener without TLS?"
        }
        (Failure::Refused, AcmeChallenge::TlsAlpn01) => {
            "do these hosts lead to this gateway, and port 443 to a listener with TLS?"
        }
        (Failure::Unreachable, _) => "can this machine call the directory of [acme.NAME]?",
    }
}

/// Seconds between two looks at what is due.
const BETWEEN_LOOKS: u64 = 10;
/// Seconds between two orders for one certificate, whatever becomes of the first.
const LEAST_BETWEEN: u64 = 60;
/// The longest a moment that is written lies ahead: a week of being turned away, and some.
const FURTHEST: u64 = 9 * 86_400;
/// One order, after which the next certificate has its turn.
const LONGEST_ORDER: Duration = Duration::from_secs(300);
/// Each call to an authority.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Characters of what an authority says.
const MOST_DETAIL: usize = 1_000;
/// Seconds until an authority is asked again when it would have a certificate renewed.
const LEAST_ASKED_AGAIN: u64 = 6 * 3_600;
const MOST_ASKED_AGAIN: u64 = 86_400;
