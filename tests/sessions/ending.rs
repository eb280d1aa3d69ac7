//! What was revoked: wherever sessions are kept, after a restart, and in every process that is told.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use superid_gateway::clock::Clock;
use superid_gateway::crypto::Random;
use superid_gateway::identity::ContextId;
use superid_gateway::redis_link::RedisLink;
use superid_gateway::session::{Journal, Loaded, Revocations, Store, What};
use superid_gateway::telemetry::Unfit;

use crate::kinds::{Browser, KEY, NOW, astrid, each_kind, of_set};
use crate::redis_server::RedisServer;

/// A process: what it knows of what was ended.
struct Process {
    set: Arc<Revocations>,
    clock: Clock,
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("ending-{}-{name}", std::process::id()));
        let _was_not_there = std::fs::remove_dir_all(&folder);
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

impl Process {
    fn starts(folder: Option<&Folder>, link: Option<&RedisLink>) -> Self {
        let (set, clock) = (Arc::new(Revocations::new(1_000, 1_000)), Clock::manual(NOW));
        let open = |folder: &Folder| Arc::new(Journal::open(&folder.0, 1_000, NOW).unwrap());
        let journal = folder.map(open);
        set.spread_over((journal.as_ref(), link), 1_000, &clock);
        Self { set, clock }
    }

    /// With what it does twice a second.
    fn runs(self) -> Self {
        tokio::spawn(self.set.clone().keep_up(self.clock.clone()));
        self
    }

