//! What carries letters out: one task for each process, beside everything that serves.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use tokio::sync::{Notify, watch};
use tokio::task::{Id, JoinSet};

use crate::back_channel::{BackChannel, Transport};
use crate::clock::{Clock, Timestamp};
use crate::config::{RelyingParty, Webhook};
use crate::crypto::Random;
use crate::telemetry::{Delivery, Metrics};
use crate::vault::{Claim, Event, Unopened, Vault, VaultFailed, Waiting};

use super::message::{Message, body};
use super::patience::{Asked, is_worth_a_line, pause};

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
    /// One for each of the parties in force: whom it believes follows a reload.
    channels: Vec<(Arc<RelyingParty>, Arc<BackChannel>)>,
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
                () = self.clock.passes(looked, BETWEEN_LOOKS) => {}
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
            force.metrics.webhooks().waiting(backlog.letters, age, backlog.aside);
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
        self.channels.retain(|(known, _)| telling.iter().any(|(one, _)| Arc::ptr_eq(one, known)));
        let order = (0..telling.len()).map(|at| at.wrapping_add(self.first) % telling.len());
        for (party, webhook) in order.map(|at| telling[at]).collect::<Vec<_>>() {
            let mine = self.under_way.values().filter(|whose| **whose == party.client_id).count();
            let places = AT_ONCE.saturating_sub(self.flights.len());
            let most = share.saturating_sub(mine).min(places);
            if most == 0 {
                continue;
            }
            let claim = Claim {
                environment: party.authority.name().to_owned(),
                client_id: party.client_id.clone(),
                now,
                until: now.plus(webhook.timeout.as_secs() + SPARE),
                most,
            };
            for (waiting, opened) in vault.claim(claim).await? {
                let flight = Flight {
                    vault: vault.clone(),
                    party: party.clone(),
                    channel: self.channel(party, webhook),
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

    fn channel(&mut self, party: &Arc<RelyingParty>, webhook: &Webhook) -> Arc<BackChannel> {
        let known = self.channels.iter().find(|(known, _)| Arc::ptr_eq(known, party));
        if let Some((_, known)) = known {
            return known.clone();
        }
        let made = Arc::new(match (webhook.url.scheme(), &webhook.authorities) {
            ("https", Some(believed)) => BackChannel::believing(webhook.timeout, believed),
            ("https", None) => BackChannel::new(webhook.timeout, Transport::Tls),
            _ => BackChannel::new(webhook.timeout, Transport::Plain),
        });
        self.channels.push((party.clone(), made.clone()));
        made
    }
}

/// Why a delivery is tried again, and what its answer asks for.
struct Failed {
    why: String,
    asked: Asked,
}

impl Failed {
    fn because(why: String) -> Self {
        Self { why, asked: Asked::Nothing }
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
            Err(Unopened::Damaged) => return self.set_aside(waiting).await,
            Ok(event) => self.deliver(&event).await.err(),
            Err(why) => Some(Failed::because(format!("the event {why}"))),
        };
        let (id, tries) = (waiting.letter.id.clone(), waiting.tries);
        let tenant = waiting.letter.name.tenant.clone();
        let party = &self.party.name;
        let kept = match &failed {
            None => {
                tracing::info!(relying_party = %party, %tenant, event = %id, tries, "webhook: taken");
                self.vault.taken(waiting).await
            }
            Some(failed) => {
                let again = pause(tries, failed.asked, &self.random);
                if is_worth_a_line(tries) {
                    self.complain(&waiting, failed, again);
                }
                self.vault.put_off(waiting, self.clock.now().plus(again)).await
            }
        };
        let outcome = match failed {
            None => Delivery::Taken,
            Some(Failed { asked: Asked::Gone, .. }) => Delivery::Gone,
            Some(_) => Delivery::Failed,
        };
        self.metrics.webhooks().delivered(outcome);
        if let Err(error) = kept {
            tracing::warn!(event = %id, "webhook: the vault failed, the event may come again: {error}");
        }
    }

    /// The next of its tenant goes on.
    async fn set_aside(self, waiting: Waiting) {
        let letter = &waiting.letter;
        tracing::error!(
            relying_party = %self.party.name, tenant = %letter.name.tenant, event = %letter.id,
            "webhook: an event is damaged and set aside: the app is not told of it; vault verify names it, \
             and vault outbox --give-up deletes it"
        );
        self.metrics.webhooks().delivered(Delivery::SetAside);
        if let Err(error) = self.vault.set_aside(waiting).await {
            tracing::warn!("webhook: the vault failed, the event may come again: {error}");
        }
    }

    fn complain(&self, waiting: &Waiting, failed: &Failed, again: u64) {
        let (letter, tries) = (&waiting.letter, waiting.tries);
        let (tenant, event, party) = (&letter.name.tenant, &letter.id, &self.party.name);
        let since = self.clock.now().since(letter.written);
        match failed.asked {
            Asked::Gone => tracing::error!(
                relying_party = %party, %tenant, %event, tries, since, again,
                "webhook: the app says that nobody takes events at its address any more (410): mend \
                 webhook.url; they are kept, and tried once an hour"
            ),
            Asked::Later(_) | Asked::Nothing => tracing::warn!(
                relying_party = %party, %tenant, %event, tries, since, again,
                "webhook: not taken, it will be tried again: {}", failed.why
            ),
        }
    }

    async fn deliver(&self, event: &Event) -> Result<(), Failed> {
        let missing = || Failed::because("there is no webhook".to_owned());
        let webhook = self.party.webhook.as_ref().ok_or_else(missing)?;
        let json = body(&self.party, event);
        let Message { body, headers } = Message::signed(webhook, &event.id, json, self.clock.now());
        match self.channel.post_signed(&webhook.url, body, headers).await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(Failed {
                why: format!("it answered {}", answer.status().as_u16()),
                asked: Asked::by(answer.status(), answer.headers(), self.clock.now()),
            }),
            Err(error) => Err(Failed::because(with_causes(&error))),
        }
    }
}

fn with_causes(error: &dyn Error) -> String {
    let (mut words, mut next) = (error.to_string(), error.source());
    while let Some(cause) = next {
        words += &format!(": {cause}");
        next = cause.source();
    }
    words
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
