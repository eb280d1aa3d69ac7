//! A future that is looked at again only when it has asked for that.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Waits beside something busy, such as the end of the gateway beside a connection's requests: as
/// long as nothing has happened to it, its part of each look costs two loads and no lock.
pub(super) struct Seldom<F> {
    inner: F,
    bell: Arc<Bell>,
    /// Who is to hear of it, as it was at the last look.
    told: Option<Waker>,
}

#[derive(Default)]
struct Bell {
    rung: AtomicBool,
    whose: Mutex<Option<Waker>>,
}

impl<F: Future + Unpin> Seldom<F> {
    pub(super) fn new(inner: F) -> Self {
        Self { inner, bell: Arc::default(), told: None }
    }
}

impl<F: Future + Unpin> Future for Seldom<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let same = this.told.as_ref().is_some_and(|told| told.will_wake(context.waker()));
        if !same {
            this.told = Some(context.waker().clone());
            this.bell.belongs_to(context.waker());
        } else if !this.bell.rung.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        // Before the look: what rings from here on counts for the next.
        this.bell.rung.store(false, Ordering::SeqCst);
        let ring = Waker::from(this.bell.clone());
        Pin::new(&mut this.inner).poll(&mut Context::from_waker(&ring))
    }
}

impl Bell {
    fn belongs_to(&self, waker: &Waker) {
        *self.whose.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        let whose = self.whose.lock().unwrap_or_else(PoisonError::into_inner).clone();
        whose.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::AtomicUsize;

    use tokio::sync::Notify;

    use super::*;

    /// Counts the looks at what is inside.
    async fn looks(notify: &Notify, looks: &AtomicUsize) {
        let mut notified = pin!(notify.notified());
        std::future::poll_fn(|context| {
            looks.fetch_add(1, Ordering::Relaxed);
            notified.as_mut().poll(context)
        })
        .await;
    }

    #[tokio::test]
    async fn it_is_looked_at_when_it_asks_and_when_somebody_else_waits_and_not_besides() {
        let (notify, count) = (Notify::new(), AtomicUsize::new(0));
        let mut inner = pin!(looks(&notify, &count));
        let mut seldom = Seldom::new(inner.as_mut());
        for _ in 0..10 {
            tokio::select! {
                biased;
                () = &mut seldom => panic!("nobody asked"),
                () = tokio::task::yield_now() => {}
            }
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
        // Another task has another waker.
        let mut other = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut seldom).poll(&mut other).is_pending());
        assert_eq!(count.load(Ordering::Relaxed), 2);
        notify.notify_one();
        seldom.await;
        assert_eq!(count.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn who_waits_for_it_hears_of_it() {
        let notify = Arc::new(Notify::new());
        let waiting = tokio::spawn({
            let notify = notify.clone();
            async move {
                let mut inner = pin!(notify.notified());
                Seldom::new(inner.as_mut()).await;
            }
        });
        tokio::task::yield_now().await;
        notify.notify_one();
        waiting.await.unwrap();
    }
}
