//! Session keys that change: nobody is signed out, and a key that was seen ends its own sessions alone.

use superid_gateway::crypto::{KeyRing, named};

use crate::live::tunnel;
use crate::recorder::Reply;
use crate::wire::read_some;
use crate::world::{ASTRID, JONAS, World};

/// The key of every world, and the next.
const FIRST: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const SECOND: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
const SESSION: &str = "superid-gateway";

fn keys(store: &str, lines: &str) -> String {
    format!("[session]\nstore = \"{store}\"\nkeys = [{{ value = \"{lines}\" }}]\n")
}

/// What the first key of every world is called: it is the bytes 0 to 31.
fn first() -> String {
    named(KeyRing::name_of(&std::array::from_fn(|at| at as u8)))
}

#[tokio::test]
async fn a_session_in_use_moves_to_the_new_key_at_once_and_outlives_the_old_one() {
    for store in ["cookie", "memory"] {
        let mut world = World::with(&keys(store, FIRST)).await;
        let mut astrid = world.signed_in(ASTRID).await;
        let mut absent = world.signed_in(JONAS).await;
        let before = astrid.jar.value(SESSION).unwrap();
        world.reload(&keys(store, &format!("{FIRST}\\nnext {SECOND}"))).unwrap();
        assert_eq!(astrid.visit(&world.url("/x")).await.status, 200);
        assert_eq!(astrid.jar.value(SESSION).unwrap(), before, "the new one seals nothing yet");
        world.reload(&keys(store, &format!("{SECOND}\\nold {FIRST} 1700000000"))).unwrap();
        assert_eq!(astrid.visit(&world.url("/x")).await.status, 200);
        let after = astrid.jar.value(SESSION).unwrap();
        assert_ne!(after, before, "{store}");
        assert_eq!(world.metric("sessions_of_older_keys_total").await, 1);
        let opens = format!("session_keys{{key=\"{}\",state=\"opens\"}}", first());
        assert_eq!(world.metric(&opens).await, 1);
        assert_eq!(astrid.visit(&world.url("/x")).await.status, 200);
        assert_eq!(astrid.jar.value(SESSION).unwrap(), after, "once");
        world.reload(&keys(store, SECOND)).unwrap();
        assert_eq!(astrid.visit(&world.url("/x")).await.status, 200, "{store}");
        assert_eq!(absent.visit(&world.url("/x")).await.status, 303, "{store}");
    }
}

#[tokio::test]
async fn a_revoked_key_ends_what_it_ever_sealed_and_nobody_elses_session() {
    for store in ["cookie", "memory"] {
        let mut world = World::with(&keys(store, FIRST)).await;
        let mut astrid = world.signed_in(ASTRID).await;
        world.reload(&keys(store, &format!("{SECOND}\\nold {FIRST} 1700000000"))).unwrap();
        assert_eq!(
            astrid.visit(&world.url("/x")).await.status,
            200,
            "sealed with the second by now"
        );
        let mut jonas = world.signed_in(JONAS).await;
        world.app.says(Reply::Echo(crate::live::switched("hello")));
        let mut own = tunnel(&world, &astrid).await;
        world.app.says_with("");
        world.reload(&keys(store, &format!("{SECOND}\\nrevoked {}", first()))).unwrap();
        assert_eq!(astrid.visit(&world.url("/x")).await.status, 303, "{store}");
        assert_eq!(jonas.visit(&world.url("/x")).await.status, 200, "{store}");
        let mut heard = Vec::new();
        while read_some(&mut own, &mut heard).await > 0 {}
        assert_eq!(heard, b"\x88\x0e\x03\xf0session over", "{store}");
    }
}
