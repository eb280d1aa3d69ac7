//! The one timer of a connection, and the patience a body has left.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Wakes for whatever deadline is asked after. A later deadline costs nothing until the earlier one
/// has passed: request after request moves it on, and the timer is set again once a minute.
#[derive(Debug, Default)]
pub(in crate::server) struct Pace {
    timer: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    /// Ready when `deadline` has passed; else the task is woken when it does.
    pub(in crate::server) fn poll_passed(
        &mut self,
        context: &mut Context<'_>,
        deadline: Instant,
    ) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        loop {
            ready!(timer.as_mut().poll(context));
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
    }
}

/// How long a body may still make us wait. It begins with the grace time; waiting uses it up, and
/// bytes that come earn it back at the body rate, up to the grace time again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    left: Duration,
    waiting: Option<Instant>,
}

impl Patience {
    pub(super) fn new(grace: Duration) -> Self {
        Self { left: grace, waiting: None }
    }

    /// Notes that there was nothing to read; says when patience ends.
    pub(super) fn waits(&mut self) -> Instant {
        *self.waiting.get_or_insert_with(Instant::now) + self.left
    }

    /// Notes bytes.
    pub(super) fn earns(&mut self, bytes: usize, rate: usize, grace: Duration) {
        if let Some(since) = self.waiting.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
        if self.left < grace {
            let earned = Duration::from_secs_f64(bytes as f64 / rate.max(1) as f64);
            self.left = (self.left + earned).min(grace);
        }
    }
}
