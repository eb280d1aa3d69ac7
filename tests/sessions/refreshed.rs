//! Sessions that were refreshed: found by whoever comes late, and revived by nobody.

use superid_gateway::clock::Timestamp;
use superid_gateway::crypto::Random;
use superid_gateway::identity::RefreshToken;
use superid_gateway::session::{Given, Loaded, Newest, Refresh, SessionState, Sessions};

use crate::kinds::{Browser, NOW, astrid, each_kind};

fn given(asked: Timestamp) -> Given {
    let token = RefreshToken::parse("a refresh token").unwrap();
    Given { token, asked, until: asked.plus(100) }
}

fn refreshable() -> SessionState {
    let refresh = Refresh::fresh(given(NOW), [7; 16], &Random::system());
    SessionState { refresh: Some(refresh), ..astrid(NOW) }
}

/// What the next refresh makes of it.
fn after(state: &SessionState, now: Timestamp) -> SessionState {
    let refresh = state.refresh.as_ref().map(|refresh| refresh.after(given(now)));
    SessionState { refresh, seen: now, ..state.clone() }
}

async fn write(sessions: &Sessions, state: &SessionState, now: Timestamp) {
    sessions.refreshed(state);
    sessions.write_refreshed(state, (&Random::system(), now)).await.unwrap();
}

async fn round(browser: &Browser, sessions: &Sessions, now: Timestamp) -> Option<u32> {
    match browser.asks(sessions, now).await {
        Loaded::Live(state) => state.refresh.as_ref().map(Refresh::round),
        _ => None,
    }
}

#[tokio::test]
async fn what_a_refresh_brought_is_found_by_whoever_comes_with_what_was_before() {
    for kind in each_kind() {
        let state = refreshable();
        let mut browser = Browser::sign_in(&kind.here, &state).await;
        let (old, now) = (browser.clone(), NOW.plus(50));
        assert_eq!(kind.there.newest(&state).await, Ok(Newest::Same), "{}", kind.name);
        write(&kind.here, &after(&state, now), now).await;
        assert_eq!(kind.there.newest(&state).await, Ok(Newest::Newer), "{}", kind.name);
        for sessions in [&kind.here, &kind.there] {
            assert_eq!(round(&browser, sessions, now).await, Some(2), "{}", kind.name);
        }
        // The browser gets it with the next answer, where it carries the session.
        let Loaded::Live(found) = browser.asks(&kind.here, now).await else { panic!("gone") };
        assert_eq!(
            kind.here.is_due(&found, browser.cookies(), now),
            kind.name == "cookie",
            "{}",
            kind.name
        );
        let set = kind.here.renew(&found, &Random::system(), (browser.cookies(), now));
        browser.keep(&set);
        assert!(!kind.here.is_due(&found, browser.cookies(), now), "{}", kind.name);
        assert_eq!(round(&browser, &kind.here, now).await, Some(2));
        assert_eq!(round(&old, &kind.here, now).await, Some(2), "{}: another tab", kind.name);
    }
}

#[tokio::test]
async fn nothing_older_is_written_over_what_a_refresh_brought() {
    for kind in each_kind() {
        let state = refreshable();
        let mut browser = Browser::sign_in(&kind.here, &state).await;
        assert!(browser.is_signed_in(&kind.here, NOW).await);
        let later = after(&after(&state, NOW.plus(20)), NOW.plus(30));
        write(&kind.here, &later, NOW.plus(30)).await;
        // A request that was let in before writes that it is in use; a slower refresh comes home.
        let cookies = (browser.cookies(), NOW.plus(40));
        let set = kind.here.renew(&state, &Random::system(), cookies);
        browser.keep(&set);
        write_late(&kind.there, &after(&state, NOW.plus(35))).await;
        let now = NOW.plus(41);
        assert_eq!(round(&browser, &kind.here, now).await, Some(4), "{}", kind.name);
        assert_eq!(round(&browser, &kind.there, now).await, Some(4), "{}", kind.name);
    }
}

async fn write_late(sessions: &Sessions, state: &SessionState) {
    sessions.write_refreshed(state, (&Random::system(), NOW.plus(40))).await.unwrap();
}

#[tokio::test]
async fn a_session_that_ended_while_it_was_refreshed_is_revived_by_nobody() {
    for kind in each_kind() {
        let state = refreshable();
        let browser = Browser::sign_in(&kind.here, &state).await;
        kind.here.end(&state, NOW.plus(1)).await.unwrap();
        let now = NOW.plus(2);
        write(&kind.here, &after(&state, now), now).await;
        assert_eq!(kind.here.newest(&state).await, Ok(Newest::Gone), "{}", kind.name);
        assert!(!browser.is_signed_in(&kind.here, now).await, "{}", kind.name);
        assert!(!browser.is_signed_in(&kind.there, now).await, "{}", kind.name);
    }
}

#[tokio::test]
async fn a_session_whose_token_is_lost_ends_with_its_access_token() {
    for kind in each_kind() {
        let state = refreshable();
        let browser = Browser::sign_in(&kind.here, &state).await;
        let refresh = state.refresh.as_ref().map(Refresh::lost);
        let lost = SessionState { refresh, seen: NOW.plus(60), ..state };
        write(&kind.here, &lost, NOW.plus(60)).await;
        assert!(browser.is_signed_in(&kind.here, NOW.plus(99)).await, "{}", kind.name);
        assert!(!browser.is_signed_in(&kind.here, NOW.plus(100)).await, "{}", kind.name);
    }
}
