//! The life of a connection of HTTP/2: served, and told to go in time.

use std::time::Duration;

use pingora::apps::ServerApp as _;
use pingora::protocols::IO;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::gateway::Line;
use crate::telemetry::Limit;
use crate::web::Peer;

use super::connection::Front;
use super::drain::{Course, Stage};
use super::http2::{Forewarning, Http2Terms, Watched};
use super::noting::Noting;

/// Why a connection is told to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Nobody asked anything on it for too long, or its place is wanted.
    Idle,
    /// The gateway leaves, or its client has to come anew.
    Leaving,
    /// Others wait for its place, and it is its turn.
    Turn,
}

impl Front {
    /// Serves it until it ends. At the end of all time its answers are told so: what has no end is
    /// given one, who waits hears 503, and what is left a moment later is cut.
    pub(super) async fn http2<S: IO + 'static>(
        &self,
        connection: Box<S>,
        client: Peer,
        line: Line,
        course: Course,
    ) {
        let terms = Http2Terms::of(&self.site.load().settings.limits);
        let noting = Noting::new(self.load.clone(), self.access.clone(), client);
        let heard = Box::new(move |notice| noting.notice(notice));
        let mut connection = Box::new(Watched::new(*connection, terms, heard));
        let forewarning = connection.forewarning();
        let (go, told) = watch::channel(false);
        let mut end = course.clone();
        let ending = async {
            end.reaches(Stage::Ending).await;
            line.farewell();
            sleep(ONE_ROUND).await;
        };
        tokio::select! {
            _closed = self.proxy.process_new(connection, &told) => {}
            () = self.sends_away(&line, (forewarning, &go), course.clone()) => {}
            () = ending => {}
        }
        if course.has_reached(Stage::Ending) {
            // Requests are tasks of their own, and note how they ended.
            let _too_late = timeout(ONE_ROUND / 2, line.idles()).await;
        }
    }

    /// Says GOAWAY when it should go; ready when it may be closed.
    async fn sends_away(
        &self,
        line: &Line,
        (forewarning, go): (Forewarning, &watch::Sender<bool>),
        course: Course,
    ) {
        let why = self.until_it_should_go(line, course).await;
        let telling = async {
            forewarning.say().await;
            go.send_replace(true);
            // It ends with its last answer.
            std::future::pending().await
        };
        let idling = async {
            loop {
                sleep(ONE_ROUND).await;
                line.idles().await;
                if line.idle_since().elapsed() >= ONE_ROUND {
                    return;
                }
            }
        };
        tokio::select! {
            () = telling => {}
            () = idling, if why == Why::Idle => {}
        }
    }

    /// A connection that came when the gateway was leaving has some time first: a client that is
    /// told to go before it asked anything would only come again.
    async fn until_it_should_go(&self, line: &Line, mut course: Course) -> Why {
        let (house, late) = (&self.load.house, course.has_reached(Stage::Leaving));
        let mut leaving = std::pin::pin!(async {
            match late {
                true => sleep(ONE_ROUND).await,
                false => course.reaches(Stage::Leaving).await,
            }
        });
        loop {
            let since = line.idle_since();
            tokio::select! {
                biased;
                () = &mut leaving => return Why::Leaving,
                () = line.is_sent_away() => return Why::Leaving,
                () = house.asked(self.lobby, since) => {
                    match line.is_idle() && line.idle_since() == since {
                        true if house.queue() => {
                            self.load.yielded();
                            return Why::Idle;
                        }
                        true => {}
                        false => house.stays(self.lobby),
                    }
                }
                () = line.gives_way() => {
                    self.load.yielded();
                    return Why::Turn;
                }
                () = self.idles_too_long(line) => {
                    self.load.met(Limit::IdleTimeout);
                    return Why::Idle;
                }
            }
        }
    }

    async fn idles_too_long(&self, line: &Line) {
        loop {
            line.idles().await;
            let end = line.idle_since() + self.site.load().settings.limits.idle_timeout;
            if Instant::now() >= end {
                return;
            }
            sleep_until(end).await;
        }
    }
}

/// How long a client may take to connect and ask, or to hear that it is to go.
const ONE_ROUND: Duration = Duration::from_secs(1);
