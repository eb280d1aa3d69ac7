//! Replicas that are killed and started again at random while everybody asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use superid_gateway::config::RedisAddress;
use superid_gateway::crypto::Random;
use tokio::task::JoinSet;

use crate::Plan;
use crate::client::Client;
use crate::counts::Counts;
use crate::fleet::{Node, config};
use crate::people::{Person, sign_in};
use crate::replica::{Replica, configuration};

/// What does not hold.
pub async fn run(plan: Plan, app: u16) -> Vec<String> {
    let Some(redis) = Node::start(&[]) else { return vec!["there is no redis-server".to_owned()] };
    let table = format!("url = \"redis://127.0.0.1:{}\"", redis.port);
    let mut replicas: Vec<Replica> = (0..3).map(|_| Replica::start(app, &table)).collect();
    let mut shared = config(RedisAddress::Server(redis.named()));
    shared.prefix = "superid-gateway".to_owned();
    let begun = Instant::now();
    let text = configuration(1, 2, app, &table);
    let people = Arc::new(sign_in(&text, &shared, plan.people).await);
    println!("{} people signed in within {:?}", people.len(), begun.elapsed());
    let (counts, over) = (Arc::new(Counts::default()), Arc::new(AtomicBool::new(false)));
    let ports: Vec<u16> = replicas.iter().map(|replica| replica.port).collect();
    let mut asking = JoinSet::new();
    for number in 0..CLIENTS {
        let client = Client::new(ports.clone());
        asking.spawn(asks(client, number, people.clone(), (counts.clone(), over.clone())));
    }
    let killing =
        tokio::task::spawn_blocking(move || (killed(&mut replicas, plan.churn), replicas));
    let (kills, replicas) = killing.await.unwrap();
    over.store(true, Ordering::Relaxed);
    asking.join_all().await;
    drop(replicas);
    println!("{kills} replicas killed in {:?}; {}", plan.churn, counts.told());
    let mut broken = counts.broken();
    for (count, what) in
        [(&counts.unavailable, "there were 503s"), (&counts.nothing, "nobody answered")]
    {
        if Counts::of(count) > 0 {
            broken.push(what.to_owned());
        }
    }
    broken
}

/// Everybody in turn, each client its share of them, on any replica.
async fn asks(
    mut client: Client,
    number: usize,
    people: Arc<Vec<Person>>,
    (counts, over): (Arc<Counts>, Arc<AtomicBool>),
) {
    let mut turn = number;
    while !over.load(Ordering::Relaxed) {
        for person in people.iter().skip(number).step_by(CLIENTS) {
            if over.load(Ordering::Relaxed) {
                return;
            }
            counts.note(person, client.ask(&person.cookie, turn).await);
            turn = turn.wrapping_mul(31).wrapping_add(7) % 1_000_003;
            // Everybody is asked for every few seconds, and no processor is full.
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn killed(replicas: &mut [Replica], time: Duration) -> usize {
    let (random, begun) = (Random::system(), Instant::now());
    let mut kills = 0;
    while begun.elapsed() < time {
        let [which, wait]: [u8; 2] = random.bytes();
        std::thread::sleep(Duration::from_millis(500 + 10 * u64::from(wait)));
        let which = usize::from(which) % replicas.len();
        replicas[which].restart();
        kills += 1;
    }
    kills
}

const CLIENTS: usize = 32;
const PAUSE: Duration = Duration::from_millis(20);
