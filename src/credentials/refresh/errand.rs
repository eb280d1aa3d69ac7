//! One refresh: look whether somebody else has done it, take the turn, ask, and write down what came.
//!
//! A token that may be used once is used once: whoever asks has the lease of the session, renewed while
//! the call runs, and before the token is sent that is noted beside it. A process that is killed half way
//! leaves the lease to end and the note to be found: the next one asks with the same token, and when it
//! is refused nobody knows whether the person or the token is meant. Then the session goes on until its
//! access token is dead and asks no more; without a note, a refusal ends it at once.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::time::sleep;

use crate::identity::RefreshToken;
use crate::redis_link::{Lease, LinkFailed, RedisLink, Turn};
use crate::session::{Newest, NotKept, Refresh, SessionState, Sessions};
use crate::telemetry::{Event, Refreshing, Who};

use super::asking::NotRefreshed;
use super::flights::Landed;
use super::means::Means;

/// A refresh with everything it needs.
pub(super) struct Errand {
    pub means: Arc<Means>,
    pub sessions: Sessions,
    pub state: Arc<SessionState>,
}

/// What became of the token before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Nothing,
    /// It was sent, and nobody knows whether it was taken.
    Unanswered,
}

impl Errand {
    /// Runs it to its end.
    pub async fn run(&self) -> Landed {
        if let Ok(Some(landed)) = self.look().await {
            return landed;
        }
        let Some(link) = self.sessions.link() else {
            let doubted = self.means.flights.is_in_doubt(&self.state.id.0, self.round());
            let before = if doubted { Before::Unanswered } else { Before::Nothing };
            return self.ask(None, before).await;
        };
        match self.in_turn(link).await {
            Ok(landed) => landed,
            Err(failed) => {
                // Without the lease two could send a token that may be used once.
                tracing::info!(%failed, "a session is not refreshed: the store cannot be asked");
                self.count(Refreshing::Outage);
                Landed::Outage
            }
        }
    }

    async fn in_turn(&self, link: &RedisLink) -> Result<Landed, LinkFailed> {
        let id = URL_SAFE_NO_PAD.encode(self.state.id.0);
        let (name, note) = (format!("refresh:{id}"), format!("refreshing:{id}"));
        match link.turn(&name, LEASE, PATIENCE, || self.look()).await? {
            Turn::Found(landed) => Ok(landed),
            Turn::Waited => Ok(Landed::Outage),
            Turn::Mine(lease) => {
                let round = self.round().to_be_bytes();
                let noted = link.get(&note).await?.is_some_and(|noted| noted == round);
                let before = if noted { Before::Unanswered } else { Before::Nothing };
                link.set(&note, &round, NOTED).await?;
                if lease.is_lost() {
                    return Ok(Landed::Outage);
                }
                Ok(self.ask(Some((lease, &note)), before).await)
            }
        }
    }

    /// What somebody else made of it.
    async fn look(&self) -> Result<Option<Landed>, LinkFailed> {
        Ok(match self.sessions.newest(&self.state).await? {
            Newest::Gone => Some(Landed::Ended),
            Newest::Newer => {
                self.count(Refreshing::Adopted);
                Some(Landed::Refreshed)
            }
            Newest::Same => None,
        })
    }

    async fn ask(&self, turn: Option<(Lease, &str)>, before: Before) -> Landed {
        let (means, now) = (&self.means, self.means.clock.now());
        let asked = means.asking.ask(&self.state, now).await;
        let party = &self.state.relying_party;
        match &asked {
            Err(NotRefreshed::Outage { .. }) => means.quiet.failed(party, now),
            Ok(_) | Err(NotRefreshed::Refused(_)) => means.quiet.answered(party),
        }
        match asked {
            Ok(state) => {
                self.count(Refreshing::Refreshed);
                if !self.sessions.lives(&state, means.clock.now()) {
                    // Ended while the call ran: what came is wanted by nobody.
                    self.revoke(&Arc::new(state));
                    release(turn).await;
                    return Landed::Ended;
                }
                self.keep(state, turn).await;
                Landed::Refreshed
            }
            Err(NotRefreshed::Refused(detail)) if before == Before::Unanswered => {
                tracing::info!(
                    party,
                    detail,
                    "a refresh token is lost: it may have been used before"
                );
                self.count(Refreshing::Lost);
                self.keep(self.with(Refresh::lost), turn).await;
                Landed::Refreshed
            }
            Err(NotRefreshed::Refused(detail)) => {
                tracing::info!(party, detail, "a session ends: its refresh was refused");
                self.count(Refreshing::Refused);
                let (who, relying_party) = (Who::is(&self.state.principal), party.as_str());
                let refused = Event::RefreshRefused { who, relying_party, detail: &detail };
                means.revoking.audit.record(refused);
                self.end().await;
                release(turn).await;
                Landed::Ended
            }
            Err(NotRefreshed::Outage { detail, doubtful, rotated }) => {
                tracing::warn!(party, detail, "a session is not refreshed");
                self.count(Refreshing::Outage);
                self.put_off((doubtful || before == Before::Unanswered, rotated), turn).await;
                Landed::Outage
            }
        }
    }

