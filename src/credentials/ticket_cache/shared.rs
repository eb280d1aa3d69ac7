//! Tickets in the store that replicas share: sealed, leased, and counted for all together.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::crypto::{KeyRing, Purpose, Random, sha256};
use crate::identity::{TenantKey, Ticket};
use crate::redis_link::{Lease, LinkFailed, RedisLink, Turn, Window};
use crate::telemetry::{Child, child};

use super::back_off::Refusal;
use super::held::{Held, LIFE, TicketId};
use super::ledger::{EXCHANGES, HOUR};

/// The shared part of a ticket cache. Nothing it fails at fails a call: the process goes on alone.
#[derive(Clone, Debug)]
pub struct SharedTickets {
    link: RedisLink,
    keys: KeyRing,
    random: Random,
}

/// A ticket found in the store, and the bytes it was found as.
pub(super) struct Found {
    pub held: Held,
    pub sealed: Vec<u8>,
}

impl SharedTickets {
    /// Every replica has the same keys, or they cannot read each other's tickets.
    pub fn new(link: RedisLink, keys: KeyRing, random: Random) -> Self {
        Self { link, keys, random }
    }

    /// The ticket of a tenant. One we cannot open is none: it was sealed with a key that is gone.
    pub(super) async fn ticket(&self, key: &TenantKey) -> Result<Option<Found>, LinkFailed> {
        let _span = child(Child::Store);
        let Some(sealed) = self.link.get(&ticket_name(key)).await? else { return Ok(None) };
        let stored = self.open::<StoredTicket>(&ticket_context(key), &sealed);
        Ok(stored.map(|stored| Found { held: stored.held(&self.random), sealed }))
    }

    /// Why another replica got none, while that is not over.
    pub(super) async fn refusal(&self, key: &TenantKey) -> Result<Option<Refusal>, LinkFailed> {
        let sealed = self.link.get(&refusal_name(key)).await?;
        Ok(sealed.and_then(|sealed| self.open(&refusal_context(key), &sealed)))
    }

    /// Waits for the turn to buy, or for what whoever buys brings.
    pub(super) async fn turn<T, L>(
        &self,
        key: &TenantKey,
        look: impl FnMut() -> L + Send,
    ) -> Result<Turn<T>, LinkFailed>
    where
        L: Future<Output = Result<Option<T>, LinkFailed>> + Send,
    {
        self.link.turn(&ticket_name(key), LEASE, PATIENCE, look).await
    }

    /// Counts an exchange for all replicas; otherwise the seconds until one more may be made.
    pub(super) async fn count_in(
        &self,
        key: &TenantKey,
        exchange: &str,
        now: Timestamp,
    ) -> Result<Result<(), u64>, LinkFailed> {
        self.link.count_in(window(&window_name(key)), exchange, now).await
    }

    /// There was no exchange after all.
    pub(super) async fn count_out(
        &self,
        key: &TenantKey,
        exchange: &str,
    ) -> Result<(), LinkFailed> {
        self.link.count_out(window(&window_name(key)), exchange).await
    }

    /// Puts a ticket there that was bought under the lease, and takes what was refused away.
    pub(super) async fn publish(
        &self,
        key: &TenantKey,
        held: &Held,
        lease: &Lease,
    ) -> Result<bool, LinkFailed> {
        let sealed = self.seal(&ticket_context(key), &StoredTicket::of(held));
        let name = ticket_name(key);
        let kept = self.link.set_leased(&name, &sealed, seconds(LIFE), lease).await?;
        self.link.delete(&refusal_name(key)).await?;
        Ok(kept)
    }

    /// Says that a ticket was used until lately, so that it is kept as long as it lives. `found` is
    /// what is there now.
    pub(super) async fn slide(
        &self,
        key: &TenantKey,
        held: &Held,
        found: Option<&[u8]>,
    ) -> Result<(), LinkFailed> {
        let sealed = self.seal(&ticket_context(key), &StoredTicket::of(held));
        let name = ticket_name(key);
        self.link.compare_and_set(&name, found, &sealed, seconds(LIFE)).await.map(drop)
    }

