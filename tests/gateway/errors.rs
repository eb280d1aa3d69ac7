//! Errors as answers: whatever SuperID says, and whoever says that SuperID said it, there is a page that
//! tells what happened, whom to ask, and how to try again.

use superid_gateway::emulator::Kind;

use crate::front_channel::{Begun, asking, brought};
use crate::jar::Way;
use crate::wire::Answer;
use crate::world::{ASTRID, World};

/// What each says: its error, its description, the status, and words on the page.
const SAID: [(&str, &str, u16, &str); 27] = [
    // RFC 6749 §4.1.2.1
    ("invalid_request", "", 502, "<code>invalid_request</code>"),
    ("unauthorized_client", "", 502, "<code>unauthorized_client</code>"),
    ("access_denied", "", 403, "The app was not approved"),
    ("unsupported_response_type", "", 502, "<code>unsupported_response_type</code>"),
    ("invalid_scope", "", 502, "<code>invalid_scope</code>"),
    ("server_error", "", 503, "SuperID does not answer"),
    ("temporarily_unavailable", "", 503, "SuperID does not answer"),
    // OpenID Connect Core §3.1.2.6
    ("interaction_required", "", 403, "SuperID has a question for you"),
    ("login_required", "", 403, "SuperID has a question for you"),
    ("account_selection_required", "", 403, "SuperID has a question for you"),
    ("consent_required", "", 403, "The app was not approved"),
    ("invalid_request_uri", "", 502, "<code>invalid_request_uri</code>"),
    ("invalid_request_object", "", 502, "<code>invalid_request_object</code>"),
    ("request_not_supported", "", 502, "<code>request_not_supported</code>"),
    ("request_uri_not_supported", "", 502, "<code>request_uri_not_supported</code>"),
    ("registration_not_supported", "", 502, "<code>registration_not_supported</code>"),
    // AuthorizeErrorCode
    ("Revoked", "", 403, "The app is not approved any more"),
    ("2", "", 502, "<code>InvalidRedirectUrl</code>"),
    ("Expired", "", 403, "SuperID says that the time is over"),
    ("Denied", "", 403, "The app was not approved"),
    ("NeedsReapproval", "", 403, "An administrator must approve the app again"),
    ("5", "", 403, "An administrator must approve the app again"),
    (
        "access_denied",
        "Authorization error: NeedsReapproval (5)",
        403,
        "must approve the app again",
    ),
    ("InvalidTimestamp", "", 502, "<code>InvalidTimestamp</code>"),
    ("invalid_request", "InvalidSignature (7)", 502, "<code>InvalidSignature</code>"),
    // Nobody's
    ("an_error_of_tomorrow", "", 502, "<code>an_error_of_tomorrow</code>"),
    (
        "\"><script>alert(1)</script>",
        "<img src=x onerror=y>",
        502,
        "<code>scriptalert1script</code>",
    ),
];

fn fields(state: Option<&str>, error: &str, description: &str) -> Vec<(String, String)> {
    let mut fields = vec![("error".to_owned(), error.to_owned())];
    fields.extend(state.map(|state| ("state".to_owned(), state.to_owned())));
    if !description.is_empty() {
        fields.push(("error_description".to_owned(), description.to_owned()));
    }
    fields.push(("error_uri".to_owned(), "https://evil.example/help".to_owned()));
    fields.push(("unknown_field".to_owned(), "<b>x</b>".to_owned()));
    fields
}

/// A page that says so, whom to ask and what to name, and echoes nothing.
fn tells(answer: &Answer, status: u16, words: &str) {
    answer.is_page(status);
    let body = &answer.body;
    assert!(body.contains(words), "{words}: {body}");
    assert!(body.contains(answer.header("x-request-id")), "the reference");
    assert!(body.contains("administrator") || body.contains("the people who run this app"));
    for echoed in ["evil.example", "<script", "<img", "onerror", "unknown_field", "<b>"] {
        assert!(!body.contains(echoed), "{echoed}: {body}");
    }
    assert!(!answer.signs_in());
}

#[tokio::test]
async fn every_error_lands_on_a_page_that_says_what_happened_and_lets_people_try_again() {
    for mode in ["query", "form_post", "fragment"] {
        let world = World::with(&asking("code", mode)).await;
        for (error, description, status, words) in SAID {
            let mut begun = Begun::at(&world).await;
            let mut said = fields(Some(&begun.state), error, description);
            said.push(("code".to_owned(), "the-code".to_owned()));
            let answer = begun.brings(&world, mode, &said).await;
            tells(&answer, status, words);
            assert!(answer.body.contains("/auth/start?rd=%2Forders"), "{mode} {error}");
        }
        assert!(world.liar.requests().is_empty(), "an error wins over the code beside it");
        world.app.heard_nothing();
    }
}

