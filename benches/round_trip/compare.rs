//! Rounds in which each proxy carries the same load, one after the other, and what they cost.

use std::process::ExitCode;

use crate::child::{Child, CpuTime};

/// A proxy in a process of its own. The first of several is the bare one.
pub struct Proxy {
    pub name: &'static str,
    pub process: Child,
}

/// Measures the proxies, prints a line for each, and judges the one called `gateway` where
/// `--check` says so.
pub fn compare(options: &[&str], world: &mut Child, proxies: &[Proxy]) -> ExitCode {
    let rounds = option(options, "--rounds", 11);
    let requests = option(options, "--requests", 100_000);
    for proxy in proxies {
        load(world, &proxy.process, requests / 10);
    }
    let mut measured: Vec<Vec<CpuTime>> = proxies.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (proxy, times) in proxies.iter().zip(&mut measured) {
            let before = proxy.process.cpu_time();
            load(world, &proxy.process, requests);
            times.push(proxy.process.cpu_time().since(before));
        }
    }
    let ratio = print(proxies, &measured, requests);
    if options.contains(&"--check") && ratio < WANTED {
        println!("FAILED: {ratio:.3} of the bare proxy; {WANTED:.2} is wanted");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Has the world send `requests` through a proxy.
pub fn load(world: &mut Child, proxy: &Child, requests: usize) {
    let cookie = proxy.cookie.as_deref().unwrap_or_default();
    world.order(format!("{} {requests} {cookie}", proxy.port).trim());
}

/// A word of the command line as a number.
pub fn number<N: std::str::FromStr>(text: &str) -> N {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is not a number that fits here"))
}

/// Prints a line for each proxy, and gives the gateway's requests per CPU-second over the bare
/// proxy's: the median of the rounds' own ratios, because a round's two loads met one machine.
fn print(proxies: &[Proxy], measured: &[Vec<CpuTime>], requests: usize) -> f64 {
    println!("{requests} requests a round, {} rounds, medians", measured[0].len());
    println!("proxy      user  system  us/request  requests/CPU-s   of bare  (least..most)");
    let mut of_bare = 0.0;
    for (proxy, times) in proxies.iter().zip(measured) {
        let each = |part: fn(&CpuTime) -> f64| {
            median(times.iter().map(|time| part(time) * 1e6 / requests as f64).collect())
        };
        let ratios: Vec<f64> =
            times.iter().zip(&measured[0]).map(|(time, bare)| bare.all() / time.all()).collect();
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let most = ratios.iter().copied().fold(0.0, f64::max);
        let (all, ratio) = (each(CpuTime::all), median(ratios));
        println!(
            "{:<8} {:>6.2}  {:>6.2}  {all:>10.2}  {:>14.0}   {ratio:>7.3}  ({least:.3}..{most:.3})",
            proxy.name,
            each(|time| time.user),
            each(|time| time.system),
            1e6 / all,
        );
        if proxy.name == "gateway" {
            of_bare = ratio;
        }
    }
    of_bare
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn option(options: &[&str], name: &str, otherwise: usize) -> usize {
    let at = options.iter().position(|word| *word == name);
    at.and_then(|at| options.get(at + 1)).map_or(otherwise, |text| number(text))
}

/// Of the bare proxy's requests per CPU-second.
const WANTED: f64 = 0.80;
