//! Tokens that nothing but our own memory keeps from being used twice: once for all replicas, where they
//! share a store, and not at all while that cannot be asked.

use superid_gateway::emulator::EntraToken;

use crate::conformance::carried;
use crate::dishonest::Dishonest;
use crate::federation_scene::{Scene, answer};
use crate::front_channel::{Begun, asking, brought};
use crate::legacy::{self, LEGACY};
use crate::provider::at;
use crate::redis_server::RedisServer;
use crate::world::World;

/// Settings that share the store.
fn sharing(redis: &RedisServer) -> String {
    let socket = redis.socket();
    format!("[session]\nreplicas = 2\n[redis]\nurl = \"unix://{}\"\n", socket.display())
}

#[tokio::test]
async fn an_implicit_answer_signs_in_once_on_all_replicas_together() {
    let Some(redis) = RedisServer::start() else { return };
    for (words, mode) in [("id_token", "form_post"), ("id_token token", "fragment")] {
        let text = format!("{}{}", asking(words, mode), sharing(&redis));
        let world = World::with(&text).await;
        let mut begun = Begun::at(&world).await;
        let mut copy = begun.browser.clone();
        let fields = begun.fields(words, &begun.id_token(&world).sign());
        let answer = begun.brings(&world, mode, &fields).await;
        assert!(answer.signs_in(), "{}", answer.body);
        let _other = world.beside("").await;
        let replayed = brought(&world, &mut copy, mode, &fields).await;
        replayed.is_page(400);
        assert!(replayed.body.contains("This sign-in was sent twice"), "{}", replayed.body);
        assert!(!replayed.signs_in());
    }
}

#[tokio::test]
async fn a_legacy_token_signs_in_once_on_all_replicas_together() {
    let Some(redis) = RedisServer::start() else { return };
    let world = World::with(&format!("{LEGACY}{}", sharing(&redis))).await;
    let token = legacy::draft(&world).sign();
    let (mut browser, answer) = legacy::told(&world, &token).await;
    assert_eq!(browser.arrive(answer).await.status, 200);
    let _other = world.beside("").await;
    let (_, answer) = legacy::told(&world, &token).await;
    answer.is_page(400);
    assert!(answer.body.contains("This sign-in was sent twice"));
    let fresh = legacy::draft(&world).claim("jti", "another").sign();
    let (mut browser, answer) = legacy::told(&world, &fresh).await;
    assert_eq!(browser.arrive(answer).await.status, 200, "another token is not meant");
}

#[tokio::test]
async fn a_token_of_ws_federation_signs_in_once_on_all_replicas_together() {
    let Some(redis) = RedisServer::start() else { return };
    let scene = Scene::new(EntraToken::Saml20).await;
    let _one = scene.beside(&sharing(&redis)).await;
    let mut browser = scene.world.browser();
    let posting = scene.arrive_with(&mut browser, answer(&scene.draft().sign())).await;
    let mut copy = browser.clone();
    let posted = posting.post(&mut browser).await;
    assert_eq!(browser.arrive(posted).await.status, 200);
    let _other = scene.beside(&sharing(&redis)).await;
    let replayed = posting.post(&mut copy).await;
    replayed.is_page(400);
    assert!(replayed.body.contains("This sign-in was sent twice"), "{}", replayed.body);
}

#[tokio::test]
async fn a_providers_implicit_answer_signs_in_once_on_all_replicas_together() {
    let Some(redis) = RedisServer::start() else { return };
    let provider = Dishonest::start().await;
    let asking =
        "[relying_party.main]\nresponse_type = \"id_token\"\nresponse_mode = \"form_post\"";
    let world = World::with(&format!("{}{}", at(&provider, asking), sharing(&redis))).await;
    let mut browser = world.browser();
    let begun = browser.visit(&world.url("/orders")).await;
    let there = browser.step(&begun).await;
    let mut copy = browser.clone();
    let handed = carried(&mut browser, "form_post", &there).await;
    assert_eq!(browser.arrive(handed).await.status, 200);
    let _other = world.beside("").await;
    let handed = carried(&mut copy, "form_post", &there).await;
    let replayed = copy.step(&handed).await;
    replayed.is_page(400);
    assert!(replayed.body.contains("This sign-in was sent twice"), "{}", replayed.body);
}

#[tokio::test]
async fn while_the_store_is_down_nobody_signs_in_with_a_token_alone() {
    let Some(mut redis) = RedisServer::start() else { return };
    let world = World::with(&format!("{LEGACY}{}", sharing(&redis))).await;
    redis.kill();
    let token = legacy::draft(&world).sign();
    let (mut browser, answer) = legacy::told(&world, &token).await;
    answer.is_page(503);
    assert!(answer.body.contains("Nobody can be signed in just now"), "{}", answer.body);
    assert!(browser.jar.named("superid-gateway-handoff").is_empty());
    browser.visit(&world.url("/auth/finish")).await.is_page(400);
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_code_needs_no_store_and_one_gateway_alone_remembers_by_itself() {
    let Some(mut redis) = RedisServer::start() else { return };
    let socket = redis.socket();
    redis.kill();
    let url = format!("[redis]\nurl = \"unix://{}\"\n", socket.display());
    let world = World::with(&format!("{}{url}", asking("code id_token", "form_post"))).await;
    let mut begun = Begun::at(&world).await;
    begun.redeems(&world);
    let fields = begun.fields("code id_token", &begun.id_token(&world).sign());
    // It signs in; whoever was ended elsewhere is not known, so nobody is let in with it yet.
    assert!(begun.brings(&world, "form_post", &fields).await.signs_in());

    let alone = format!("{LEGACY}[session]\nreplicas = 1\n{url}");
    let world = World::with(&alone).await;
    let token = legacy::draft(&world).sign();
    let (mut browser, answer) = legacy::told(&world, &token).await;
    assert_eq!(browser.arrive(answer).await.status, 503);
    let (_, again) = legacy::told(&world, &token).await;
    again.is_page(400);
}
