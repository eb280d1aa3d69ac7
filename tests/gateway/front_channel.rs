//! Answers that bring tokens through the browser, and those that come by form or fragment: every type
//! and mode signs in, and everything else is refused.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;
use superid_gateway::emulator::{Draft, Kind};

use crate::browser::Browser;
use crate::jar::Way;
use crate::wire::Answer;
use crate::world::{ASTRID, JONAS, World};

pub const TYPES: [&str; 6] =
    ["code", "code id_token", "id_token", "id_token token", "code token", "token code id_token"];
/// What the token endpoint gives.
const REDEEMED: &str = "8A:Cust12345.redeemed+token/=";
/// What comes through the browser.
const SEEN: &str = "8A:Cust12345.seen+token/=";
const CODE: &str = "the-code";

/// One relying party that asks for this, and a token endpoint of the test's own.
pub fn asking(words: &str, mode: &str) -> String {
    format!(
        "[relying_party.main]\nresponse_type = \"{words}\"\nresponse_mode = \"{mode}\"\n\
         [environment.emulator]\ntoken_url = \"$LIAR/tokens\"\n\
         [limits]\nsign_ins_per_minute = 0\n"
    )
}

/// A sign-in under way: the browser that began it, and what the provider has to repeat.
pub struct Begun {
    pub browser: Browser,
    pub state: String,
    nonce: String,
    redirect: Answer,
}

impl Begun {
    pub async fn at(world: &World) -> Self {
        let mut browser = world.browser();
        let redirect = browser.visit(&world.url("/orders")).await;
        let (state, nonce) = (redirect.parameter("state"), redirect.parameter("nonce"));
        Self { browser, state: state.unwrap(), nonce: nonce.unwrap(), redirect }
    }

    /// Signs in at SuperID's page and goes on to the app.
    pub async fn goes_on(&mut self, world: &World, mode: &str) -> Answer {
        let page = self.browser.step(&self.redirect).await;
        let answer = self.browser.pick(&page, ASTRID, "").await;
        let answer = carried(&mut self.browser, &world.url("/auth/callback"), mode, answer).await;
        self.browser.arrive(answer).await
    }

    /// Has the token endpoint answer as an honest one would.
    pub fn redeems(&self, world: &World) {
        redeems(world, &self.id_token(world).without_claim("at_hash").sign());
    }

    /// The id_token of an honest provider, with both hashes.
    pub fn id_token(&self, world: &World) -> Draft {
        let draft = world.superid.mint().id_token("client-of-main", ASTRID, "Cust12345").unwrap();
        draft
            .claim("nonce", self.nonce.clone())
            .claim("c_hash", half_hash(CODE))
            .claim("at_hash", half_hash(SEEN))
    }

    /// The fields of an answer with these parts.
    pub fn fields(&self, words: &str, id_token: &str) -> Vec<(String, String)> {
        let mut fields = vec![("state".to_owned(), self.state.clone())];
        let mut add = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
        for word in words.split(' ') {
            match word {
                "code" => add("code", CODE),
                "id_token" => add("id_token", id_token),
                "" => {}
                _ => {
                    add("access_token", SEEN);
                    add("token_type", "bearer");
                    add("expires_in", "3600");
                    add("ctx", "Cust67890");
                    add("netserver_url", "https://evil.example/");
                }
            }
        }
        fields
    }

    /// Brings an answer, up to where it ends: a page, or the way to the app.
    pub async fn brings(
        &mut self,
        world: &World,
        mode: &str,
        fields: &[(String, String)],
    ) -> Answer {
        brought(world, &mut self.browser, mode, fields).await
    }
}

/// Carries an answer as a browser does.
pub async fn brought(
    world: &World,
    browser: &mut Browser,
    mode: &str,
    fields: &[(String, String)],
) -> Answer {
    let url = world.url("/auth/callback");
    let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    match mode {
        "query" => browser.follow_link(&format!("{url}?{text}")).await,
        "fragment" => {
            browser.follow_link(&url).await;
            post_fragment(browser, &url, &text).await
        }
        _ => {
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let page = format!("{}/login/sign-in", world.superid.url());
            let held = browser.submit(&page, &url, &fields).await;
            if held.status != 303 {
                return held;
            }
            assert_eq!(held.location(), world.url("/auth/finish"));
            assert!(!held.signs_in(), "the POST makes no session");
            browser.step(&held).await
        }
    }
}

