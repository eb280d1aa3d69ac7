//! Rounds in which each size of an axis carries the same load, one after the other, and what a request
//! cost of each.

use std::process::ExitCode;
use std::time::Instant;

use crate::axis::{Axis, Bar};
use crate::child::Child;
use crate::crowd::Crowd;
use crate::number;
use crate::partner;
use crate::requests::Folder;

/// What the command line says.
pub struct Options<'a> {
    only: Option<&'a str>,
    rounds: usize,
    requests: usize,
    checks: Checks,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Checks {
    Growth,
    Nothing,
}

impl<'a> Options<'a> {
    pub fn of(words: &[&'a str]) -> Self {
        let after = |name| {
            let at = words.iter().position(|word| *word == name)?;
            words.get(at + 1).copied()
        };
        Self {
            only: after("--only"),
            rounds: after("--rounds").map_or(7, number),
            requests: after("--requests").map_or(100_000, number),
            checks: if words.contains(&"--check") { Checks::Growth } else { Checks::Nothing },
        }
    }
}

/// Measures every axis, and prints a line for each of its sizes.
pub fn all(options: &Options<'_>) -> ExitCode {
    let (rounds, requests) = (options.rounds, options.requests);
    println!("{requests} requests a round, {rounds} rounds, medians");
    println!(
        "                       us/request    more  of the first  (least..most)   at most  requests/s"
    );
    let mut too_dear = Vec::new();
    let only = options.only.map(Axis::parse);
    for axis in Axis::ALL.into_iter().filter(|axis| only.is_none_or(|only| only == *axis)) {
        let mut bench = Bench::start(axis, axis.sizes());
        let measured = bench.rounds(rounds, requests);
        for (size, (more, times)) in axis.sizes().iter().zip(print(axis, &measured)) {
            let is_over = match axis.bar() {
                Bar::More(most) => more > most,
                Bar::Times(most) => times > most,
            };
            if is_over {
                let called = axis.called(*size);
                too_dear.push(format!("{called} {}: {more:+.2} us, {times:.3} times", axis.name()));
            }
        }
    }
    if options.checks == Checks::Growth && !too_dear.is_empty() {
        println!("FAILED, dearer than may be: {}", too_dear.join("; "));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// One axis: a proxy for each size, and the world around them.
pub struct Bench {
    axis: Axis,
    _folder: Folder,
    world: Child,
    proxies: Vec<Proxy>,
}

struct Proxy {
    size: usize,
    process: Child,
    /// The file with what its clients send.
    requests: String,
    _superid: Option<Crowd>,
}

/// What a load cost.
struct Cost {
    /// Seconds of the proxy's CPU.
    cpu: f64,
    wall: f64,
}

impl Bench {
    pub fn start(axis: Axis, sizes: &[usize]) -> Self {
        let (folder, world) = (Folder::new(), Child::start(&["world"]));
        let proxy = |size: &usize| Proxy::start(axis, *size, world.port, &folder);
        let proxies = sizes.iter().map(proxy).collect();
        Self { axis, _folder: folder, world, proxies }
    }

    /// One load on the first, and nothing measured.
    pub fn once(&mut self, requests: usize) {
        self.load(0, requests);
    }

    fn rounds(&mut self, rounds: usize, requests: usize) -> Vec<Vec<Cost>> {
        for at in 0..self.proxies.len() {
            // Each of what there is has been met once, and is at hand from then on.
            let known = self.axis.to_meet(self.proxies[at].size);
            self.load(at, (requests / 10).max(known));
        }
        let mut measured: Vec<Vec<Cost>> = self.proxies.iter().map(|_| Vec::new()).collect();
        for _ in 0..rounds {
            for (at, costs) in measured.iter_mut().enumerate() {
                costs.push(self.load(at, requests));
            }
        }
        measured
    }

    /// The connections are made, and each asks once, before the measurement begins.
    fn load(&mut self, at: usize, requests: usize) -> Cost {
        let (proxy, world) = (&self.proxies[at], &mut self.world);
        let connections = self.axis.connections(proxy.size);
        world.order(&format!("open {} {connections} {}", proxy.process.port, proxy.requests));
        world.order(&format!("load {connections}"));
        let (before, begin) = (proxy.process.cpu_time(), Instant::now());
        world.order(&format!("load {requests}"));
        let wall = begin.elapsed().as_secs_f64();
        let cpu = proxy.process.cpu_time().since(before).all();
        world.order("close");
        Cost { cpu: cpu * 1e6 / requests as f64, wall: requests as f64 / wall }
    }
}

impl Proxy {
    fn start(axis: Axis, size: usize, upstream: u16, folder: &Folder) -> Self {
        let file = |name| folder.file(&format!("{size}.{name}")).display().to_string();
        let requests = file("requests");
        let (size_word, upstream_word) = (size.to_string(), upstream.to_string());
        let mut words = vec!["proxy", axis.name(), &size_word, &upstream_word];
        if !axis.is_of_jobs(size) {
            words.push(&requests);
            let process = Child::start_wrapped(&words);
            return Self { size, process, requests, _superid: None };
        }
        let entries = file("entries");
        let crowd = Crowd::start(axis.to_meet(size), upstream, requests.as_ref(), entries.as_ref());
        words.extend([crowd.url(), &entries, &partner::KEY.0]);
        let process = Child::start_wrapped(&words);
        Self { size, process, requests, _superid: Some(crowd) }
    }
}

/// Prints a line for each size, and gives by how much a request costs more than one of the first, in
/// microseconds and by a factor: the median of the rounds' own, because a round's loads met one machine.
fn print(axis: Axis, measured: &[Vec<Cost>]) -> Vec<(f64, f64)> {
    let each = |(size, costs): (&usize, &Vec<Cost>)| {
        let pairs = || costs.iter().zip(&measured[0]);
        let more = median(pairs().map(|(cost, first)| cost.cpu - first.cpu));
        let ratios: Vec<f64> = pairs().map(|(cost, first)| cost.cpu / first.cpu).collect();
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let most = ratios.iter().copied().fold(0.0, f64::max);
        let times = median(ratios.into_iter());
        println!(
            "{:<11} {:>9}  {:>10.2}  {more:>+6.2}  {times:>12.3}  ({least:.3}..{most:.3})  {:>7}  {:>10.0}",
            axis.name(),
            axis.called(*size),
            median(costs.iter().map(|cost| cost.cpu)),
            axis.bar(),
            median(costs.iter().map(|cost| cost.wall)),
        );
        (more, times)
    };
    axis.sizes().iter().zip(measured).map(each).collect()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