    /// How long it takes until a session is over here; it comes within five seconds.
    async fn hears(&self, browser: &Browser) -> Duration {
        let (sessions, begun) = (of_set(&self.set, Store::Cookie), Instant::now());
        while browser.is_signed_in(&sessions, NOW).await {
            assert!(begun.elapsed() < Duration::from_secs(5), "not heard of");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        begun.elapsed()
    }
}

fn nordlys() -> ContextId {
    ContextId::parse("Cust12345").unwrap()
}

#[tokio::test]
async fn each_kind_of_store_ends_what_was_revoked_and_no_late_write_revives_it() {
    for kind in each_kind() {
        let mut browser = Browser::sign_in(&kind.here, &astrid(NOW)).await;
        let Loaded::Live(state) = browser.asks(&kind.here, NOW.plus(50)).await else { panic!() };
        let tenant = nordlys();
        let what = What::Tenant { authority: "sod", tenant: &tenant };
        kind.ended.revoke(what, NOW.plus(50)).await.unwrap();
        // A request that was let in before is about to say that the session is in use.
        let set = kind.here.renew(&state, &Random::system(), (browser.cookies(), NOW.plus(50)));
        browser.keep(&set);
        let over = browser.asks(&kind.here, NOW.plus(50)).await;
        assert!(matches!(over, Loaded::Rejected(Unfit::Ended)), "{}: {over:?}", kind.name);
        let again = Browser::sign_in(&kind.here, &astrid(NOW.plus(50))).await;
        assert!(again.is_signed_in(&kind.here, NOW.plus(50)).await, "{}", kind.name);
    }
}

#[tokio::test]
async fn what_a_revoked_key_sealed_is_nothing_in_any_store() {
    for kind in each_kind() {
        let browser = Browser::sign_in(&kind.here, &astrid(NOW)).await;
        let settings = crate::kinds::settings(&[KEY], "https://app.example");
        let key = settings.session.keys.names().next().unwrap();
        assert!(browser.is_signed_in(&kind.here, NOW).await);
        kind.ended.revoke(What::Key(key), NOW).await.unwrap();
        assert!(!browser.is_signed_in(&kind.here, NOW).await, "{}", kind.name);
    }
}

#[tokio::test]
async fn a_copied_cookie_stays_over_after_a_restart() {
    let folder = Folder::new("restart");
    let before = Process::starts(Some(&folder), None);
    let sessions = of_set(&before.set, Store::Cookie);
    let (one, other) = (astrid(NOW), astrid(NOW));
    let copy = Browser::sign_in(&sessions, &one).await;
    let bystander = Browser::sign_in(&sessions, &other).await;
    sessions.end(&one, NOW).await.unwrap();
    drop((before, sessions));
    let after = Process::starts(Some(&folder), None);
    let sessions = of_set(&after.set, Store::Cookie);
    let over = copy.asks(&sessions, NOW).await;
    assert!(matches!(over, Loaded::Rejected(Unfit::Ended)), "{over:?}");
    assert!(bystander.is_signed_in(&sessions, NOW).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_with_one_folder_hear_of_it_within_a_second() {
    let folder = Folder::new("shared");
    let (here, there) =
        (Process::starts(Some(&folder), None), Process::starts(Some(&folder), None));
    let browser = Browser::sign_in(&of_set(&there.set, Store::Cookie), &astrid(NOW)).await;
    let tenant = nordlys();
    let begun = Instant::now();
    here.set.revoke(What::Tenant { authority: "sod", tenant: &tenant }, NOW).await.unwrap();
    let kept = begun.elapsed();
    let heard = there.hears(&browser).await;
    println!("one machine: on the disk after {kept:?}, over in the other process {heard:?} later");
    // A second where nothing else runs.
    assert!(heard < Duration::from_secs(5), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_on_one_redis_hear_of_it_within_five_seconds_and_after_a_restart() {
    let Some(redis) = RedisServer::start() else { return };
    let (first, second, third) = (redis.link(), redis.link(), redis.link());
    until_up(&redis).await;
    let here = Process::starts(None, Some(&first)).runs();
    let there = Process::starts(None, Some(&second)).runs();
    let one = astrid(NOW);
    let browser = Browser::sign_in(&of_set(&here.set, Store::Cookie), &one).await;
    let began = Instant::now();
    here.set.end(&one, NOW).await.unwrap();
    let told = began.elapsed();
    let heard = there.hears(&browser).await;
    println!("replicas: told after {told:?}, over in the other replica {heard:?} later");
    assert!(heard < Duration::from_secs(5));
    let later = Process::starts(None, Some(&third));
    later.set.wait_for_the_list();
    let sessions = of_set(&later.set, Store::Cookie);
    assert!(matches!(browser.asks(&sessions, NOW).await, Loaded::Unavailable), "nobody knows yet");
    while !later.set.catch_up(NOW).await {
        tokio::task::yield_now().await;
    }
    let over = browser.asks(&sessions, NOW).await;
    assert!(matches!(over, Loaded::Rejected(Unfit::Ended)), "{over:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_told_or_was_lost_is_told_when_redis_is_back() {
    let Some(mut redis) = RedisServer::start() else { return };
    let (first, second) = (redis.link(), redis.link());
    until_up(&redis).await;
    let here = Process::starts(None, Some(&first));
    let there = Process::starts(None, Some(&second));
    let (one, other) = (astrid(NOW), astrid(NOW));
    let sessions = of_set(&here.set, Store::Cookie);
    let (lost, late) =
        (Browser::sign_in(&sessions, &one).await, Browser::sign_in(&sessions, &other).await);
    while !(here.set.catch_up(NOW).await && there.set.catch_up(NOW).await) {
        tokio::task::yield_now().await;
    }
    here.set.end(&one, NOW).await.unwrap();
    redis.kill();
    assert!(here.set.end(&other, NOW).await.is_err());
    assert!(!late.is_signed_in(&sessions, NOW).await, "here it holds at once");
    redis.restart();
    let begun = Instant::now();
    let theirs = of_set(&there.set, Store::Cookie);
    loop {
        let _not_up_yet = (here.set.catch_up(NOW).await, there.set.catch_up(NOW).await);
        if !lost.is_signed_in(&theirs, NOW).await && !late.is_signed_in(&theirs, NOW).await {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "it was not told again");
        tokio::task::yield_now().await;
    }
    println!("after Redis lost all: {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_frozen_redis_did_not_take_is_told_when_it_goes_on() {
    let Some(redis) = RedisServer::start() else { return };
    let (first, second) = (redis.link(), redis.link());
    until_up(&redis).await;
    let here = Process::starts(None, Some(&first));
    let there = Process::starts(None, Some(&second));
    let one = astrid(NOW);
    let browser = Browser::sign_in(&of_set(&here.set, Store::Cookie), &one).await;
    while !(here.set.catch_up(NOW).await && there.set.catch_up(NOW).await) {
        tokio::task::yield_now().await;
    }
    redis.freeze();
    assert!(here.set.end(&one, NOW).await.is_err());
    redis.thaw();
    heard_again(&browser, &here, &there).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_redis_has_lost_is_told_again_by_whoever_knows() {
    let Some(mut redis) = RedisServer::start() else { return };
    let first = redis.link();
    until_up(&redis).await;
    let here = Process::starts(None, Some(&first));
    let one = astrid(NOW);
    let browser = Browser::sign_in(&of_set(&here.set, Store::Cookie), &one).await;
    here.set.end(&one, NOW).await.unwrap();
    while !here.set.catch_up(NOW).await {
        tokio::task::yield_now().await;
    }
    redis.restart();
    // One that knows nothing: what it hears can only come from the other.
    let second = redis.link();
    let there = Process::starts(None, Some(&second));
    heard_again(&browser, &here, &there).await;
}

/// Until one hears what the other knows, by way of Redis.
async fn heard_again(browser: &Browser, here: &Process, there: &Process) {
    let (theirs, begun) = (of_set(&there.set, Store::Cookie), Instant::now());
    assert!(browser.is_signed_in(&theirs, NOW).await, "not heard of yet");
    while browser.is_signed_in(&theirs, NOW).await {
        assert!(begun.elapsed() < Duration::from_secs(20), "it was not told again");
        let _not_up_yet = (here.set.catch_up(NOW).await, there.set.catch_up(NOW).await);
        tokio::task::yield_now().await;
    }
}

async fn until_up(redis: &RedisServer) {
    let link = redis.link();
    let begun = Instant::now();
    while link.ping().await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10), "no Redis");
        tokio::task::yield_now().await;
    }
}
