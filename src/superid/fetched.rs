//! A document as last fetched: how long it serves, and when to ask again.

use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use url::Url;

use crate::clock::{Clock, Timestamp};
use crate::telemetry::{Endpoint, current, traced};

use super::asked::asked;
use super::counted::Counted;
use super::failure::Outage;

/// One document of an issuer's, read into `T`.
pub(crate) struct Fetched<T>(Arc<Shared<T>>);

/// How the bytes of a document are read.
pub(crate) type Reader<T> = Box<dyn Fn(&[u8]) -> Result<T, Outage> + Send + Sync>;

impl<T: Send + Sync + 'static> Fetched<T> {
    /// Nothing is fetched yet.
    pub(crate) fn new(
        (endpoint, url): (Endpoint, Url),
        (back_channel, clock): (Arc<Counted>, Clock),
        read: Reader<T>,
    ) -> Self {
        let flight = Arc::new(tokio::sync::Mutex::new(()));
        let known = Mutex::new(Known { document: None, attempted: None, failure: None });
        Self(Arc::new(Shared { back_channel, clock, endpoint, flight, known, read, url }))
    }

    /// The document. It is fetched when there is none, when it is over an hour old, or when it will
    /// not `do`; at most once in 30 seconds, and once for everybody who waits. While the issuer cannot
    /// be asked, the last good one serves for a day.
    ///
    /// # Errors
    /// [`Outage`] when it is missing or too old, or will not do, and the issuer could not be asked.
    /// One that will not do although the issuer was asked is given.
    pub(crate) async fn get(&self, will_do: impl Fn(&T) -> bool) -> Result<Arc<T>, Arc<Outage>> {
        if let Some(document) = self.0.young(FRESH).filter(|document| will_do(document)) {
            return Ok(document);
        }
        self.refresh().await?;
        let failure = self.0.known().failure.clone();
        match (self.0.young(STALE), failure) {
            (Some(document), None) => Ok(document),
            (Some(document), Some(_)) if will_do(&document) => Ok(document),
            (_, Some(outage)) => Err(outage),
            (None, None) => Err(Arc::new(Outage::Stopped)),
        }
    }

    /// What was fetched within a day, without asking.
    pub(crate) fn known(&self) -> Option<Arc<T>> {
        self.0.young(STALE)
    }

    /// Asks the issuer, unless somebody has within the cool-down. The fetch is a task of its own and
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

struct Shared<T> {
    back_channel: Arc<Counted>,
    clock: Clock,
    endpoint: Endpoint,
    /// Held by whoever is fetching.
    flight: Arc<tokio::sync::Mutex<()>>,
    known: Mutex<Known<T>>,
    read: Reader<T>,
    url: Url,
}

struct Known<T> {
    document: Option<(Arc<T>, Timestamp)>,
    /// When the issuer was last asked.
    attempted: Option<Timestamp>,
    /// How that went, if badly.
    failure: Option<Arc<Outage>>,
}

impl<T> Known<T> {
    /// Whether the issuer was asked just now. A clock that is set back ends it at once.
    fn is_cooling(&self, now: Timestamp) -> bool {
        self.attempted.is_some_and(|then| then <= now && now.since(then) < COOL_DOWN)
    }
}

impl<T> Shared<T> {
    fn known(&self) -> std::sync::MutexGuard<'_, Known<T>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The document, if it was fetched within so many seconds.
    fn young(&self, seconds: u64) -> Option<Arc<T>> {
        let now = self.clock.now();
        let known = self.known();
        let (document, fetched) = known.document.as_ref()?;
        (*fetched <= now && now.since(*fetched) < seconds).then(|| document.clone())
    }

    async fn fetch(&self) -> Result<T, Outage> {
        let answer = asked(self.back_channel.get(self.endpoint, &self.url)).await?;
        if answer.status != StatusCode::OK {
            return Err(Outage::Status(answer.status.as_u16()));
        }
        (self.read)(&answer.body)
    }

    /// A good document replaces what there was; anything else leaves it alone.
    fn settle(&self, now: Timestamp, fetched: Result<T, Outage>) {
        let mut known = self.known();
        match fetched {
            Ok(document) => {
                known.document = Some((Arc::new(document), now));
                known.failure = None;
            }
            Err(outage) => known.failure = Some(Arc::new(outage)),
        }
    }
}

const FRESH: u64 = 60 * 60;
const STALE: u64 = 24 * 60 * 60;
/// Keeps made-up key names from making us hammer the issuer.
const COOL_DOWN: u64 = 30;
