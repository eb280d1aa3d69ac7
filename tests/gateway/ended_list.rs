//! The list of ended sessions that replicas share: down at a start, and full.

use std::time::{Duration, Instant};

use crate::redis_server::RedisServer;
use crate::world::{ASTRID, JONAS, World};

fn over(server: &RedisServer) -> String {
    let socket = server.socket();
    format!(
        "[session]\nstore = \"cookie\"\n[route.app]\npresent = \"nothing\"\n[redis]\nurl = \"unix://{}\"\n\
         [limits]\nended_sessions = 1000\n",
        socket.display()
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_without_redis_lets_nobody_in_signs_nobody_out_and_recovers_by_itself() {
    let Some(mut server) = RedisServer::start_keeping() else { return };
    let world = World::with(&over(&server)).await;
    let mut browser = world.signed_in(ASTRID).await;
    let ended = world.signed_in(JONAS).await;
    let copy = ended.clone();
    assert_eq!(ended.clone().visit(&world.url("/auth/sign_out")).await.status, 303);
    server.kill();
    let world = world.taken_over("").await;
    let cookie = browser.jar.value("superid-gateway");
    for _ in 0..3 {
        let refused = browser.visit(&world.url("/orders")).await;
        refused.is_page(503);
        assert!(refused.body.contains("not been signed out"), "{}", refused.body);
        assert_eq!(copy.clone().visit(&world.url("/orders")).await.status, 503);
    }
    assert_eq!(browser.jar.value("superid-gateway"), cookie);
    world.app.heard_nothing();
    assert_eq!(world.api().get(&world.url("/public/x")).await.status, 200);
    server.restart();
    let back = Instant::now();
    while browser.visit(&world.url("/orders")).await.status != 200 {
        assert!(back.elapsed() < Duration::from_secs(5), "it does not recover");
    }
    println!("recovered after {:?}", back.elapsed());
    assert_eq!(copy.clone().visit(&world.url("/orders")).await.status, 303, "ended is ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_is_full_ends_everybody_as_old_as_what_it_forgets_and_nobody_younger() {
    let Some(server) = RedisServer::start() else { return };
    let world = World::with(&over(&server)).await;
    let mut old = world.signed_in(ASTRID).await;
    assert_eq!(old.visit(&world.url("/orders")).await.status, 200);
    world.turn_clock(60);
    // What other replicas ended: as many as the list has room for, all as old as a minute ago.
    let began = world.clock.now().0 - 30;
    let fill = format!(
        "for n = 1, 1000 do local e = string.format('s:%032x:{began}', n) \
         redis.call('ZADD', KEYS[1], redis.call('INCR', KEYS[3]), e) \
         redis.call('ZADD', KEYS[2], {began}, e) end return redis.call('ZCARD', KEYS[1])"
    );
    let names = server.ask(&["--raw", "KEYS", "*{ended}:word"]);
    let prefix = names.trim().strip_suffix("{ended}:word").expect("the list has begun").to_owned();
    let key = |part: &str| format!("{prefix}{{ended}}:{part}");
    let keys = [key("list"), key("times"), key("place")];
    let answer = server.ask(&["EVAL", &fill, "3", &keys[0], &keys[1], &keys[2]]);
    assert!(answer.contains("1000"), "{answer}");
    // One more: the oldest give way, and everybody as old as they are is over with them.
    let leaves = world.signed_in(JONAS).await;
    assert_eq!(leaves.clone().visit(&world.url("/auth/sign_out")).await.status, 303);
    let told = Instant::now();
    while old.visit(&world.url("/orders")).await.status == 200 {
        assert!(told.elapsed() < Duration::from_secs(5), "who may have been ended is let in");
    }
    let left: usize = server.ask(&["ZCARD", &keys[0]]).trim().parse().unwrap();
    assert!(left <= 1_000, "{left}");
    let mut young = world.signed_in(JONAS).await;
    assert_eq!(young.visit(&world.url("/orders")).await.status, 200, "who is younger stays");
}
