//! Redis of more than one server: who is gone holds nobody up, and who takes over is found.

use std::path::Path;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use superid_gateway::config::{Redis, RedisAddress, RedisNode, RedisTls};
use superid_gateway::crypto::{Random, Secret};
use superid_gateway::redis_link::{LinkFailed, LinkState, RedisLink};

use crate::fleet::{Node, Nodes, Watched, come, config, free, link, scratch};
use crate::link::until;

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_primary_whose_machine_hangs_with_its_sentinel_is_replaced() {
    let Some(fleet) = Watched::start() else { return };
    let link = fleet.link();
    link.set("a", b"1", HOUR).await.unwrap();
    assert_eq!(fleet.primary.ask(&["WAIT", "1", "5000"]), "1");
    fleet.primary.freeze();
    fleet.sentinels[0].freeze();
    let (frozen, mut longest) = (Instant::now(), Duration::ZERO);
    until(async || {
        let asked = Instant::now();
        let found = link.get("a").await;
        longest = longest.max(asked.elapsed());
        found.is_ok_and(|value| value.as_deref() == Some(b"1"))
    })
    .await;
    println!("served again after {:?}; nobody waited longer than {longest:?}", frozen.elapsed());
    assert!(longest < Duration::from_secs(1), "{longest:?}");
    fleet.sentinels[0].thaw();
    fleet.primary.thaw();
    // The old one learns that it is a replica now; what is written goes to the new one all the while.
    come(|| fleet.primary.ask(&["ROLE"]).starts_with("slave"));
    for number in 0..100_u8 {
        link.set("a", &[number], HOUR).await.unwrap();
    }
    assert_eq!(fleet.replica.ask(&["ROLE"]).lines().next(), Some("master"));
    assert_eq!(link.state(), LinkState::Up);
}

#[tokio::test]
async fn sentinels_who_know_no_such_service_or_are_none_are_said_so() {
    let Some(fleet) = Watched::start() else { return };
    let nodes = fleet.sentinels.iter().map(Node::named).collect();
    let nobody = vec![RedisNode { host: "127.0.0.1".to_owned(), port: free() }];
    for (nodes, service, words) in
        [(nodes, "other", "knows no service"), (nobody, "crm", "no Sentinel helps")]
    {
        let user = Default::default();
        let service = service.to_owned();
        let link = link(RedisAddress::Sentinels { nodes, service, user });
        let failed = link.ping().await.unwrap_err();
        assert!(matches!(failed, LinkFailed::Down(_)), "{failed:?}");
        assert!(failed.to_string().contains(words), "{failed}");
    }
    assert_eq!(fleet.link().set("a", b"1", HOUR).await, Ok(()));
}

#[tokio::test]
async fn a_node_of_a_cluster_that_hangs_holds_up_its_own_keys_alone_and_is_replaced() {
    let Some(nodes) = Nodes::start() else { return };
    let link = nodes.link();
    for number in 0..60 {
        link.set(&format!("{number}"), b"1", HOUR).await.unwrap();
    }
    nodes.settled();
    assert_eq!(link.state(), LinkState::Up);
    nodes.primaries[0].freeze();
    let frozen = Instant::now();
    let (well, longest) = all(&link).await;
    println!("{well} of 60 at once, nobody waited longer than {longest:?}");
    assert!(longest < Duration::from_secs(1), "{longest:?}");
    assert!((25..60).contains(&well), "{well} of 60");
    assert!(matches!(link.state(), LinkState::Partly(_) | LinkState::Up), "{:?}", link.state());
    until(async || all(&link).await.0 == 60).await;
    println!("all 60 again after {:?}", frozen.elapsed());
    nodes.primaries[0].thaw();
    come(|| nodes.primaries[0].ask(&["ROLE"]).starts_with("slave"));
    assert_eq!(all(&link).await.0, 60);
    until(async || link.state() == LinkState::Up).await;
}

#[tokio::test]
async fn slots_that_move_are_followed_without_a_failure() {
    let Some(nodes) = Nodes::start() else { return };
    let link = nodes.link();
    link.set("a", b"1", HOUR).await.unwrap();
    nodes.settled();
    // Roles are swapped, as for an upgrade.
    for replica in &nodes.replicas {
        let mut asked = None::<std::time::Instant>;
        until(async || {
            assert_eq!(link.get("a").await, Ok(Some(b"1".to_vec())));
            let swapped = replica.ask(&["ROLE"]).starts_with("master");
            // The others may not vote for it the first time: an election of before is too near.
            if !swapped && asked.is_none_or(|asked| asked.elapsed().as_secs() >= 3) {
                replica.ask(&["CLUSTER", "FAILOVER"]);
                asked = Some(std::time::Instant::now());
            }
            swapped
        })
        .await;
    }
    // A slot on its way: what is not there any more is asked for where it goes.
    let slot = nodes.replicas[0].ask(&["CLUSTER", "KEYSLOT", "test:b"]);
    let owner = match slot.parse::<u16>().unwrap() {
        0..=5_460 => 0,
        5_461..=10_922 => 1,
        _ => 2,
    };
    let (from, to) = (&nodes.replicas[owner], &nodes.replicas[(owner + 1) % 3]);
    let ids = [from, to].map(|node| node.ask(&["CLUSTER", "MYID"]));
    assert_eq!(to.ask(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &ids[0]]), "OK");
    assert_eq!(from.ask(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &ids[1]]), "OK");
    assert!(link.compare_and_set("b", None, b"2", HOUR).await.unwrap());
    assert_eq!(link.get("b").await.unwrap().as_deref(), Some(&b"2"[..]));
    for node in [to, from] {
        assert_eq!(node.ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &ids[1]]), "OK");
    }
    assert_eq!(link.get("b").await.unwrap().as_deref(), Some(&b"2"[..]));
    assert_eq!(to.ask(&["CLUSTER", "COUNTKEYSINSLOT", &slot]), "1");
    // Whoever takes a node for a server of its own is told.
    let names = ["a", "b", "c", "d", "e", "f"];
    let alone = crate::fleet::link(RedisAddress::Server(to.named()));
    let mut told = false;
    for name in names {
        let failed = alone.get(name).await.err();
        told |= failed.is_some_and(|failed| failed.to_string().contains("node of a cluster"));
    }
    assert!(told);
}