/// Carries SuperID's own answer to its address.
async fn carried(browser: &mut Browser, callback: &str, mode: &str, answer: Answer) -> Answer {
    match mode {
        "form_post" => {
            assert_eq!(answer.action().as_deref(), Some(callback));
            let names = ["state", "code", "id_token", "access_token", "token_type", "expires_in"];
            let fields: Vec<(&str, String)> =
                names.iter().filter_map(|name| Some((*name, answer.field(name)?))).collect();
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            browser.submit(&answer.url, callback, &fields).await
        }
        "fragment" => {
            let (url, fragment) = answer.location().split_once('#').unwrap();
            assert_eq!(url, callback);
            browser.step(&answer).await.is_page(200);
            post_fragment(browser, url, fragment).await
        }
        _ => answer,
    }
}

/// What the script of our page does.
pub async fn post_fragment(browser: &mut Browser, url: &str, fragment: &str) -> Answer {
    let pairs = [("fragment", fragment)];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let headers = "Accept: text/html\r\nOrigin: null\r\nSec-Fetch-Site: same-origin\r\n\
                   Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n\
                   Content-Type: application/x-www-form-urlencoded\r\n";
    browser.request("POST", url, Way::SameSite, headers, &body).await
}

fn half_hash(of: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, of.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16])
}

/// What the token endpoint answers, with this id_token.
fn redeems(world: &World, id_token: &str) {
    let body = json!({
        "token_type": "Bearer", "access_token": REDEEMED, "expires_in": 3600,
        "id_token": id_token,
    });
    world.liar.says_json(200, &body.to_string());
}

/// A relying party for each type and mode, each with a redirect URL of its own.
fn every_way() -> (String, Vec<(&'static str, &'static str)>) {
    let by = |mode: &'static str| TYPES.map(|words| (words, mode));
    let mut ways = [by("form_post"), by("fragment")].concat();
    ways.push(("code", "query"));
    let mut text = "[relying_party]\nmain = \"-\"\n".to_owned();
    for (number, (words, mode)) in ways.iter().enumerate() {
        text += &format!(
            "[relying_party.way{number}]\nenvironment = \"emulator\"\nclient_id = \"client{number}\"\n\
             client_secret = {{ value = \"secret of way{number}\" }}\n\
             redirect_path = \"/auth/way{number}\"\n\
             response_type = \"{words}\"\nresponse_mode = \"{mode}\"\n"
        );
    }
    (text, ways)
}

#[tokio::test]
async fn every_type_signs_in_by_every_mode_it_may_come_by() {
    let (text, ways) = every_way();
    let world = World::with(&format!("{text}[limits]\nsign_ins_per_minute = 0\n")).await;
    for (number, (words, mode)) in ways.into_iter().enumerate() {
        let case = format!("{words} by {mode}");
        let (mut browser, redeemed) = (world.browser(), world.asked(Kind::Tokens));
        let start = world.url(&format!("/auth/start?with=way{number}&rd=/orders%3Fa%3D1"));
        let begun = browser.visit(&start).await;
        assert_eq!(begun.parameter("response_type").as_deref(), Some(words), "{case}");
        let plain = (words, mode) == ("code", "query");
        let said = begun.parameter("response_mode");
        assert_eq!(said.as_deref(), (!plain).then_some(mode), "{case}");
        let has_code = words.contains("code");
        assert_eq!(begun.parameter("code_challenge").is_some(), has_code, "{case}");
        let page = browser.step(&begun).await;
        let answer = browser.pick(&page, ASTRID, "").await;
        let callback = world.url(&format!("/auth/way{number}"));
        let answer = carried(&mut browser, &callback, mode, answer).await;
        let landed = browser.arrive(answer).await;
        assert_eq!((landed.status, landed.url), (200, world.url("/orders?a=1")), "{case}");
        let request = world.app.last();
        assert_eq!(request.header("X-SuperOffice-User"), Some(ASTRID), "{case}");
        assert_eq!(request.header("X-SuperOffice-Context"), Some("Cust12345"), "{case}");
        let bearer = request.header("Authorization").is_some_and(|it| it.starts_with("Bearer 8A:"));
        assert_eq!(bearer, has_code || words.ends_with(" token"), "{case}");
        assert_eq!(world.asked(Kind::Tokens) - redeemed, usize::from(has_code), "{case}");
        assert!(browser.jar.named("superid-gateway-handoff").is_empty(), "{case}: used up");
    }
}

