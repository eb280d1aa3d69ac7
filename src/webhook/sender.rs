//! What carries letters out: one task for each process, beside everything that serves.

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::{Id, JoinSet};

use crate::back_channel::{BackChannel, Transport};
use crate::clock::{Clock, Timestamp};
use crate::config::{RelyingParty, Webhook};
use crate::crypto::Random;
use crate::telemetry::{Delivery, Metrics};
use crate::vault::{Claim, Event, Unopened, Vault, VaultFailed, Waiting};

use super::message::{Message, body};
use super::patience::{is_worth_a_line, pause};

/// The configuration in force, as far as telling goes.
pub struct Now {
    pub vault: Option<Vault>,
    pub parties: Vec<Arc<RelyingParty>>,
    pub metrics: Arc<Metrics>,
}

/// Delivers what waits in the outbox. A letter is claimed for the time of one delivery, so that
/// several processes over one vault send it once as long as none of them dies.
pub struct Sender {
    clock: Clock,
    random: Random,
    /// Kept apart by their time limit, and by whether they need roots to trust.
    channels: Vec<((Duration, bool), Arc<BackChannel>)>,
    flights: JoinSet<()>,
    /// Whose they are, by client id.
    under_way: HashMap<Id, String>,
    /// Whose turn it is to be first, by number.
    first: usize,
    /// When what waits was counted last.
    counted: Option<Timestamp>,
    /// Whether the vault failed the last time it was asked: it is said once.
    failing: bool,
}

impl Sender {
    pub fn new(clock: Clock, random: Random) -> Self {
        Self {
            clock,
            random,
            channels: Vec::new(),
            flights: JoinSet::new(),
            under_way: HashMap::new(),
            first: 0,
            counted: None,
            failing: false,
        }
    }

    /// Delivers until `stop` says so or nobody is left to say it. What is under way then has its
    /// time; nothing is claimed any more.
    pub async fn run(mut self, now: impl Fn() -> Now, mut stop: watch::Receiver<bool>) {
        loop {
            let force = now();
            let bell = force.vault.as_ref().map(Vault::bell).unwrap_or_default();
            let looked = self.clock.now();
            self.round(&force).await;
            tokio::select! {
                // First: whoever is told to stop claims nothing more.
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                () = rings(&bell) => {}
                () = self.clock.reaches(looked.plus(BETWEEN_LOOKS)) => {}
                Some(landed) = self.flights.join_next_with_id() => {
                let id = landed.map_or_else(|failed| failed.id(), |(id, ())| id);
                self.under_way.remove(&id);
            }
            }
        }
        while self.flights.join_next().await.is_some() {}
    }

    async fn round(&mut self, force: &Now) {
        let Some(vault) = &force.vault else { return };
        let done = self.look(vault, force).await;
        if let (Err(failed), false) = (&done, self.failing) {
            tracing::error!("the outbox cannot be read, and apps are not told: {failed}");
        }
        self.failing = done.is_err();
    }

    async fn look(&mut self, vault: &Vault, force: &Now) -> Result<(), VaultFailed> {
        let now = self.clock.now();
        if self.is_to_count(now) {
            let backlog = vault.backlog().await?;
            let age = backlog.oldest.map_or(0, |oldest| now.since(oldest));
            force.metrics.webhooks().waiting(backlog.letters, age);
            self.counted = Some(now);
            if backlog.letters == 0 {
                return Ok(());
            }
        }
        let telling: Vec<_> = force
            .parties
            .iter()
            .filter_map(|party| Some((party, party.webhook.as_ref()?)))
            .collect();
        // Each has its share, and another is first each time: who does not answer holds nobody up.
        let share = AT_ONCE.div_ceil(telling.len().max(1));
        self.first = self.first.wrapping_add(1);
        let order = (0..telling.len()).map(|at| at.wrapping_add(self.first) % telling.len());
        for (party, webhook) in order.map(|at| telling[at]).collect::<Vec<_>>() {
            let mine = self.under_way.values().filter(|whose| **whose == party.client_id).count();
            let places = AT_ONCE.saturating_sub(self.flights.len());
            let most = share.saturating_sub(mine).min(places);
            if most == 0 {
                continue;
            }
            let claim = Claim {
                environment: party.environment.name.to_string(),
                client_id: party.client_id.clone(),
                now,
                until: now.plus(webhook.timeout.as_secs() + SPARE),
                most,
            };
            for (waiting, opened) in vault.claim(claim).await? {
                let flight = Flight {
                    vault: vault.clone(),
                    party: party.clone(),
                    channel: self.channel(webhook),
                    clock: self.clock.clone(),
                    random: self.random.clone(),
                    metrics: force.metrics.clone(),
                };
                let id = self.flights.spawn(flight.fly(waiting, opened)).id();
                self.under_way.insert(id, party.client_id.clone());
            }
        }
        Ok(())
    }

