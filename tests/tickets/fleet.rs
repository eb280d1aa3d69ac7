//! Several Redis servers of a test's own: a primary with its Sentinels, a cluster, one with TLS.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use superid_gateway::config::{Redis, RedisAddress, RedisNode, SentinelUser};
use superid_gateway::crypto::Random;
use superid_gateway::redis_link::RedisLink;

/// One process on a port; killed at the end of the test.
pub struct Node {
    child: Child,
    pub port: u16,
    folder: PathBuf,
    options: Vec<String>,
}

/// A primary, its replica, and three Sentinels who know them as `crm`.
pub struct Watched {
    pub primary: Node,
    pub replica: Node,
    pub sentinels: Vec<Node>,
}

/// Three primaries, and a replica of each at the same place.
pub struct Nodes {
    pub primaries: Vec<Node>,
    pub replicas: Vec<Node>,
}

impl Node {
    /// `None`, and said aloud, where this machine has no Redis; in CI that is a failure.
    pub fn start(options: &[&str]) -> Option<Self> {
        let (folder, port) = (scratch(), free());
        let first = ["--port", &port.to_string(), "--save", "", "--appendonly", "no"];
        let options: Vec<String> =
            first.iter().chain(options).map(|text| (*text).to_owned()).collect();
        let child = run(&folder, |command| {
            command.args(&options);
        });
        let Some(child) = child else {
            let _gone = std::fs::remove_dir_all(&folder);
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "no redis-server");
            println!("SKIPPED: there is no redis-server on this machine");
            return None;
        };
        Some(Self { child: told(child, "eady to ac"), port, folder, options })
    }

    /// Kills it and starts another in its place, with what it had in its file.
    #[allow(dead_code, reason = "a long test wants it")]
    pub fn started_again(mut self) -> Self {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
        let child = run(&self.folder, |command| {
            command.args(&self.options);
        });
        self.child = told(child.unwrap(), "eady to ac");
        self
    }

    fn sentinel(primary: u16) -> Self {
        let (folder, port) = (scratch(), free());
        let file = folder.join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor crm 127.0.0.1 {primary} 2\n\
             sentinel down-after-milliseconds crm 500\nsentinel failover-timeout crm 3000\n"
        );
        std::fs::write(&file, text).unwrap();
        let child = run(&folder, |command| {
            command.arg(&file).arg("--sentinel");
        });
        let options = Vec::new();
        Self { child: told(child.unwrap(), "+monitor"), port, folder, options }
    }

    /// What `redis-cli` answers.
    pub fn ask(&self, arguments: &[&str]) -> String {
        let port = self.port.to_string();
        let output = Command::new("redis-cli").args(["-p", &port]).args(arguments).output();
        String::from_utf8_lossy(&output.unwrap().stdout).trim().to_owned()
    }

    /// Stops it in the midst of whatever it does, as if its machine hung.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    pub fn named(&self) -> RedisNode {
        RedisNode { host: "127.0.0.1".to_owned(), port: self.port }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

impl Watched {
    pub fn start() -> Option<Self> {
        let primary = Node::start(&[])?;
        let of = format!("127.0.0.1 {}", primary.port);
        let replica = Node::start(&["--replicaof", &of, "--repl-diskless-sync-delay", "0"])?;
        let sentinels: Vec<Node> = (0..3).map(|_| Node::sentinel(primary.port)).collect();
        let fleet = Self { primary, replica, sentinels };
        come(|| {
            fleet.sentinels.iter().all(|sentinel| {
                let knows = |what: &str| sentinel.ask(&["SENTINEL", what, "crm"]);
                knows("replicas").contains("master-link-status\nok")
                    && knows("sentinels").matches("runid").count() == 2
            })
        });
        Some(fleet)
    }

    pub fn link(&self) -> RedisLink {
        let nodes = self.sentinels.iter().map(Node::named).collect();
        let user = SentinelUser::default();
        link(RedisAddress::Sentinels { nodes, service: "crm".to_owned(), user })
    }
}

impl Nodes {
    pub fn start() -> Option<Self> {
        let all = (0..6).map(|_| {
            let bus = free().to_string();
            Node::start(
                &[
                    ["--cluster-enabled", "yes"],
                    ["--cluster-node-timeout", "1000"],
                    ["--cluster-require-full-coverage", "no"],
                    ["--cluster-replica-validity-factor", "0"],
                    ["--repl-diskless-sync-delay", "0"],
                    ["--cluster-port", &bus],
                ]
                .concat(),
            )
            .map(|node| (node, bus))
        });
        let (mut primaries, buses): (Vec<Node>, Vec<String>) =
            all.collect::<Option<Vec<_>>>()?.into_iter().unzip();
        for (node, bus) in primaries.iter().zip(&buses).skip(1) {
            primaries[0].ask(&["CLUSTER", "MEET", "127.0.0.1", &node.port.to_string(), bus]);
        }
        for (node, [first, last]) in primaries.iter().zip(RANGES) {
            node.ask(&["CLUSTER", "ADDSLOTSRANGE", first, last]);
        }
        let knows_all = |node: &Node| {
            let info = node.ask(&["CLUSTER", "INFO"]);
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:6")
        };
        come(|| primaries.iter().all(knows_all));
        let replicas = primaries.split_off(3);
        for (node, primary) in replicas.iter().zip(&primaries) {
            let id = primary.ask(&["CLUSTER", "MYID"]);
            come(|| node.ask(&["CLUSTER", "REPLICATE", &id]) == "OK");
        }
        come(|| replicas.iter().all(|node| node.ask(&["ROLE"]).contains("connected")));
        come(|| primaries[0].ask(&["CLUSTER", "NODES"]).matches("slave").count() == 3);
        Some(Self { primaries, replicas })
    }

    /// Over two of the nodes: they name the others.
    pub fn link(&self) -> RedisLink {
        link(RedisAddress::Cluster(self.primaries[..2].iter().map(Node::named).collect()))
    }

    /// Waits until what was written lies with the replicas too.
    pub fn settled(&self) {
        come(|| {
            self.primaries
                .iter()
                .zip(&self.replicas)
                .all(|(primary, replica)| primary.ask(&["DBSIZE"]) == replica.ask(&["DBSIZE"]))
        });
    }
}

/// A link to this, in the clear and as nobody.
pub fn link(address: RedisAddress) -> RedisLink {
    RedisLink::open(&config(address), Random::system()).unwrap()
}

pub fn config(address: RedisAddress) -> Redis {
    Redis {
        address,
        tls: None,
        database: 0,
        username: None,
        password: None,
        prefix: "test".to_owned(),
        timeout: Duration::from_secs(1),
    }
}

/// Waits for what servers agree on among themselves.
pub fn come(mut has_come: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !has_come() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn scratch() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::SeqCst);
    let name = format!("superid-gateway-fleet-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Redis takes no port 0 for "any": this one was free a moment ago.
pub fn free() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn run(folder: &Path, with: impl FnOnce(&mut Command)) -> Option<Child> {
    let program = std::env::var_os("REDIS_SERVER").unwrap_or("redis-server".into());
    let mut command = Command::new(program);
    with(&mut command);
    command.current_dir(folder).stdout(Stdio::piped()).spawn().ok()
}

/// Returns once it says this, and has its later words read.
fn told(mut child: Child, words: &str) -> Child {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while !lines.next().expect("a server says that it is ready").unwrap().contains(words) {}
    std::thread::spawn(move || lines.for_each(drop));
    child
}

const RANGES: [[&str; 2]; 3] = [["0", "5460"], ["5461", "10922"], ["10923", "16383"]];