    /// Lets the other replicas know of a refusal for as long as it lasts.
    pub(super) async fn refuse(
        &self,
        key: &TenantKey,
        refusal: &Refusal,
        now: Timestamp,
    ) -> Result<(), LinkFailed> {
        let sealed = self.seal(&refusal_context(key), refusal);
        self.link.set(&refusal_name(key), &sealed, seconds(refusal.until.since(now))).await
    }

    /// Removes the ticket that was found, unless another has taken its place.
    pub(super) async fn bury(&self, key: &TenantKey, sealed: &[u8]) -> Result<(), LinkFailed> {
        self.link.compare_and_delete(&ticket_name(key), sealed).await.map(drop)
    }

    /// Removes the ticket and the refusal of a tenant that are no younger than `then`; the count of
    /// exchanges stays.
    pub(super) async fn forget(&self, key: &TenantKey, then: Timestamp) -> Result<(), LinkFailed> {
        let ticket = self.ticket(key).await?;
        if let Some(found) = ticket.filter(|found| found.held.bought() <= then) {
            self.bury(key, &found.sealed).await?;
        }
        match self.refusal(key).await? {
            Some(refusal) if refusal.at <= then => self.link.delete(&refusal_name(key)).await,
            _ => Ok(()),
        }
    }

    fn seal(&self, context: &str, what: &impl Serialize) -> Vec<u8> {
        let plain = serde_json::to_vec(what).expect("numbers and strings are JSON");
        let plain = zeroize::Zeroizing::new(plain);
        self.keys.seal(Purpose::Ticket, context.as_bytes(), &plain, &self.random).into_bytes()
    }

    fn open<T: DeserializeOwned>(&self, context: &str, sealed: &[u8]) -> Option<T> {
        let plain = self.keys.open(Purpose::Ticket, context.as_bytes(), sealed).ok()?;
        let plain = zeroize::Zeroizing::new(plain);
        serde_json::from_slice(&plain).ok()
    }
}

#[derive(Serialize, Deserialize)]
struct StoredTicket {
    ticket: Ticket,
    id: [u8; 16],
    bought: Timestamp,
    used: Timestamp,
}

impl StoredTicket {
    fn of(held: &Held) -> Self {
        Self {
            ticket: held.ticket().clone(),
            id: held.id().0,
            bought: held.bought(),
            used: held.last_used(),
        }
    }

    fn held(self, random: &Random) -> Held {
        Held::known(self.ticket, TicketId(self.id), self.bought, self.used, random)
    }
}

/// Values are bound to their tenant, and a refusal does not open as a ticket.
fn ticket_context(key: &TenantKey) -> String {
    format!("ticket of {key}")
}

fn refusal_context(key: &TenantKey) -> String {
    format!("refusal of {key}")
}

fn ticket_name(key: &TenantKey) -> String {
    format!("ticket:{{{}}}", place(key))
}

fn refusal_name(key: &TenantKey) -> String {
    format!("refusal:{{{}}}", place(key))
}

fn window_name(key: &TenantKey) -> String {
    format!("exchanges:{{{}}}", place(key))
}

fn window(name: &str) -> Window<'_> {
    Window { name, most: EXCHANGES, span: HOUR }
}

/// A tenant's part of names: whoever lists them does not learn whose tenants they are.
fn place(key: &TenantKey) -> String {
    let digest = sha256(&[b"ticket", key.to_string().as_bytes()]);
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Renewed every third of it while somebody buys; the longest others wait for one that was killed.
const LEASE: Duration = Duration::from_secs(5);
/// A purchase is given up after a minute; then this process goes on alone.
const PATIENCE: Duration = Duration::from_secs(60);
