//! A SuperID whose token endpoint says what a test wants: every claim a token can lie about.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use superid_gateway::emulator::{Draft, Kind};

use crate::browser::Browser;
use crate::wire::Answer;
use crate::world::{ASTRID, NOW, World};

/// Settings that ask the liar for tokens.
const LIAR: &str = "[environment.emulator]\ntoken_url = \"$LIAR/tokens\"\n";
const ACCESS_TOKEN: &str = "8A:Cust12345.access+token/of=liar";
const CODE: &str = "the-code";

/// Signs in where the id_token is what `bend` makes of a good one.
async fn told(world: &World, browser: &mut Browser, bend: impl FnOnce(Draft) -> String) -> Answer {
    answered(world, browser, |draft| {
        json!({
            "token_type": "Bearer",
            "access_token": ACCESS_TOKEN,
            "expires_in": 3600,
            "id_token": bend(draft),
        })
        .to_string()
    })
    .await
}

/// Signs in where the token endpoint's whole answer is what `body` makes of a good id_token.
async fn answered(
    world: &World,
    browser: &mut Browser,
    body: impl FnOnce(Draft) -> String,
) -> Answer {
    let begun = browser.visit(&world.url("/orders")).await;
    let (state, nonce) = (begun.parameter("state").unwrap(), begun.parameter("nonce").unwrap());
    let draft = world.superid.mint().id_token("client-of-main", ASTRID, "Cust12345").unwrap();
    world.liar.says_json(200, &body(draft.claim("nonce", nonce)));
    browser.visit(&world.url(&format!("/auth/callback?state={state}&code={CODE}"))).await
}

fn half_hash(of: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, of.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16])
}

type Bend = Box<dyn Fn(Draft) -> String>;

/// A change of one claim, signed by the true key.
fn claim(name: &'static str, value: impl Into<Value> + Clone + 'static) -> (String, Bend) {
    let shown = format!("{name} = {}", value.clone().into());
    (shown, Box::new(move |draft| draft.claim(name, value.clone()).sign()))
}

fn own(name: &'static str, value: impl Into<Value> + Clone + 'static) -> (String, Bend) {
    let shown = format!("{name} = {}", value.clone().into());
    (shown, Box::new(move |draft| draft.own_claim(name, value.clone()).sign()))
}

fn header(name: &'static str, value: impl Into<Value> + Clone + 'static) -> (String, Bend) {
    let shown = format!("header {name} = {}", value.clone().into());
    (shown, Box::new(move |draft| draft.header(name, value.clone()).sign()))
}

fn bend(case: &str, with: impl Fn(Draft) -> String + 'static) -> (String, Bend) {
    (case.to_owned(), Box::new(with))
}

/// Tokens for or by somebody else, or of another time.
fn wrong_place_or_time(issuer: &str) -> Vec<(String, Bend)> {
    let (issuer, now) = (issuer.to_owned(), NOW as i64);
    vec![
        claim("iss", "https://sod.superoffice.com"),
        claim("iss", format!("{issuer}/")),
        claim("iss", issuer.to_uppercase()),
        claim("iss", "SuperOffice AS"),
        claim("iss", ""),
        claim("iss", json!([issuer])),
        bend("no iss", |draft| draft.without_claim("iss").sign()),
        claim("aud", "another-client"),
        claim("aud", "client-of-main "),
        claim("aud", json!(["client-of-main", "another-client"])),
        claim("aud", json!([])),
        claim("aud", "spn:1201052551"),
        bend("no aud", |draft| draft.without_claim("aud").sign()),
        claim("azp", "another-client"),
        claim("azp", json!(7)),
        claim("exp", now - 61),
        claim("exp", json!("soon")),
        claim("exp", json!(null)),
        claim("exp", json!([now + 300])),
        claim("exp", json!(1e300)),
        claim("exp", now + 90_000),
        bend("no exp", |draft| draft.without_claim("exp").sign()),
        claim("nbf", now + 61),
        claim("nbf", json!("x")),
        claim("iat", json!("x")),
        claim("iat", json!(-1)),
        bend("no iat", |draft| draft.without_claim("iat").sign()),
    ]
}