#[tokio::test]
async fn a_posted_answer_ends_only_in_the_browser_that_began() {
    let world = World::with(&asking("code", "form_post")).await;
    let mut attacker = Begun::at(&world).await;
    attacker.redeems(&world);
    let fields = attacker.fields("code", "");
    let mut stranger = world.browser();
    let answer = brought(&world, &mut stranger, "form_post", &fields).await;
    answer.is_page(400);
    assert!(answer.body.contains("The sign-in began somewhere else"), "{}", answer.body);
    let mut victim = Begun::at(&world).await;
    let answer = victim.brings(&world, "form_post", &fields).await;
    assert!(answer.location().starts_with(world.superid.url()), "begun again for themselves");
    assert!(!answer.signs_in());
    assert!(world.liar.requests().is_empty(), "the code is left alone");
    world.app.heard_nothing();

    let answer = attacker.brings(&world, "form_post", &fields).await;
    assert!(answer.signs_in(), "nothing was spent by that: {}", answer.body);
    assert_eq!(world.liar.requests().len(), 1);
    attacker.browser.visit(&world.url("/auth/finish")).await;
    let again = attacker.brings(&world, "form_post", &fields).await;
    assert_eq!(again.location(), world.url("/"), "signed in already, and nothing is asked again");
    assert_eq!(world.liar.requests().len(), 1);
}

#[tokio::test]
async fn a_form_of_another_site_is_refused_and_one_without_a_name_is_tied_to_its_browser() {
    let world = World::with(&asking("code", "form_post")).await;
    let mut begun = Begun::at(&world).await;
    begun.redeems(&world);
    let fields = begun.fields("code", "");
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    let url = world.url("/auth/callback");
    let theirs = format!("{}.evil.example", world.superid.url());
    for origin in ["https://evil.example", theirs.as_str(), "", "null\r\nOrigin: null"] {
        let headers = format!("Accept: text/html\r\nOrigin: {origin}\r\n");
        let answer = begun.browser.request("POST", &url, Way::CrossSite, &headers, &body).await;
        assert!(matches!(answer.status, 400 | 403), "{origin}: {}", answer.status);
        assert!(begun.browser.jar.named("superid-gateway-handoff").is_empty(), "{origin}");
    }
    let headers = "Accept: text/html\r\nOrigin: null\r\n";
    let mut stranger = world.browser();
    let held = stranger.request("POST", &url, Way::CrossSite, headers, &body).await;
    stranger.step(&held).await.is_page(400);
    assert!(world.liar.requests().is_empty());
    let held = begun.browser.request("POST", &url, Way::CrossSite, headers, &body).await;
    assert!(begun.browser.step(&held).await.signs_in());
}

#[tokio::test]
async fn an_answer_by_another_mode_than_asked_is_refused_and_the_true_one_still_counts() {
    for (asked, others) in [
        ("query", ["form_post", "fragment"]),
        ("form_post", ["query", "fragment"]),
        ("fragment", ["query", "form_post"]),
    ] {
        let world = World::with(&asking("code", asked)).await;
        let mut begun = Begun::at(&world).await;
        begun.redeems(&world);
        let fields = begun.fields("code", "");
        for other in others {
            let answer = begun.brings(&world, other, &fields).await;
            assert!(matches!(answer.status, 400 | 405), "{asked} by {other}: {}", answer.status);
            assert!(!answer.signs_in());
        }
        assert!(world.liar.requests().is_empty(), "{asked}");
        assert!(begun.brings(&world, asked, &fields).await.signs_in(), "{asked}");
    }
}

