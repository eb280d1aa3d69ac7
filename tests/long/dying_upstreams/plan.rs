//! When which server does what: the same in every run, and the times that the gateway has for it.

use std::time::Duration;

use crate::dice::Dice;
use crate::mode::Mode;

/// A server's turn.
#[derive(Clone, Copy)]
pub struct Step {
    pub at: Duration,
    pub server: usize,
    pub mode: Mode,
}

/// What happens to a pool of `servers` in `length`: all of it well, then one, some or all ill, again
/// and again.
pub fn steps(seed: u64, servers: usize, length: Duration) -> Vec<Step> {
    let mut dice = Dice::new(seed);
    let mut milliseconds =
        |from: usize, to: usize| Duration::from_millis((from + dice.below(to - from)) as u64);
    let (mut kinds, mut deck) = (Dice::new(seed + 1), Vec::new());
    let (mut steps, mut now) = (Vec::new(), milliseconds(500, 2_000));
    // All are well at the end, for as long as one answer takes at most.
    while now + LONGEST < length {
        let ill = *kinds.pick(&[1, 1, 1, servers - 1, servers - 1, servers]);
        let first = kinds.below(servers);
        let mut last = now;
        for server in (first..first + ill).map(|number| number % servers) {
            let begin = now + milliseconds(0, 1_000);
            let end = begin + milliseconds(500, 5_500);
            // Each kind comes as often as any other.
            if deck.is_empty() {
                deck.extend(Mode::ILL);
            }
            let mode = deck.swap_remove(kinds.below(deck.len()));
            steps.push(Step { at: begin, server, mode });
            steps.push(Step { at: end, server, mode: Mode::Well });
            last = last.max(end);
        }
        now = last + milliseconds(200, 5_500);
    }
    steps.sort_by_key(|step| step.at);
    steps
}

/// A fault's begin, its length, and the answers that it delays.
const LONGEST: Duration = Duration::from_secs(8);

/// `read_timeout` and `connect_timeout`, `health_interval`, `health_timeout` of [`TABLES`].
const SECOND: Duration = Duration::from_secs(1);
/// For a machine that does something else, too.
const SLACK: Duration = Duration::from_secs(1);
/// Until an ill server is sent nothing: `unhealthy_after` looks, each after `health_interval`, each for
/// `health_timeout` at most. Failing requests may be quicker.
pub const NOTICED: Duration = SECOND.saturating_mul(2 * 2).saturating_add(SLACK);
/// Until a server that returned is sent requests: what was with it may fail `read_timeout` later, and
/// leave it out for `eject_time` from then; looks take less.
pub const RETURNED: Duration = SECOND.saturating_mul(1 + 2).saturating_add(SLACK);

/// Two pools: three servers with HTTP/1.1, two with HTTP/2.
pub const TABLES: &str = r#"
[upstream.three]
servers = ["http://127.0.0.1:$A", { url = "http://127.0.0.1:$B", weight = 2 }, "http://127.0.0.1:$C"]
health_path = "/health"
health_interval = "1s"
health_timeout = "1s"
healthy_after = 1
unhealthy_after = 2
eject_after = 3
eject_time = "2s"
max_ejected = 67
[upstream.two]
servers = ["http://127.0.0.1:$D", "http://127.0.0.1:$E"]
protocol = "http/2"
health_path = "/health"
health_interval = "1s"
health_timeout = "1s"
healthy_after = 1
unhealthy_after = 2
eject_after = 3
eject_time = "2s"
[route.three]
path = "/three"
upstream = "three"
access = "public"
connect_timeout = "1s"
read_timeout = "1s"
[route.two]
path = "/two"
upstream = "two"
access = "public"
connect_timeout = "1s"
read_timeout = "1s"
"#;