/// Tokens whose other claims are not this sign-in's, or are none.
fn wrong_content() -> Vec<(String, Bend)> {
    vec![
        claim("nonce", "another"),
        claim("nonce", ""),
        claim("nonce", json!(null)),
        bend("no nonce", |draft| draft.without_claim("nonce").sign()),
        bend("no sub", |draft| draft.without_claim("sub").sign()),
        claim("sub", ""),
        claim("sub", json!(7)),
        claim("sub", "astrid\r\nSOTicket: x"),
        own("ctx", ""),
        own("ctx", "Cust12345/../Cust67890"),
        own("ctx", "Cust"),
        bend("no ctx", |draft| draft.without_own_claim("ctx").sign()),
        own("associateid", "11; drop"),
        own("serial", "x"),
        claim("c_hash", half_hash("another code")),
        claim("c_hash", ""),
        claim("at_hash", half_hash("another token")),
        claim("at_hash", json!(null)),
        bend("sub twice", |draft| draft.duplicate_claim("sub", "eve@evil.example").sign()),
        bend("aud twice", |draft| draft.duplicate_claim("aud", "client-of-main").sign()),
        bend("ctx twice", |draft| {
            let name = format!("{}ctx", superid_gateway::emulator::CLAIM_PREFIX);
            draft.duplicate_claim(&name, "Cust67890").sign()
        }),
    ]
}

/// Tokens whose header asks for something else than our one way to verify.
fn wrong_header() -> Vec<(String, Bend)> {
    vec![
        header("alg", "none"),
        header("alg", "None"),
        header("alg", "HS256"),
        header("alg", "RS512"),
        header("alg", "PS256"),
        header("alg", json!(["RS256"])),
        header("kid", "another"),
        header("typ", "at+jwt"),
        header("crit", json!(["exp"])),
        header("b64", json!(false)),
        header("zip", "DEF"),
        header("jku", "https://evil.example/jwks"),
        header("x5u", "https://evil.example/pem"),
        header("jwk", json!({"kty": "RSA"})),
        bend("no alg", |draft| draft.without_header("alg").sign()),
        bend("unsigned", |draft| draft.header("alg", "none").unsigned()),
        bend("RS256 without signature", |draft| draft.unsigned()),
        bend("HS256 with no key", |draft| draft.header("alg", "HS256").sign_with_hmac(b"\0")),
    ]
}

/// Texts that are no token, or not the one that was signed.
fn wrong_form() -> Vec<(String, Bend)> {
    vec![
        bend("one signature byte changed", |draft| {
            let token = draft.sign();
            let end = if token.ends_with('A') { 'E' } else { 'A' };
            let mut token = token;
            let at = token.len() - 40;
            token.replace_range(at..=at, if token[at..].starts_with(end) { "Q" } else { "A" });
            token
        }),
        bend("another payload under the signature", |draft| {
            let (good, evil) = (draft.clone().sign(), draft.claim("sub", "eve").sign());
            let good: Vec<&str> = good.split('.').collect();
            let evil: Vec<&str> = evil.split('.').collect();
            format!("{}.{}.{}", good[0], evil[1], good[2])
        }),
        bend("four parts", |draft| format!("{}.x", draft.sign())),
        bend("five parts", |draft| format!("{}.x.x", draft.sign())),
        bend("padded", |draft| format!("{}==", draft.sign())),
        bend("white space", |draft| format!("{} ", draft.sign())),
        bend("nothing", |_| String::new()),
        bend("dots", |_| ".".repeat(15_000)),
        bend("huge", |draft| draft.claim("x", "y".repeat(20_000)).sign()),
    ]
}

#[tokio::test]
async fn an_honest_answer_signs_in_and_our_side_of_the_call_is_right() {
    let world = World::with(LIAR).await;
    let mut browser = world.browser();
    let answer = told(&world, &mut browser, |draft| draft.sign()).await;
    assert_eq!(answer.location(), world.url("/orders"));
    assert!(answer.signs_in());
    let call = world.liar.last();
    assert_eq!((call.method.as_str(), call.target.as_str()), ("POST", "/tokens"));
    let field = |name: &str| call.field(name).unwrap_or_default();
    assert_eq!(field("grant_type"), "authorization_code");
    assert_eq!(field("code"), CODE);
    assert_eq!(field("redirect_uri"), world.url("/auth/callback"));
    assert_eq!(field("client_id"), "client-of-main");
    assert_eq!(field("client_secret"), "secret of main");
    assert_eq!(field("code_verifier").len(), 43);
    assert_eq!(call.header("cookie"), None);
}

