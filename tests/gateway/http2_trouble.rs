//! Apps that speak HTTP/2 and give up, or whose clients do.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use superid_gateway::config::{Destination, Settings, UpstreamScheme};
use tokio::time::timeout;

use crate::h2_app::{H2App, piece};
use crate::http2_apps::{GRPC, answered, before, post, text};
use crate::tls::text_of;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::wire::{PATIENCE, read_some, until};
use crate::world::World;

#[tokio::test]
async fn what_the_app_refuses_to_begin_with_is_sent_once_more_whatever_it_is() {
    let app = H2App::start().await;
    app.hands_over();
    let (secure, client) = before(&app, "h2-refused").await;
    let url = secure.world.url("/public");
    let (answer, mut saying) = post(&client, &url, &[]).await;
    saying.send_data(text("do it once"), true).unwrap();
    app.next().await.resets(Reason::REFUSED_STREAM);
    let mut again = app.next().await;
    assert_eq!(again.whole().await, b"do it once");
    again.answers("done");
    let (status, _, mut body) = answered(answer).await;
    assert_eq!((status, text_of(&mut body).await.as_str()), (200, "done"));

    // What it began with is not, and neither is what it refuses for ever.
    for (reason, times) in [(Reason::INTERNAL_ERROR, 1), (Reason::REFUSED_STREAM, 2)] {
        let (answer, mut saying) = post(&client, &url, &[]).await;
        saying.send_data(text("do it once"), true).unwrap();
        for _ in 0..times {
            app.next().await.resets(reason);
        }
        assert_eq!(answered(answer).await.0, 502);
        app.heard_nothing().await;
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_whole_whatever_the_app_says_of_it() {
    let app = H2App::start().await;
    app.hands_over();
    let world = World::with(&app.behind_all()).await;
    let own = world.authority().to_owned();
    for reason in [Reason::NO_ERROR, Reason::CANCEL] {
        let mut stream = world.net.connect(&own).await;
        let head = format!("GET /public HTTP/1.1\r\nHost: {own}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut asked = app.next().await;
        let mut half = asked.begins(&[]);
        half.send_data(text("half"), false).unwrap();
        let mut came = Vec::new();
        while !came.ends_with(b"half\r\n") {
            assert!(read_some(&mut stream, &mut came).await > 0);
        }
        half.send_reset(reason);
        let _closed = stream.read_to_end(&mut came).await;
        assert!(came.ends_with(b"half\r\n"), "{}", came.escape_ascii());
    }
}

#[tokio::test]
async fn an_app_that_says_goodbye_finishes_what_it_began_and_is_asked_anew() {
    let app = H2App::start().await;
    app.hands_over();
    let (secure, client) = before(&app, "h2-goodbye").await;
    let url = secure.world.url("/public");
    let (first, mut ended) = post(&client, &url, &[]).await;
    ended.send_data(Bytes::new(), true).unwrap();
    let begun = app.next().await;
    app.says_goodbye();
    // One that is asked meanwhile is not lost, by whichever connection it went first.
    let (second, mut ended) = post(&client, &url, &[]).await;
    ended.send_data(text("anew"), true).unwrap();
    app.next().await.answers("second");
    begun.answers("first");
    for (answer, told) in [(first, "first"), (second, "second")] {
        let (status, _, mut body) = answered(answer).await;
        assert_eq!((status, text_of(&mut body).await.as_str()), (200, told));
    }
    until("it has said goodbye", async || {
        let (answer, mut ended) = post(&client, &url, &[]).await;
        ended.send_data(Bytes::new(), true).unwrap();
        app.next().await.answers("third");
        answered(answer).await.0 == 200 && app.connections() == 2
    })
    .await;
}

#[tokio::test]
async fn an_app_that_dies_is_a_502_before_its_answer_and_an_end_cut_short_behind() {
    let app = H2App::start().await;
    app.hands_over();
    let (secure, client) = before(&app, "h2-dies").await;
    let url = secure.world.url("/public");
    let (answer, mut saying) = post(&client, &url, &[GRPC]).await;
    saying.send_data(text("ask"), true).unwrap();
    let mut asked = app.next().await;
    asked.whole().await;
    app.dies();
    let (status, head, body) = answered(answer).await;
    assert_eq!((status, head["grpc-status"].to_str().unwrap()), (502, "14"));
    assert!(body.is_end_stream() && head.contains_key("grpc-message"));
    app.heard_nothing().await;

    let (answer, _saying) = post(&client, &url, &[GRPC]).await;
    let mut asked = app.next().await;
    let mut answering = asked.begins(&[GRPC]);
    answering.send_data(text("half"), false).unwrap();
    let (_, _, mut body) = answered(answer).await;
    assert_eq!(piece(&mut body).await.unwrap(), "half");
    app.dies();
    let cut = timeout(PATIENCE, body.data()).await.expect("an end in time");
    assert!(matches!(cut, Some(Err(_))), "{cut:?}");
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_request_with_it() {
    let app = H2App::start().await;
    app.hands_over();
    let (secure, client) = before(&app, "h2-leaves").await;
    let (answer, mut saying) = post(&client, &secure.world.url("/public"), &[]).await;
    let mut asked = app.next().await;
    drop(answer);
    saying.send_reset(Reason::CANCEL);
    let left = timeout(PATIENCE, asked.body.data()).await.expect("an end in time");
    assert!(matches!(left, Some(Err(_))), "{left:?}");
    let (answer, mut ended) = post(&client, &secure.world.url("/public"), &[]).await;
    ended.send_data(Bytes::new(), true).unwrap();
    app.next().await.answers("next");
    assert_eq!((answered(answer).await.0, app.connections()), (200, 1));
}

#[tokio::test]
async fn an_answer_before_the_end_of_a_body_is_the_answer() {
    let app = H2App::start().await;
    app.hands_over();
    let (secure, client) = before(&app, "h2-early").await;
    let (answer, mut saying) = post(&client, &secure.world.url("/public"), &[]).await;
    saying.send_data(text("the beginning"), false).unwrap();
    let mut asked = app.next().await;
    assert_eq!(asked.piece().await.unwrap(), "the beginning");
    drop(asked.ends(413, &[("x-why", "enough")]));
    let (status, head, _) = answered(answer).await;
    assert_eq!((status, &head["x-why"]), (413, &"enough".parse().unwrap()));
}

#[tokio::test]
async fn a_refusal_of_ours_is_a_head_that_grpc_clients_understand() {
    let app = H2App::start().await;
    app.hands_over();
    let (secure, client) = before(&app, "h2-refusal").await;
    let url = secure.world.url("/shop.Orders/List");
    let (answer, _saying) = post(&client, &url, &[GRPC, ("te", "trailers")]).await;
    let (status, head, body) = answered(answer).await;
    assert_eq!((status, head["content-type"].to_str().unwrap()), (401, "application/grpc"));
    assert_eq!(head["grpc-status"], "16");
    assert!(body.is_end_stream());
    app.heard_nothing().await;
}

#[tokio::test]
async fn an_app_that_is_silent_is_a_504_and_its_connection_is_not_used_again() {
    let app = H2App::start().await;
    let world = World::tuned(&app.behind_all(), |settings| {
        each_app(settings, |upstream| upstream.read_timeout = Duration::from_millis(80));
    })
    .await;
    assert_eq!(world.api().get(&world.url("/public")).await.status, 200);
    app.hands_over();
    let (answer, asked) =
        tokio::join!(async { world.api().get(&world.url("/public")).await }, app.next());
    assert_eq!(answer.status, 504);
    drop(asked);
    let (answer, ()) =
        tokio::join!(async { world.api().get(&world.url("/public")).await }, async {
            app.next().await.answers("again")
        });
    assert_eq!((answer.status, app.connections()), (200, 2));
}

#[tokio::test]
async fn an_app_behind_tls_has_to_agree_on_http_2() {
    for (protocol, status) in [(&b"h2"[..], 200), (&b"http/1.1"[..], 502)] {
        let (app, authorities) = H2App::secure(protocol).await;
        let world = World::tuned(&app.behind_all(), |settings| {
            each_app(settings, |upstream| {
                let servers = Arc::make_mut(&mut upstream.servers);
                servers.each[0].scheme = UpstreamScheme::Https;
                servers.tls.authorities = Some(authorities.clone());
                servers.tls.server_name = Some("app.test".to_owned());
            });
        })
        .await;
        assert_eq!(world.api().get(&world.url("/public")).await.status, status);
    }
}

#[tokio::test]
async fn an_app_that_speaks_no_http_2_is_a_502() {
    let world = World::with(
        "[upstream.h2]\nservers = [\"$APP\"]\nprotocol = \"http/2\"\n[route.open]\nupstream = \"h2\"",
    )
    .await;
    assert_eq!(world.api().get(&world.url("/public")).await.status, 502);
}

fn each_app(settings: &mut Settings, change: impl Fn(&mut superid_gateway::config::Upstream)) {
    for route in &mut settings.routes {
        if let Destination::App(upstream) = &mut route.upstream {
            change(upstream);
        }
    }
}
