//! The end of a gateway, stage by stage: what was begun is finished, and nothing new is begun.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::config::Limits;
use crate::telemetry::Metrics;

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Serving,
    /// Connections are accepted, and every answer says that its connection closes.
    Leaving,
    /// No connection is accepted; those that wait may bring one last request.
    Shut,
    /// Connections without a request are closed.
    Quiet,
    /// What has no end of its own is given one.
    Ending,
}

/// How a gateway leaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leave {
    /// From being told to leave until nothing is accepted any more.
    pub(super) delay: Duration,
    /// From then on, how long a connection without a request is kept.
    pub(super) idle: Duration,
    /// From then on, how long requests in flight have.
    pub(super) grace: Duration,
    pub(super) backlog: Backlog,
}

/// Whose connections are that wait in the listening socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backlog {
    /// Ours: they would be reset with the socket.
    Ours,
    /// Another process's, which has the socket too.
    Theirs,
}

impl Leave {
    /// The process is to end.
    pub(super) fn for_good(limits: &Limits) -> Self {
        let grace = limits.drain_timeout;
        let (delay, idle) = (limits.drain_delay, limits.drain_idle.min(grace));
        Self { delay, idle, grace, backlog: Backlog::Ours }
    }

    /// Another process serves already. Nobody waits for this one: connections without a request
    /// have as much time as those with one.
    pub(super) fn to_successor(limits: &Limits) -> Self {
        let grace = limits.drain_timeout;
        Self { delay: Duration::ZERO, idle: grace, grace, backlog: Backlog::Theirs }
    }
}

/// What each connection knows of the end.
#[derive(Clone)]
pub(super) struct Course {
    stage: watch::Receiver<Stage>,
    /// The same for pingora: whether the end has begun.
    pub(super) stop: watch::Receiver<bool>,
    leave: watch::Receiver<Option<Leave>>,
}

/// Leads a worker through the stages.
pub(super) struct Lead {
    stage: watch::Sender<Stage>,
    stop: watch::Sender<bool>,
    leave: watch::Sender<Option<Leave>>,
}

impl Lead {
    pub(super) fn new() -> Self {
        Self {
            stage: watch::channel(Stage::Serving).0,
            stop: watch::channel(false).0,
            leave: watch::channel(None).0,
        }
    }

    pub(super) fn course(&self) -> Course {
        Course {
            stage: self.stage.subscribe(),
            stop: self.stop.subscribe(),
            leave: self.leave.subscribe(),
        }
    }

    /// Every answer from here on says that its connection closes.
    pub(super) fn begin(&self, leave: Leave, metrics: &Metrics) {
        metrics.drain().begin();
        self.leave.send_replace(Some(leave));
        self.stage.send_replace(Stage::Leaving);
        self.stop.send_replace(true);
    }

    /// Goes on to the last stage, and returns when nobody has to be waited for any more.
    pub(super) async fn go_on(&self, leave: Leave, metrics: &Metrics) {
        sleep(leave.delay).await;
        self.stage.send_replace(Stage::Shut);
        sleep(leave.idle).await;
        self.stage.send_replace(Stage::Quiet);
        sleep(leave.grace.saturating_sub(leave.idle)).await;
        metrics.drain().grace_is_over();
        self.stage.send_replace(Stage::Ending);
        sleep(CLOSING).await;
    }
}

impl Course {
    /// Whether a stage has come, or there is nobody left to lead to it.
    pub(super) fn has_reached(&self, stage: Stage) -> bool {
        *self.stage.borrow() >= stage || self.stage.has_changed().is_err()
    }

    /// Waits for a stage; a worker that is gone has reached all of them.
    pub(super) async fn reaches(&mut self, stage: Stage) {
        let _reached_or_gone = self.stage.wait_for(|now| *now >= stage).await.is_ok();
    }

    /// How long a connection without a request is kept.
    pub(super) fn idle(&self) -> Duration {
        self.leave.borrow().map_or(Duration::ZERO, |leave| leave.idle)
    }

    /// Whose the connections are that wait to be accepted.
    pub(super) fn backlog(&self) -> Backlog {
        self.leave.borrow().map_or(Backlog::Ours, |leave| leave.backlog)
    }
}

/// How long the last words, and the answers to them, may take.
const CLOSING: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn where_nobody_leads_any_more_every_stage_has_come() {
        let lead = Lead::new();
        let mut course = lead.course();
        assert!(!course.has_reached(Stage::Quiet));
        drop(lead);
        course.reaches(Stage::Quiet).await;
        assert!(course.has_reached(Stage::Quiet));
    }

    #[tokio::test(start_paused = true)]
    async fn the_stages_come_one_after_another_each_in_its_time() {
        let (lead, metrics) = (Lead::new(), Metrics::default());
        let mut course = lead.course();
        let seconds = Duration::from_secs;
        let leave = Leave {
            delay: seconds(10),
            idle: seconds(5),
            grace: seconds(30),
            backlog: Backlog::Ours,
        };
        assert!(!course.has_reached(Stage::Leaving));
        lead.begin(leave, &metrics);
        assert!(course.has_reached(Stage::Leaving) && *course.stop.borrow());
        let begin = tokio::time::Instant::now();
        let watching = async {
            let mut reached = Vec::new();
            for stage in [Stage::Shut, Stage::Quiet, Stage::Ending] {
                course.reaches(stage).await;
                reached.push((begin.elapsed().as_secs(), metrics.drain().is_grace_over()));
            }
            reached
        };
        let (reached, ()) = tokio::join!(watching, lead.go_on(leave, &metrics));
        assert_eq!(reached, [(10, false), (15, false), (40, true)]);
        assert_eq!(begin.elapsed(), seconds(42));
    }
}
