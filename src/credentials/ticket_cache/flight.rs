//! One purchase under way, for everybody who waits for it.

use std::sync::Arc;

use tokio::sync::watch;

use super::held::Held;
use super::no_ticket::NoTicket;

/// What a purchase brings: the same for everybody.
pub(super) type Landed = Result<Arc<Held>, NoTicket>;

/// The side of whoever buys. Dropped before it has landed, those who wait find out and one of them
/// takes over: the task dies with the runtime it runs on, the purchase does not.
pub(super) struct Flight {
    /// Which flight of its slot.
    pub number: u64,
    /// How often the slot had been forgotten when it began.
    pub forgotten: u64,
    pub landing: watch::Sender<Option<Landed>>,
}

/// The side of those who wait, on whatever runtime.
#[derive(Clone, Debug)]
pub(super) struct Waiting(watch::Receiver<Option<Landed>>);

impl Flight {
    /// A flight and its first waiter.
    pub fn new(number: u64, forgotten: u64) -> (Self, Waiting) {
        let (landing, waiting) = watch::channel(None);
        (Self { number, forgotten, landing }, Waiting(waiting))
    }
}

impl Waiting {
    /// What it brought; `None` when it came down half way.
    pub async fn landed(mut self) -> Option<Landed> {
        self.0.wait_for(Option::is_some).await.ok()?.clone()
    }
}
