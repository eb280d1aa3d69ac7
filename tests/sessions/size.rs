//! What many people take of memory.

use std::sync::Arc;

use superid_gateway::crypto::Random;
use superid_gateway::session::{Records, Store};
use superid_gateway::web::Cookies;

use crate::kinds::{NOW, astrid, each_kind};

#[tokio::test]
async fn a_session_in_memory_is_less_than_a_kibibyte() {
    let kind = each_kind().remove(0);
    let many = std::env::var("SESSIONS").map_or(SESSIONS, |many| many.parse().unwrap());
    // Shards fill unevenly; the bound is about what it says.
    let records = Arc::new(Records::new(many + many / 5));
    let sessions = kind.over(Store::Memory(records.clone()));
    let (random, none) = (Random::system(), http::HeaderMap::new());
    let before = resident();
    for _ in 0..many {
        sessions.make(&astrid(NOW), &random, Cookies::of(&none)).await.unwrap();
    }
    let each = resident().saturating_sub(before) / many;
    println!("{} sessions, {each} bytes each", records.len());
    assert_eq!(records.len(), many);
    assert!(each <= 1_024, "{each} bytes");
}

/// Bytes of this process that are in memory.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or_default() * 4_096
}

/// Unless `SESSIONS` says another number: 100,000 take a while without optimisation.
const SESSIONS: usize = 25_000;