#[tokio::test]
async fn an_error_without_a_state_of_this_browser_is_shown_and_spends_nothing() {
    for mode in ["query", "form_post", "fragment"] {
        let world = World::with(&format!(
            "[relying_party.main]\nresponse_mode = \"{mode}\"\n[session]\nattempt = \"5m\"\n\
             [limits]\nsign_ins_per_minute = 0\n"
        ))
        .await;
        let mut begun = Begun::at(&world).await;
        let mine = begun.state.clone();
        let mut bent = mine.clone();
        bent.truncate(mine.len() - 2);
        for state in [None, Some(""), Some("made-up"), Some(bent.as_str()), Some(mine.as_str())] {
            let mut stranger = world.browser();
            let said = fields(state, "access_denied", "");
            let answer = brought(&world, &mut stranger, mode, &said).await;
            tells(&answer, 403, "The app was not approved");
            assert!(answer.body.contains("/auth/start?rd=%2F"), "a way to try again");
        }
        let twice = [fields(Some(&mine), "access_denied", ""), fields(None, "x", "")].concat();
        let mut browser = begun.browser.clone();
        let answer = brought(&world, &mut browser, mode, &twice).await;
        answer.is_page(400);
        assert!(!answer.body.contains("The app was not approved"), "which one counts?");

        let kept = begun.browser.clone();
        let answer = begun.goes_on(&world, mode).await;
        assert_eq!(answer.status, 200, "{mode}: {}", answer.body);
        assert_eq!(world.asked(Kind::Tokens), 1);
        world.turn_clock(301);
        let mut browser = kept;
        let said = fields(Some(&mine), "access_denied", "");
        let late = brought(&world, &mut browser, mode, &said).await;
        tells(&late, 403, "The app was not approved");
    }
}

#[tokio::test]
async fn an_error_of_this_browsers_attempt_ends_it() {
    let world = World::new().await;
    let mut begun = Begun::at(&world).await;
    let said = fields(Some(&begun.state), "access_denied", "");
    tells(&begun.brings(&world, "query", &said).await, 403, "The app was not approved");
    let again = begun.brings(&world, "query", &said).await;
    again.is_page(400);
    assert!(again.body.contains("This sign-in was used already"));
}

#[tokio::test]
async fn the_error_callback_has_a_page_for_whatever_comes_there() {
    let world = World::with("[relying_party.main]\nerror_callback_path = \"/auth/error\"").await;
    let begun = Begun::at(&world).await;
    let state = begun.state.clone();
    let cases: [(&str, u16, &str); 9] = [
        ("", 502, "SuperID did not sign you in"),
        ("error=access_denied", 403, "The app was not approved"),
        ("error=5&error_description=x", 403, "must approve the app again"),
        ("ErrorCode=NeedsReapproval", 403, "must approve the app again"),
        ("msg=Authorization+error:+Revoked+(1)", 403, "The app is not approved any more"),
        ("a=1&b=%3Cscript%3E&c=https://evil.example", 502, "SuperID did not sign you in"),
        ("error=%22%3E%3Cscript%3E", 502, "<code>script</code>"),
        ("code=a-code&state=x&id_token=y", 502, "SuperID did not sign you in"),
        ("error=access_denied&Error=x", 400, "The request could not be read"),
    ];
    let url = world.url("/auth/error");
    for (text, status, words) in cases {
        let answer = world.browser().follow_link(&format!("{url}?{text}")).await;
        tells(&answer, status, words);
        let headers = "Accept: text/html\r\nOrigin: https://elsewhere.example\r\n\
                       Content-Type: application/x-www-form-urlencoded\r\n";
        let mut browser = world.browser();
        let posted = browser.request("POST", &url, Way::CrossSite, headers, text).await;
        tells(&posted, status, words);
        assert!(posted.body.contains("/auth/start?rd=%2F"), "{text}");
    }
    let huge = "x".repeat(70_000);
    let mut browser = world.browser();
    browser
        .request("POST", &url, Way::CrossSite, "Accept: text/html\r\n", &huge)
        .await
        .is_page(400);
    assert_eq!(world.api().send("PUT", &url, "Content-Length: 0\r\n").await.status, 405);

    let answer = begun.browser.clone().follow_link(&format!("{url}?error=4&state={state}")).await;
    tells(&answer, 403, "The app was not approved");
    assert!(answer.body.contains("/auth/start?rd=%2Forders"), "back to where they wanted");
    let said = fields(Some(&state), "access_denied", "");
    let mut browser = begun.browser;
    tells(&brought(&world, &mut browser, "query", &said).await, 403, "The app was not approved");
    assert_eq!(world.asked(Kind::Tokens), 0);
    world.app.heard_nothing();
}

#[tokio::test]
async fn attempts_that_never_come_back_age_out_and_leave_nothing_behind() {
    let world = World::with("[limits]\nspent_attempts = 1000\nsign_ins_per_minute = 0\n").await;
    let mut browser = world.browser();
    let mut callbacks = Vec::new();
    for number in 0..40 {
        let long = "x".repeat(if number % 2 == 0 { 10 } else { 2_000 });
        let begun = browser.visit(&world.url(&format!("/orders/{number}?q={long}"))).await;
        let state = begun.parameter("state").unwrap();
        callbacks.push(world.url(&format!("/auth/callback?state={state}&code=x")));
    }
    // More than would fit, if anything were kept of an attempt before it comes back.
    for _ in 0..1_100 {
        assert_eq!(world.browser().visit(&world.url("/orders")).await.status, 303);
    }
    assert_eq!(browser.jar.named("superid-gateway-target").len(), 2);
    world.turn_clock(601);
    for callback in callbacks {
        let late = browser.visit(&callback).await;
        late.is_page(400);
        assert!(late.body.contains("The sign-in took too long"));
    }
    let now = world.clock.now().0;
    let cookies = browser.jar.header(("http", "localhost", "/"), Way::SameSite, now).unwrap();
    assert!(!cookies.contains("target"), "the browser has forgotten them too: {cookies}");
    assert_eq!(world.asked(Kind::Tokens), 0);
    assert_eq!(browser.sign_in(&world.url("/orders"), ASTRID).await.status, 200);
}
