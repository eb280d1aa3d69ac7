//! The table that is printed, and what of it does not hold.

use std::fmt;
use std::time::Duration;

use crate::World;
use crate::counts::Known;
use crate::judge::Verdict;
use crate::mode::{Mode, Times};
use crate::plan::{NOTICED, RETURNED};
use crate::setting::Gateway;

pub struct Report {
    length: Duration,
    known: Known,
    pools: [(&'static str, Times); 2],
    /// What the gateway counted as failed by servers, each sent once more or answered for.
    no_connection: u64,
    no_answer: u64,
    left_out: u64,
    processor: f64,
    resident: u64,
}

impl Report {
    pub fn new(world: &World, gateway: &Gateway, ports: &[u16], length: Duration) -> Self {
        let sum = |name: &str, more: &str| {
            let of = |(at, port): (usize, &u16)| {
                let upstream = if at < 3 { "three" } else { "two" };
                let server = format!("http://127.0.0.1:{port}");
                let labels = format!("upstream=\"{upstream}\",server=\"{server}\"{more}");
                gateway.metric(&format!("upstream_server_{name}_total{{{labels}}}"))
            };
            ports.iter().enumerate().map(of).sum()
        };
        Self {
            length,
            known: world.counts.known(),
            pools: [
                ("three of HTTP/1.1", world.three.times()),
                ("two of HTTP/2", world.two.times()),
            ],
            no_connection: sum("failures", ",kind=\"connect\""),
            no_answer: sum("failures", ",kind=\"answer\""),
            left_out: sum("ejections", ""),
            processor: gateway.processor(),
            resident: gateway.resident(),
        }
    }

    /// What does not hold.
    pub fn broken(&self) -> Vec<&'static str> {
        let times = || self.pools.iter().map(|(_, times)| times);
        let idle = times().any(|times| times.faults == 0 || times.returns == 0);
        [
            (self.known.of(Verdict::Failed) > 0, "requests failed while a server was well"),
            (
                times().any(|times| times.too_late > 0),
                "ill servers were sent requests for too long",
            ),
            (times().any(|times| times.forgotten > 0), "servers that returned were sent nothing"),
            (!self.known.is_mixed() || idle, "there was not all that there should be"),
        ]
        .into_iter()
        .filter_map(|(broken, what)| broken.then_some(what))
        .collect()
    }

    fn sent_again(&self) -> u64 {
        let given_up = [Verdict::NoneWell, Verdict::NotSafe, Verdict::NotRead];
        let given_up: u64 = given_up.into_iter().map(|verdict| self.known.of(verdict)).sum();
        (self.no_connection + self.no_answer).saturating_sub(given_up)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.length.as_secs_f64();
        let all = self.known.all();
        writeln!(out, "{seconds:.0} s, {all} requests, {:.0} a second", all as f64 / seconds)?;
        write!(out, "{}", self.known.told())?;
        writeln!(
            out,
            "servers failed the gateway {} times: no connection {}, no answer {}; sent to another {}",
            self.no_connection + self.no_answer,
            self.no_connection,
            self.no_answer,
            self.sent_again()
        )?;
        writeln!(
            out,
            "left out {} times; slowest GET that was answered {:.1} s; the gateway used {:.1} s of \
             processor, {} MB",
            self.left_out,
            self.known.slowest().as_secs_f64(),
            self.processor,
            self.resident / 1_000
        )?;
        for (name, times) in &self.pools {
            writeln!(
                out,
                "{name}: {} faults, {} times none was left well, {} returns",
                times.faults, times.all_at_once, times.returns
            )?;
            write!(out, "  longest until noticed, of {} s:", NOTICED.as_secs())?;
            let kinds = Mode::ILL.iter().zip(times.noticed).skip(1);
            for (mode, noticed) in kinds {
                write!(out, " {} {:.1} s,", said(*mode), noticed.as_secs_f64())?;
            }
            writeln!(out, " {} requests later", times.too_late)?;
            writeln!(
                out,
                "  longest until used again, of {} s where another was well: {:.1} s, forgotten {}",
                RETURNED.as_secs(),
                times.returned.as_secs_f64(),
                times.forgotten
            )?;
        }
        Ok(())
    }
}

fn said(mode: Mode) -> &'static str {
    match mode {
        Mode::Well => "well",
        Mode::Refuses => "refuses",
        Mode::Resets => "resets",
        Mode::Hangs => "hangs",
        Mode::Errors => "errors",
        Mode::Stalls => "stalls",
    }
}