#[tokio::test]
async fn a_lease_and_its_like_keep_together_in_a_cluster() {
    let Some(nodes) = Nodes::start() else { return };
    let link = nodes.link();
    let lease = link.lease("ticket:{x}", HOUR).await.unwrap().unwrap();
    assert!(link.set_leased("ticket:{x}", b"1", HOUR, &lease).await.unwrap());
    lease.release().await;
    assert_eq!(link.get("ticket:{x}").await.unwrap().as_deref(), Some(&b"1"[..]));
    link.ping().await.unwrap();
    assert!(!link.info("server").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_and_a_user_gets_ours() {
    superid_gateway::crypto::install_provider();
    let folder = scratch();
    certificates(&folder);
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let port = free();
    let Some(server) = Node::start(
        &[
            ["--tls-port", &port.to_string()],
            ["--tls-auth-clients", "yes"],
            ["--tls-ca-cert-file", &file("ca.pem")],
            ["--tls-cert-file", &file("server.pem")],
            ["--tls-key-file", &file("server-key.pem")],
        ]
        .concat(),
    ) else {
        return;
    };
    let line = "ACL SETUSER gateway on >secret resetkeys ~test:* resetchannels -@all +ping +get";
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(server.ask(&words), "OK");
    server.ask(&["ACL", "SETUSER", "default", "off"]);
    let ca = Some(folder.join("ca.pem"));
    let ours = (folder.join("client.pem"), folder.join("client-key.pem"));
    let with = |client, password: &str| {
        let tls = Some(RedisTls { ca: ca.clone(), client });
        let address = RedisAddress::Server(RedisNode { host: "localhost".to_owned(), port });
        let username = Some("gateway".to_owned());
        let password = Some(Secret::new(password.to_owned()));
        let config = Redis { tls, username, password, ..config(address) };
        RedisLink::open(&config, Random::system()).unwrap()
    };
    let link = with(Some(ours.clone()), "secret");
    assert_eq!(link.get("a").await, Ok(None));
    let not_allowed = link.set("a", b"1", HOUR).await;
    assert!(matches!(not_allowed, Err(LinkFailed::Refused(_))), "{not_allowed:?}");
    let wrong = with(Some(ours), "wrong").get("a").await;
    assert!(matches!(wrong, Err(LinkFailed::Refused(_))), "{wrong:?}");
    let without = with(None, "secret").get("a").await;
    assert!(matches!(without, Err(LinkFailed::Down(_))), "{without:?}");
    let _gone = std::fs::remove_dir_all(&folder);
}

/// Every one of sixty names: how many were found, and the longest anybody waited.
async fn all(link: &RedisLink) -> (usize, Duration) {
    let mut asking = tokio::task::JoinSet::new();
    for number in 0..60 {
        let link = link.clone();
        asking.spawn(async move {
            let asked = Instant::now();
            let found = link.get(&format!("{number}")).await;
            (found.is_ok_and(|value| value.is_some()), asked.elapsed())
        });
    }
    let answers = asking.join_all().await;
    let longest = answers.iter().map(|(_, took)| *took).max().unwrap();
    (answers.iter().filter(|(found, _)| *found).count(), longest)
}

/// An authority, a server that is `localhost`, and a client.
fn certificates(folder: &Path) {
    let key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.distinguished_name.push(DnType::CommonName, "an authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    std::fs::write(folder.join("ca.pem"), authority.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(authority, key);
    for (name, host) in [("server", "localhost"), ("client", "gateway.example")] {
        let key = KeyPair::generate().unwrap();
        let mut wanted = CertificateParams::new(vec![host.to_owned()]).unwrap();
        wanted.distinguished_name.push(DnType::CommonName, host);
        let made = wanted.signed_by(&key, &issuer).unwrap();
        std::fs::write(folder.join(format!("{name}.pem")), made.pem()).unwrap();
        std::fs::write(folder.join(format!("{name}-key.pem")), key.serialize_pem()).unwrap();
    }
}
