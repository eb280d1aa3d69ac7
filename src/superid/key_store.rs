//! SuperID's keys as last fetched: how long they serve, and when to ask again.

use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use url::Url;

use crate::clock::{Clock, Timestamp};
use crate::telemetry::{Endpoint, current, traced};

use super::asked::asked;
use super::counted::Counted;
use super::failure::Outage;
use super::jwks::KeySet;
use super::key_hint::KeyHint;

/// The keys of one environment.
pub(super) struct KeyStore(Arc<Shared>);

impl KeyStore {
    pub(super) fn new(url: Url, back_channel: Arc<Counted>, clock: Clock) -> Self {
        let flight = Arc::new(tokio::sync::Mutex::new(()));
        Self(Arc::new(Shared { back_channel, clock, flight, known: Mutex::default(), url }))
    }

    /// The keys to judge a token by. They are fetched when there are none, when they are over an
    /// hour old, or when the token names one that is not among them; at most once in 30 seconds,
    /// and once for everybody who waits. While SuperID cannot be asked, the last good keys serve
    /// for a day.
    ///
    /// # Errors
    /// [`Outage`] when the keys are missing or too old, or lack the one named, and SuperID could
    /// not be asked. Keys that lack it although SuperID was asked are given: it is unknown.
    pub(super) async fn keys_for(&self, hint: &KeyHint) -> Result<Arc<KeySet>, Arc<Outage>> {
        if let Some(keys) = self.0.young(FRESH).filter(|keys| keys.find(hint).is_some()) {
            return Ok(keys);
        }
        self.refresh().await?;
        let failure = self.0.known().failure.clone();
        match (self.0.young(STALE), failure) {
            (Some(keys), None) => Ok(keys),
            (Some(keys), Some(_)) if keys.find(hint).is_some() => Ok(keys),
            (_, Some(outage)) => Err(outage),
            (None, None) => Err(Arc::new(Outage::Stopped)),
        }
    }

    /// The keys after SuperID was asked anew, as far as that is due: for a signature that none of the
    /// known ones made.
    ///
    /// # Errors
    /// As [`KeyStore::keys_for`].
    pub(super) async fn renewed(&self) -> Result<Arc<KeySet>, Arc<Outage>> {
        self.refresh().await?;
        self.keys_for(&KeyHint::Any).await
    }

    /// Asks SuperID, unless somebody has within the cool-down. The fetch is a task of its own and
    /// holds the flight: a caller who gives up does not take it down for the others.
    async fn refresh(&self) -> Result<(), Arc<Outage>> {
        let flight = self.0.flight.clone().lock_owned().await;
        let now = self.0.clock.now();
        if self.0.known().is_cooling(now) {
            return Ok(());
        }
        self.0.known().attempted = Some(now);
        let shared = self.0.clone();
        let fetch = tokio::spawn(traced(current(), async move {
            let fetched = shared.fetch().await;
            shared.settle(now, fetched);
            drop(flight);
        }));
        fetch.await.map_err(|_stopped| Arc::new(Outage::Stopped))
    }
}

struct Shared {
    back_channel: Arc<Counted>,
    clock: Clock,
    /// Held by whoever is fetching.
    flight: Arc<tokio::sync::Mutex<()>>,
    known: Mutex<Known>,
    url: Url,
}

#[derive(Default)]
struct Known {
    keys: Option<(Arc<KeySet>, Timestamp)>,
    /// When SuperID was last asked.
    attempted: Option<Timestamp>,
    /// How that went, if badly.
    failure: Option<Arc<Outage>>,
}

impl Known {
    /// Whether SuperID was asked just now. A clock that is set back ends it at once.
    fn is_cooling(&self, now: Timestamp) -> bool {
        self.attempted.is_some_and(|then| then <= now && now.since(then) < COOL_DOWN)
    }
}

impl Shared {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys, if they were fetched within so many seconds.
    fn young(&self, seconds: u64) -> Option<Arc<KeySet>> {
        let now = self.clock.now();
        let known = self.known();
        let (keys, fetched) = known.keys.as_ref()?;
        (*fetched <= now && now.since(*fetched) < seconds).then(|| keys.clone())
    }

    async fn fetch(&self) -> Result<KeySet, Outage> {
        let answer = asked(self.back_channel.get(Endpoint::Keys, &self.url)).await?;
        if answer.status != StatusCode::OK {
            return Err(Outage::Status(answer.status.as_u16()));
        }
        Ok(KeySet::parse(&answer.body)?)
    }

    /// Good keys replace what there was; anything else leaves it alone.
    fn settle(&self, now: Timestamp, fetched: Result<KeySet, Outage>) {
        let mut known = self.known();
        match fetched {
            Ok(keys) => {
                known.keys = Some((Arc::new(keys), now));
                known.failure = None;
            }
            Err(outage) => known.failure = Some(Arc::new(outage)),
        }
    }
}

const FRESH: u64 = 60 * 60;
const STALE: u64 = 24 * 60 * 60;
/// Keeps made-up key names from making us hammer SuperID.
const COOL_DOWN: u64 = 30;
