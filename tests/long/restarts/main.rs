//! Reloads and upgrades, one after another, under load of every kind: nobody may notice.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "it is run to be read")]

mod app;
mod connection;
mod counts;
mod gateway;
mod http1;
mod http2;
mod plan;
#[path = "../setting/program.rs"]
mod program;
mod slow;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::app::App;
use crate::counts::Counts;
use crate::gateway::Gateway;
use crate::plan::Plan;

/// What every client knows.
#[derive(Clone)]
pub struct Load {
    pub plan: Plan,
    pub counts: Arc<Counts>,
    pub port: u16,
    pub tls_port: u16,
}

fn main() {
    let plan = match std::env::args().any(|text| text == "short") {
        true => Plan::SHORT,
        false => Plan::WHOLE,
    };
    let app = App::start(plan.download);
    let mut gateway = Gateway::start(app.port, plan);
    let counts = Arc::new(Counts::default());
    let certificate = gateway.certificate.clone();
    let [port, tls_port] = gateway.ports;
    let load = Load { plan, counts: counts.clone(), port, tls_port };
    let clients = std::thread::spawn(move || run_clients(load, certificate));
    std::thread::sleep(WARM);
    counts.counts.store(true, Ordering::Relaxed);
    let begin = Instant::now();
    let mut upgrades = 0;
    for step in 1..=plan.reloads {
        std::thread::sleep(plan.step);
        gateway.reload(step);
        if step * plan.upgrades / plan.reloads > upgrades {
            gateway.upgrade();
            upgrades += 1;
        }
    }
    let took = begin.elapsed();
    counts.counts.store(false, Ordering::Relaxed);
    counts.over.store(true, Ordering::Relaxed);
    clients.join().unwrap();
    let drained = gateway.stop();
    println!("{} reloads, {upgrades} upgrades in {:.0} s", plan.reloads, took.as_secs_f64());
    println!("{}", counts.told(took));
    println!("old processes: {drained}");
    let broken = counts.broken(took, plan.least);
    match broken.is_empty() {
        true => println!("holds"),
        false => {
            println!("does not hold: {}", broken.join("; "));
            std::process::exit(1);
        }
    }
}

fn run_clients(load: Load, certificate: rustls::pki_types::CertificateDer<'static>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let connector = http2::connector(certificate);
        let mut clients = JoinSet::new();
        for number in 0..24 {
            clients.spawn(http1::short(load.clone(), number));
            clients.spawn(http1::kept(load.clone(), number));
            clients.spawn(http1::post(load.clone(), number));
        }
        for number in 0..8 {
            clients.spawn(http2::ask(load.clone(), connector.clone(), number));
            clients.spawn(slow::websocket(load.clone(), number));
        }
        for _ in 0..4 {
            clients.spawn(slow::download(load.clone()));
        }
        clients.join_all().await;
    });
}

/// Before anything counts.
const WARM: Duration = Duration::from_secs(2);