#[tokio::test]
async fn a_token_that_lies_about_anything_signs_nobody_in() {
    let world = World::with(LIAR).await;
    let mut cases = wrong_place_or_time(world.superid.url());
    cases.extend([wrong_content(), wrong_header(), wrong_form()].into_iter().flatten());
    let count = cases.len();
    for (case, bend) in cases {
        let mut browser = world.browser();
        let answer = told(&world, &mut browser, bend).await;
        assert!(matches!(answer.status, 400 | 500 | 503), "{case}: {}", answer.status);
        answer.is_page(answer.status);
        assert!(!answer.signs_in(), "{case}");
        assert_eq!(browser.jar.named("superid-gateway").len(), 1, "{case}: the binding alone");
    }
    assert_eq!(world.liar.requests().len(), count);
    world.app.heard_nothing();
}

#[tokio::test]
async fn an_hmac_over_our_own_public_key_is_refused() {
    let world = World::with(LIAR).await;
    let jwks = world.superid.keys().jwks().to_string();
    for key in [jwks.as_str(), "secret of main", "client-of-main", ""] {
        let key = if key.is_empty() { b"x".to_vec() } else { key.as_bytes().to_vec() };
        let mut browser = world.browser();
        let answer =
            told(&world, &mut browser, |draft| draft.header("alg", "HS256").sign_with_hmac(&key))
                .await;
        answer.is_page(400);
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn what_superid_may_say_is_taken() {
    let world = World::with(LIAR).await;
    let now = NOW as i64;
    let cases: Vec<(String, Bend)> = vec![
        claim("aud", json!(["client-of-main"])),
        claim("aud", json!(["client-of-main", "client-of-main"])),
        claim("azp", "client-of-main"),
        claim("iat", now.to_string()),
        claim("exp", now - 59),
        claim("nbf", now + 59),
        claim("c_hash", half_hash(CODE)),
        claim("at_hash", half_hash(ACCESS_TOKEN)),
        claim("something_new", json!({"a": [1, 2]})),
        bend("no x5t", |draft| draft.without_header("x5t").sign()),
        bend("no kid", |draft| draft.without_header("kid").sign()),
        own("ctx", "cust12345"),
    ];
    for (case, bend) in cases {
        let mut browser = world.browser();
        let answer = told(&world, &mut browser, bend).await;
        assert!(answer.signs_in(), "{case}: {} {}", answer.status, answer.body);
    }
}

#[tokio::test]
async fn a_token_endpoint_that_answers_nonsense_is_an_outage() {
    let world = World::with(LIAR).await;
    type Body = Box<dyn Fn(String) -> String>;
    let good = |token: &str| {
        json!({
            "token_type": "Bearer", "access_token": "8A:x", "expires_in": 60, "id_token": token
        })
    };
    let without = move |name: &'static str| -> Body {
        Box::new(move |token| {
            let mut body = good(&token);
            body.as_object_mut().unwrap().remove(name);
            body.to_string()
        })
    };
    let with = move |name: &'static str, value: Value| -> Body {
        Box::new(move |token| {
            let mut body = good(&token);
            body[name] = value.clone();
            body.to_string()
        })
    };
    let bodies: Vec<Body> = vec![
        without("id_token"),
        without("access_token"),
        without("expires_in"),
        without("token_type"),
        with("token_type", json!("mac")),
        with("expires_in", json!(0)),
        with("expires_in", json!(-1)),
        with("expires_in", json!("soon")),
        with("access_token", json!("")),
        with("access_token", json!("a\r\nSOTicket: x")),
        with("access_token", json!(7)),
        with("padding", json!("x".repeat(70_000))),
        Box::new(move |token| {
            good(&token).to_string().replacen('{', "{\"access_token\":\"8A:y\",", 1)
        }),
        Box::new(|token| format!("[{token:?}]")),
        Box::new(|_| "{".repeat(5_000)),
        Box::new(|_| String::new()),
    ];
    for (number, body) in bodies.into_iter().enumerate() {
        let mut browser = world.browser();
        let answer = answered(&world, &mut browser, |draft| body(draft.sign())).await;
        assert_eq!(answer.status, 503, "{number}: {}", answer.body);
        assert!(!answer.signs_in(), "{number}");
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_ticket_in_an_id_token_is_ignored() {
    let world = World::with(LIAR).await;
    let mut browser = world.browser();
    let answer = told(&world, &mut browser, |draft| {
        draft
            .own_claim("ticket", "7T:forged")
            .own_claim("system_token", "App-secret")
            .own_claim("firstname", "Astrid")
            .sign()
    })
    .await;
    assert_eq!(browser.arrive(answer).await.status, 200);
    let request = world.app.last();
    assert_eq!(request.header("SOTicket"), None);
    assert_eq!(request.header("Authorization"), Some(&*format!("Bearer {ACCESS_TOKEN}")));
    let told = format!("{:?}", request.headers);
    assert!(!told.contains("7T:forged") && !told.contains("App-secret"), "{told}");
}

#[tokio::test]
async fn addresses_in_claims_are_believed_only_where_the_configuration_says() {
    let world = World::with(LIAR).await;
    for address in [
        "https://evil.example/Cust12345/api/",
        "http://127.0.0.1:1/Cust12345/api/",
        "javascript:alert(1)",
        &format!("{}@evil.example/Cust12345/api/", world.superid.url()),
        &format!("{}/Cust67890/api/", world.superid.url()),
    ] {
        let mut browser = world.browser();
        let claims = |draft: Draft| {
            draft.own_claim("webapi_url", address).own_claim("netserver_url", address).sign()
        };
        let answer = told(&world, &mut browser, claims).await;
        if answer.signs_in() {
            browser.arrive(answer).await;
            let request = world.app.last();
            assert_eq!(request.header("X-SuperOffice-WebApi-Url"), None, "{address}");
            assert_eq!(request.header("X-SuperOffice-Soap-Url"), None, "{address}");
        }
    }
}

#[tokio::test]
async fn a_claim_cannot_add_a_header_of_its_own() {
    let world = World::with(LIAR).await;
    let mut browser = world.browser();
    let answer = told(&world, &mut browser, |draft| {
        draft
            .own_claim("company_name", "Evil\r\nSOTicket: 7T:forged\r\n\r\nGET / HTTP/1.1")
            .own_claim("initials", "\u{0}\u{1b}[31m")
            .sign()
    })
    .await;
    if answer.signs_in() {
        browser.arrive(answer).await;
        assert_eq!(world.app.requests().len(), 1);
        assert_eq!(world.app.last().header("SOTicket"), None);
    }
}

#[tokio::test]
async fn another_tenant_than_the_one_asked_for_is_refused() {
    let tenant = "[relying_party.main]\ntenant = \"Cust67890\"\n";
    let world = World::with(&format!("{LIAR}{tenant}")).await;
    let mut browser = world.browser();
    let answer = told(&world, &mut browser, |draft| draft.sign()).await;
    answer.is_page(400);
    assert!(!answer.signs_in());
    assert_eq!(world.asked(Kind::Tokens), 0);
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_long_access_token_rides_in_several_cookies() {
    let world = World::with(LIAR).await;
    let long = format!("8A:Cust12345.{}", "a1B2".repeat(1_000));
    let mut browser = world.browser();
    let answer = answered(&world, &mut browser, |draft| {
        json!({"token_type": "Bearer", "access_token": long, "expires_in": 3600,
               "id_token": draft.sign()})
        .to_string()
    })
    .await;
    assert!(answer.all("set-cookie").iter().all(|line| line.len() < 4_096));
    assert_eq!(browser.arrive(answer).await.status, 200);
    assert!(browser.jar.value("superid-gateway.1").is_some());
    let request = world.app.last();
    assert_eq!(request.header("Authorization"), Some(&*format!("Bearer {long}")));
    assert_eq!(request.header("Cookie"), None);

    world.app.clear();
    for missing in ["superid-gateway", "superid-gateway.1"] {
        let mut partial = browser.clone();
        partial.jar.forget(missing);
        assert_eq!(partial.visit(&world.url("/")).await.status, 303, "{missing}");
    }
    let mut mixed = browser.clone();
    mixed.jar.change("superid-gateway.1", "AAAA");
    assert_eq!(mixed.visit(&world.url("/")).await.status, 303);
    world.app.heard_nothing();
    assert_eq!(mixed.jar.named("superid-gateway").len(), 1, "all pieces are gone: the binding");
}

#[tokio::test]
async fn a_session_that_fits_in_no_cookies_is_an_error_and_not_a_session() {
    let rule = "[route.app.claims]\nrole = [\"clerk\"]\n";
    let world = World::with(&format!("{LIAR}{rule}")).await;
    for (length, roles) in [(14_000, 1), (4_000, 5_500)] {
        let long = format!("8A:{}", "x".repeat(length));
        let mut browser = world.browser();
        let answer = answered(&world, &mut browser, |draft| {
            let role = draft.own_claim("role", "r".repeat(roles)).sign();
            json!({"token_type": "Bearer", "access_token": long, "expires_in": 3600,
                   "id_token": role})
            .to_string()
        })
        .await;
        if roles == 1 {
            assert_eq!(answer.status, 503, "longer than a token may be");
            assert!(!answer.signs_in());
        }
        assert!(answer.all("set-cookie").iter().all(|line| line.len() < 4_096));
    }
    world.app.heard_nothing();
}
