//! Every flood ends, and the metrics say by which limit.

use crate::house::House;

use super::floods::{Ending, FLOODS};
use super::frames::*;
use super::verdict::{CALM, COMPRESSION, PROTOCOL};

#[tokio::test]
async fn every_flood_is_ended_and_the_next_client_is_served() {
    let house = House::with_tls().await;
    let mut broken = Vec::new();
    for flood in FLOODS {
        let ending = flood.play(house.talk().await).await;
        if !matches!(ending, Ending::Closed(None | Some(CALM | COMPRESSION | PROTOCOL))) {
            broken.push(format!("{}: {ending:?}", flood.name));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    let mut talker = house.talk().await;
    talker.greet(&[]).await;
    talker.say(get(1, "/x")).await;
    while talker.hear().await.expect("an answer").kind != DATA {}
    for limit in ["h2_control_frames", "h2_header_bytes", "h2_streams"] {
        let line = format!("superid_gateway_limit_hits_total{{limit=\"{limit}\"}}");
        assert!(house.metric(&line).await > 0, "{line}");
    }
}

#[tokio::test]
async fn a_flood_is_told_why_it_is_ended() {
    let house = House::with_tls().await;
    let ping = FLOODS.iter().find(|flood| flood.name == "PING").unwrap();
    assert_eq!(ping.play(house.talk().await).await, Ending::Closed(Some(CALM)));
}

/// What browsers and libraries really send on a busy connection.
#[tokio::test]
async fn a_busy_client_is_no_flood() {
    let house = House::with_tls().await;
    let mut talker = house.talk().await;
    talker.greet(&[]).await;
    for number in 0..2_000 {
        let id = 2 * number + 1;
        let priority = frame(PRIORITY, 0, id, [0, 0, 0, 0, 9]);
        talker.say(all(&[get(id, "/x"), priority])).await;
        while talker.hear().await.expect("an answer").kind != DATA {}
        talker.say(all(&[window(0, 7), window(id, 7), reset(id, 8)])).await;
    }
}

/// Answers whose windows never open are given up one by one, then the connection is idle.
#[tokio::test]
async fn streams_that_take_nothing_are_reset_and_their_connection_ends() {
    let house = House::limited("write_timeout = \"1s\"\nidle_timeout = \"5s\"\n").await;
    let mut talker = house.talk().await;
    talker.greet(&[(4, 0)]).await;
    for number in 0..99 {
        talker.say(get(2 * number + 1, "/x")).await;
    }
    let mut reset = 0;
    while let Some(heard) = talker.hear().await {
        assert_ne!(heard.kind, DATA);
        reset += usize::from(heard.kind == RST_STREAM);
    }
    assert_eq!(reset, 99);
    let met = house.metric("superid_gateway_limit_hits_total{limit=\"write_timeout\"}").await;
    assert_eq!(met, 99);
}