#[tokio::test]
async fn an_answer_with_other_parts_than_asked_is_refused() {
    for asked in TYPES {
        let world = World::with(&asking(asked, "form_post")).await;
        let same = |one: &str, other: &str| {
            let has = |words: &str, word: &str| words.split(' ').any(|known| known == word);
            ["code", "id_token", "token"].into_iter().all(|word| has(one, word) == has(other, word))
        };
        for brings in [&TYPES[..], &["token", ""]].concat() {
            let mut begun = Begun::at(&world).await;
            let id_token = begun.id_token(&world).sign();
            begun.redeems(&world);
            let before = world.liar.requests().len();
            let fields = begun.fields(brings, &id_token);
            let answer = begun.brings(&world, "form_post", &fields).await;
            let case = format!("{brings} for {asked}: {} {}", answer.status, answer.body);
            assert_eq!(answer.signs_in(), same(asked, brings), "{case}");
            if !same(asked, brings) {
                answer.is_page(400);
                assert_eq!(world.liar.requests().len(), before, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_token_through_the_browser_that_lies_about_anything_signs_nobody_in() {
    let words = "code id_token token";
    let world = World::with(&asking(words, "fragment")).await;
    type Bend = fn(Draft) -> Draft;
    let bent: [(&str, Bend); 12] = [
        ("no nonce", |draft| draft.without_claim("nonce")),
        ("another nonce", |draft| draft.claim("nonce", "another")),
        ("no c_hash", |draft| draft.without_claim("c_hash")),
        ("c_hash of another code", |draft| draft.claim("c_hash", half_hash("another"))),
        ("c_hash of nothing", |draft| draft.claim("c_hash", json!(null))),
        ("no at_hash", |draft| draft.without_claim("at_hash")),
        ("at_hash of another token", |draft| draft.claim("at_hash", half_hash("another"))),
        ("at_hash and c_hash changed about", |draft| {
            draft.claim("at_hash", half_hash(CODE)).claim("c_hash", half_hash(SEEN))
        }),
        ("another audience", |draft| draft.claim("aud", "another-client")),
        ("another issuer", |draft| draft.claim("iss", "https://sod.superoffice.com")),
        ("expired", |draft| draft.claim("exp", crate::world::NOW as i64 - 61)),
        ("another key's name", |draft| draft.header("kid", "another")),
    ];
    for (case, bend) in bent {
        let mut begun = Begun::at(&world).await;
        let good = begun.id_token(&world);
        begun.redeems(&world);
        let fields = begun.fields(words, &bend(good).sign());
        let answer = begun.brings(&world, "fragment", &fields).await;
        assert!(matches!(answer.status, 400 | 500 | 503), "{case}: {}", answer.status);
        assert!(!answer.signs_in(), "{case}");
    }
    for unsigned in [true, false] {
        let mut begun = Begun::at(&world).await;
        let good = begun.id_token(&world);
        let forged = match unsigned {
            true => good.header("alg", "none").unsigned(),
            false => good.by_stranger(world.superid.keys()).sign(),
        };
        let fields = begun.fields(words, &forged);
        begun.brings(&world, "fragment", &fields).await.is_page(400);
    }
    assert!(world.liar.requests().is_empty(), "the code beside a lie is never redeemed");
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_code_or_token_of_somebody_else_beside_a_good_id_token_is_refused() {
    let words = "code id_token token";
    let world = World::with(&asking(words, "form_post")).await;
    for (name, value) in [
        ("code", "another-code"),
        ("access_token", "8A:Cust12345.another"),
        ("access_token", "8A:x\r\nSOTicket: 7T"),
        ("access_token", ""),
        ("token_type", "mac"),
        ("expires_in", "0"),
        ("expires_in", "-1"),
        ("expires_in", "soon"),
    ] {
        let mut begun = Begun::at(&world).await;
        let id_token = begun.id_token(&world).sign();
        begun.redeems(&world);
        let mut fields = begun.fields(words, &id_token);
        fields.iter_mut().find(|(known, _)| known == name).unwrap().1 = value.to_owned();
        let answer = begun.brings(&world, "form_post", &fields).await;
        answer.is_page(400);
        assert!(!answer.signs_in(), "{name} = {value}");
    }
    assert!(world.liar.requests().is_empty());
}

#[tokio::test]
async fn the_two_id_tokens_of_a_hybrid_have_to_be_about_one_person_of_one_tenant() {
    let world = World::with(&asking("code id_token", "form_post")).await;
    for (who, tenant, agrees) in
        [(ASTRID, "Cust12345", true), (JONAS, "Cust12345", false), (ASTRID, "Cust67890", false)]
    {
        let mut begun = Begun::at(&world).await;
        let front = begun.id_token(&world).sign();
        let back = begun.id_token(&world).claim("sub", who).own_claim("ctx", tenant);
        let back = back.without_claim("at_hash");
        redeems(&world, &back.sign());
        let fields = begun.fields("code id_token", &front);
        let answer = begun.brings(&world, "form_post", &fields).await;
        assert_eq!(answer.signs_in(), agrees, "{who} of {tenant}: {}", answer.body);
        if !agrees {
            answer.is_page(400);
        }
    }
}

#[tokio::test]
async fn the_app_gets_the_token_that_no_browser_has_seen_where_there_is_one() {
    for (words, expected) in [
        ("code token", Some(REDEEMED)),
        ("code id_token token", Some(REDEEMED)),
        ("id_token token", Some(SEEN)),
        ("id_token", None),
    ] {
        let world = World::with(&asking(words, "form_post")).await;
        let mut begun = Begun::at(&world).await;
        let id_token = begun.id_token(&world).sign();
        begun.redeems(&world);
        let fields = begun.fields(words, &id_token);
        let answer = begun.brings(&world, "form_post", &fields).await;
        begun.browser.arrive(answer).await;
        let request = world.app.last();
        let expected = expected.map(|token| format!("Bearer {token}"));
        assert_eq!(request.header("Authorization"), expected.as_deref(), "{words}");
        let told = format!("{:?}", request.headers);
        assert!(!told.contains("evil.example") && !told.contains("Cust67890"), "{told}");
    }
}

#[tokio::test]
async fn a_token_through_the_browser_lives_an_hour_at_most_whatever_stands_beside_it() {
    let rule = "[route.app]\npresent = \"bearer\"\n[session]\nidle = \"4h\"\n";
    let world = World::with(&format!("{}{rule}", asking("id_token token", "form_post"))).await;
    let mut begun = Begun::at(&world).await;
    let id_token = begun.id_token(&world).sign();
    let mut fields = begun.fields("id_token token", &id_token);
    fields.iter_mut().find(|(name, _)| name == "expires_in").unwrap().1 = "9999999".to_owned();
    let answer = begun.brings(&world, "form_post", &fields).await;
    assert_eq!(begun.browser.arrive(answer).await.status, 200);
    world.turn_clock(3_500);
    assert_eq!(begun.browser.visit(&world.url("/orders")).await.status, 200);
    world.turn_clock(101);
    assert_eq!(begun.browser.visit(&world.url("/orders")).await.status, 303, "sign in again");
}

#[tokio::test]
async fn the_page_for_a_fragment_takes_nothing_from_elsewhere_and_leaks_nothing() {
    let world = World::with(&asking("code id_token", "fragment")).await;
    let mut browser = world.browser();
    let url = world.url("/auth/callback");
    let page = browser.follow_link(&url).await;
    page.is_page(200);
    let policy = page.header("content-security-policy");
    let superid = world.superid.url();
    assert!(policy.contains("script-src 'sha256-"), "{policy}");
    assert!(policy.contains(&format!("form-action 'self' {superid};")), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert!(page.all("set-cookie").is_empty());
    assert!(page.body.contains("<noscript>") && page.body.contains("history.replaceState"));
    for headers in [
        "Origin: https://evil.example\r\n",
        "Origin: null\r\nSec-Fetch-Site: cross-site\r\n",
        "Origin: null\r\nSec-Fetch-Site: same-site\r\n",
    ] {
        let mut begun = Begun::at(&world).await;
        let id_token = begun.id_token(&world).sign();
        let fields = begun.fields("code id_token", &id_token);
        let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let pairs = [("fragment", text)];
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let headers = format!("Accept: text/html\r\n{headers}");
        let way = Way::SameSite;
        let answer = begun.browser.request("POST", &url, way, &headers, &body).await;
        assert_eq!(answer.status, 403, "{headers}");
        assert!(!answer.signs_in());
    }
    assert!(world.liar.requests().is_empty());
}

#[tokio::test]
async fn what_a_fragment_or_form_brings_is_bounded_and_each_field_comes_once() {
    let world = World::with(&asking("code id_token", "fragment")).await;
    let begun = Begun::at(&world).await;
    let id_token = begun.id_token(&world).sign();
    let fields = begun.fields("code id_token", &id_token);
    let url = world.url("/auth/callback");
    let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    for (case, fragment) in [
        ("nothing", String::new()),
        ("no state", "code=x&id_token=y".to_owned()),
        ("a code twice", format!("{text}&code=x")),
        ("an id_token twice, in another case", format!("{text}&ID_TOKEN=x")),
        ("a state of nobody's", text.replacen("state=", "state=x", 1)),
        (
            "a long id_token",
            text.replacen("id_token=", &format!("id_token={}", "x".repeat(20_000)), 1),
        ),
        ("far too much", format!("{text}&x={}", "y".repeat(70_000))),
    ] {
        let mut browser = begun.browser.clone();
        let answer = post_fragment(&mut browser, &url, &fragment).await;
        answer.is_page(400);
        assert!(!answer.signs_in(), "{case}");
    }
    assert!(world.liar.requests().is_empty());
}
