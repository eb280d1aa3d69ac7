//! A Redis that hangs, is restarted, fails over or loses a node, under a replica with people.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use superid_gateway::config::RedisAddress;
use tokio::task::JoinSet;

use crate::Plan;
use crate::client::{Came, Client};
use crate::counts::Counts;
use crate::fleet::{Node, Nodes, Watched, config};
use crate::people::{Person, sign_in};
use crate::replica::{Replica, configuration};

/// A replica over a Redis, and people who ask.
struct Scene {
    name: &'static str,
    replica: Replica,
    people: Arc<Vec<Person>>,
    counts: Arc<Counts>,
    over: Arc<AtomicBool>,
    asking: JoinSet<()>,
    broken: Vec<String>,
}

/// What does not hold.
pub async fn run(plan: Plan, app: u16) -> Vec<String> {
    let mut broken = frozen(plan, app).await;
    broken.extend(restarted(app).await);
    broken.extend(failed_over(app).await);
    broken.extend(without_a_node(app).await);
    broken
}

async fn frozen(plan: Plan, app: u16) -> Vec<String> {
    let redis = Node::start(&[]).unwrap();
    let mut scene = Scene::of_one("frozen", &redis, app).await;
    redis.freeze();
    tokio::time::sleep(SETTLED).await;
    let before = Counts::of(&scene.counts.served);
    tokio::time::sleep(plan.frozen.saturating_sub(SETTLED)).await;
    if Counts::of(&scene.counts.served) > before {
        scene.broken.push("frozen: somebody was let in without anybody to ask".to_owned());
    }
    if !scene.replica.told("/ready").is_some_and(|ready| ready.contains("\"state\":\"down\"")) {
        scene.broken.push("frozen: /ready does not tell".to_owned());
    }
    redis.thaw();
    scene.served_again(FIVE_SECONDS).await;
    scene.end().await
}

async fn restarted(app: u16) -> Vec<String> {
    let redis = Node::start(&["--appendonly", "yes", "--appendfsync", "always"]).unwrap();
    let mut scene = Scene::of_one("restarted", &redis, app).await;
    let redis = redis.started_again();
    scene.served_again(FIVE_SECONDS).await;
    let broken = scene.end().await;
    drop(redis);
    broken
}

async fn failed_over(app: u16) -> Vec<String> {
    let fleet = Watched::start().unwrap();
    let names: Vec<String> = fleet.sentinels.iter().map(url).collect();
    let table = format!("sentinels = [{}]\nservice = \"crm\"", names.join(", "));
    let address = RedisAddress::Server(fleet.primary.named());
    let mut scene = Scene::begin("failed over", (address, &table), app).await;
    fleet.primary.ask(&["WAIT", "1", "5000"]);
    fleet.primary.freeze();
    fleet.sentinels[0].freeze();
    let primary = || fleet.replica.ask(&["ROLE"]).starts_with("master");
    while !primary() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    scene.served_again(FIVE_SECONDS).await;
    fleet.sentinels[0].thaw();
    fleet.primary.thaw();
    scene.served_again(FIVE_SECONDS).await;
    scene.end().await
}

async fn without_a_node(app: u16) -> Vec<String> {
    let nodes = Nodes::start().unwrap();
    let names: Vec<String> = nodes.primaries.iter().map(url).collect();
    let table = format!("cluster = [{}]", names.join(", "));
    let address = RedisAddress::Cluster(nodes.primaries.iter().map(Node::named).collect());
    let mut scene = Scene::begin("without a node", (address, &table), app).await;
    nodes.settled();
    nodes.primaries[0].freeze();
    while !nodes.replicas[0].ask(&["ROLE"]).starts_with("master") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    if Counts::of(&scene.counts.served) == 0 {
        scene.broken.push("without a node: people of other nodes were not served".to_owned());
    }
    scene.served_again(FIVE_SECONDS).await;
    scene.end().await
}

impl Scene {
    async fn of_one(name: &'static str, redis: &Node, app: u16) -> Self {
        let table = format!("url = {}", url(redis));
        Self::begin(name, (RedisAddress::Server(redis.named()), &table), app).await
    }

    /// People sign in, and ask all the time; `table` is what the replica's `[redis]` says.
    async fn begin(name: &'static str, (address, table): (RedisAddress, &str), app: u16) -> Self {
        let replica = Replica::start(app, table);
        let mut shared = config(address);
        shared.prefix = "superid-gateway".to_owned();
        let people = sign_in(&configuration(1, 2, app, table), &shared, PEOPLE).await;
        let (people, counts) = (Arc::new(people), Arc::new(Counts::default()));
        let over = Arc::new(AtomicBool::new(false));
        let mut asking = JoinSet::new();
        for number in 0..CLIENTS {
            let (people, counts, over) = (people.clone(), counts.clone(), over.clone());
            let mut client = Client::new(vec![replica.port]);
            asking.spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    for person in people.iter().skip(number).step_by(CLIENTS) {
                        counts.note(person, client.ask(&person.cookie, 0).await);
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                }
            });
        }
        Self { name, replica, people, counts, over, asking, broken: Vec::new() }
    }

    /// Everybody is served within this time, and stays so.
    async fn served_again(&mut self, within: Duration) {
        let begun = Instant::now();
        let mut client = Client::new(vec![self.replica.port]);
        for person in self.people.iter() {
            loop {
                if matches!(client.ask(&person.cookie, 0).await, (Came::Served(_), _)) {
                    break;
                }
                if begun.elapsed() > within {
                    self.broken.push(format!("{}: not served within {within:?}", self.name));
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        println!("{}: everybody served again after {:?}", self.name, begun.elapsed());
        let refused = Counts::of(&self.counts.unavailable);
        tokio::time::sleep(SETTLED).await;
        if Counts::of(&self.counts.unavailable) > refused {
            self.broken.push(format!("{}: 503 after it was well again", self.name));
        }
    }

    async fn end(mut self) -> Vec<String> {
        self.over.store(true, Ordering::Relaxed);
        while self.asking.join_next().await.is_some() {}
        println!("{}: {}", self.name, self.counts.told());
        if self.counts.longest() >= Duration::from_secs(1) {
            self.broken.push(format!("{}: a request took {:?}", self.name, self.counts.longest()));
        }
        if Counts::of(&self.counts.nothing) > 0 {
            self.broken.push(format!("{}: requests without an answer", self.name));
        }
        let broken = self.counts.broken();
        self.broken.extend(broken.into_iter().map(|what| format!("{}: {what}", self.name)));
        self.broken
    }
}

fn url(node: &Node) -> String {
    format!("\"redis://127.0.0.1:{}\"", node.port)
}

const PEOPLE: usize = 200;
const CLIENTS: usize = 16;
/// Longer than anything is used that was heard before.
const SETTLED: Duration = Duration::from_secs(3);
const FIVE_SECONDS: Duration = Duration::from_secs(5);
