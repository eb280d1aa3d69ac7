//! What came of all requests.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::client::Came;
use crate::people::Person;

#[derive(Default)]
pub struct Counts {
    pub served: AtomicU64,
    pub others: AtomicU64,
    pub signed_out: AtomicU64,
    pub unavailable: AtomicU64,
    pub nothing: AtomicU64,
    pub strange: AtomicU64,
    longest: Mutex<Duration>,
}

impl Counts {
    /// Judges an answer to this person.
    pub fn note(&self, person: &Person, (came, took): (Came, Duration)) {
        let count = match came {
            Came::Served(who) if who == person.email => &self.served,
            Came::Served(_) => &self.others,
            Came::Refused(303 | 401) => &self.signed_out,
            Came::Refused(503) => &self.unavailable,
            Came::Refused(status) => {
                println!("strange: {status}");
                &self.strange
            }
            Came::Nothing => &self.nothing,
        };
        count.fetch_add(1, Ordering::Relaxed);
        let mut longest = self.longest.lock().unwrap();
        *longest = longest.max(took);
    }

    pub fn of(count: &AtomicU64) -> u64 {
        count.load(Ordering::Relaxed)
    }

    /// The longest that a replica took to answer.
    pub fn longest(&self) -> Duration {
        *self.longest.lock().unwrap()
    }

    pub fn told(&self) -> String {
        format!(
            "served {}, 503 {}, signed out {}, another's session {}, no answer {}, otherwise {}; \
             slowest {:?}",
            Self::of(&self.served),
            Self::of(&self.unavailable),
            Self::of(&self.signed_out),
            Self::of(&self.others),
            Self::of(&self.nothing),
            Self::of(&self.strange),
            self.longest()
        )
    }

    /// What never may be, whatever happens to replicas or to Redis.
    pub fn broken(&self) -> Vec<String> {
        [
            (&self.signed_out, "people were signed out"),
            (&self.others, "people saw another's session"),
            (&self.strange, "there were strange answers"),
        ]
        .into_iter()
        .filter(|(count, _)| Self::of(count) > 0)
        .map(|(_, what)| what.to_owned())
        .collect()
    }
}