    /// Nothing came that could be used. A token that came all the same takes the place of the old one.
    async fn put_off(
        &self,
        (doubtful, rotated): (bool, Option<RefreshToken>),
        turn: Option<(Lease, &str)>,
    ) {
        if let Some(token) = rotated {
            return self.keep(self.with(|refresh| refresh.rotated(token.clone())), turn).await;
        }
        match turn {
            Some((lease, note)) => {
                if !doubtful && let Some(link) = self.sessions.link() {
                    let _it_says_too_much_at_worst = link.delete(note).await;
                }
                lease.release().await;
            }
            None if doubtful => self.means.flights.doubt(self.state.id.0, self.round()),
            None => {}
        }
    }

    /// Keeps what came here at once, and writes it where everybody finds it. While that cannot be done
    /// the lease stays ours, and it is tried again: nobody may send the old token meanwhile.
    async fn keep(&self, state: SessionState, turn: Option<(Lease, &str)>) {
        self.sessions.refreshed(&state);
        if let Err(failed) = self.write(&state).await {
            tracing::warn!(%failed, "a refreshed session is not written yet");
            let task = self.means.flights.task();
            let (means, sessions) = (self.means.clone(), self.sessions.clone());
            let lease = turn.map(|(lease, _)| lease);
            tokio::spawn(async move {
                let again = Self { means, sessions, state: Arc::new(state) };
                again.write_at_last(lease).await;
                drop(task);
            });
            return;
        }
        release(turn).await;
    }

    async fn write_at_last(&self, lease: Option<Lease>) {
        for _ in 0..WRITINGS {
            sleep(BETWEEN_WRITINGS).await;
            match self.write(&self.state).await {
                Ok(()) => break,
                Err(NotKept::TooLong(_)) => break,
                Err(NotKept::Unavailable(_)) => {}
            }
        }
        if let Some(lease) = lease {
            lease.release().await;
        }
    }

    async fn write(&self, state: &SessionState) -> Result<(), NotKept> {
        let (random, now) = (&self.means.random, self.means.clock.now());
        self.sessions.write_refreshed(state, (random, now)).await
    }

    async fn end(&self) {
        let now = self.means.clock.now();
        if let Err(failed) = self.sessions.end(&self.state, now).await {
            tracing::warn!(%failed, "a session that was refused lives until it is asked for again");
        }
    }

    fn revoke(&self, state: &Arc<SessionState>) {
        if let Some(party) = self.means.asking.party(state) {
            self.means.revoking.revoke(party, state);
        }
    }

    fn with(&self, change: impl Fn(&Refresh) -> Refresh) -> SessionState {
        let refresh = self.state.refresh.as_ref().map(change);
        SessionState { refresh, ..(*self.state).clone() }
    }

    fn round(&self) -> u32 {
        self.state.refresh.as_ref().map_or(0, Refresh::round)
    }

    fn count(&self, what: Refreshing) {
        self.means.metrics.sessions().refreshed(what);
    }
}

async fn release(turn: Option<(Lease, &str)>) {
    if let Some((lease, _)) = turn {
        lease.release().await;
    }
}

/// Renewed every third of it while the call runs; the longest others wait for one that was killed.
const LEASE: Duration = Duration::from_secs(3);
/// How long somebody waits for another replica's call.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it is known that a token was sent.
const NOTED: Duration = Duration::from_secs(86_400);
/// With [`BETWEEN_WRITINGS`], ten minutes.
const WRITINGS: usize = 3_000;
const BETWEEN_WRITINGS: Duration = Duration::from_millis(200);