    /// Counting reads all that waits: that is done now and then, and when nothing is under way, but
    /// not after each delivery.
    fn is_to_count(&self, now: Timestamp) -> bool {
        self.flights.is_empty()
            || self.counted.is_none_or(|counted| now.since(counted) >= BETWEEN_LOOKS)
    }

    fn channel(&mut self, webhook: &Webhook) -> Arc<BackChannel> {
        let secure = webhook.url.scheme() == "https";
        let wanted = (webhook.timeout, secure);
        if let Some((_, known)) = self.channels.iter().find(|(known, _)| *known == wanted) {
            return known.clone();
        }
        let transport = if secure { Transport::Tls } else { Transport::Plain };
        let made = Arc::new(BackChannel::new(webhook.timeout, transport));
        self.channels.push((wanted, made.clone()));
        made
    }
}

/// One delivery.
struct Flight {
    vault: Vault,
    party: Arc<RelyingParty>,
    channel: Arc<BackChannel>,
    clock: Clock,
    random: Random,
    metrics: Arc<Metrics>,
}

impl Flight {
    async fn fly(self, waiting: Waiting, opened: Result<Event, Unopened>) {
        let failed = match opened {
            Ok(event) => self.deliver(&event).await.err(),
            Err(why) => Some(format!("the event {why}")),
        };
        let (id, tries) = (waiting.letter.id.clone(), waiting.tries);
        let tenant = waiting.letter.name.tenant.clone();
        let party = &self.party.name;
        let kept = match &failed {
            None => {
                tracing::info!(relying_party = %party, %tenant, event = %id, tries, "webhook: taken");
                self.vault.taken(waiting).await
            }
            Some(why) => {
                let again = pause(tries, &self.random);
                if is_worth_a_line(tries) {
                    let since = self.clock.now().since(waiting.letter.written);
                    tracing::warn!(
                        relying_party = %party, %tenant, event = %id, tries, since, again,
                        "webhook: not taken, it will be tried again: {why}"
                    );
                }
                self.vault.put_off(waiting, self.clock.now().plus(again)).await
            }
        };
        let outcome = if failed.is_none() { Delivery::Taken } else { Delivery::Failed };
        self.metrics.webhooks().delivered(outcome);
        if let Err(error) = kept {
            tracing::warn!(event = %id, "webhook: the vault failed, the event may come again: {error}");
        }
    }

    async fn deliver(&self, event: &Event) -> Result<(), String> {
        let webhook = self.party.webhook.as_ref().ok_or("there is no webhook")?;
        let json = body(&self.party, event);
        let Message { body, headers } = Message::signed(webhook, &event.id, json, self.clock.now());
        match self.channel.post_signed(&webhook.url, body, headers).await {
            Ok(status) if status.is_success() => Ok(()),
            Ok(status) => Err(format!("it answered {}", status.as_u16())),
            Err(error) => {
                let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
                Err(format!("{error}{cause}"))
            }
        }
    }
}

async fn rings(bell: &Notify) {
    bell.notified().await;
}

/// Seconds between two looks at what other processes wrote, or what is due again.
const BETWEEN_LOOKS: u64 = 5;
/// Deliveries at a time.
const AT_ONCE: usize = 8;
/// Seconds a claim lasts beyond its delivery, for the vault's own work.
const SPARE: u64 = 30;
