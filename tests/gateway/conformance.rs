//! The OpenID Foundation's tests of relying parties, by their names, against a provider that is as
//! dishonest as each of them wants. Each is done for the plans that have it: every response type here
//! and every mode. `docs/conformance.md` says which of the names are not ours.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::dishonest::{ACCESS_TOKEN, Dishonest, Signature, Switches};
use crate::wire::Answer;
use crate::world::{NOW, World};

const BASIC: &[&str] = &["code"];
const IMPLICIT: &[&str] = &["id_token", "id_token token"];
const HYBRID: &[&str] = &["code id_token", "code token", "code id_token token"];

/// A relying party for each response type and mode of some plans, all of one gateway at one provider.
struct Plans {
    provider: Dishonest,
    world: World,
    each: Vec<Plan>,
}

/// One of them: its place on the host, and how answers come.
struct Plan {
    case: String,
    number: usize,
    mode: &'static str,
}

impl Plans {
    async fn of(plans: &[&'static [&'static str]]) -> Self {
        Self::with(plans, "", "").await
    }

    /// With more said of the provider, and of each relying party.
    async fn with(plans: &[&'static [&'static str]], of_it: &str, of_us: &str) -> Self {
        let provider = Dishonest::start().await;
        let mut text = format!(
            "[limits]\nsign_ins_per_minute = 0\n[provider.them]\nissuer = {:?}\n{of_it}\n",
            provider.url
        );
        let mut each = Vec::new();
        for words in plans.iter().flat_map(|plan| plan.iter()) {
            let own = if *words == "code" { "query" } else { "fragment" };
            for mode in [own, "form_post"] {
                let number = each.len();
                write!(
                    text,
                    "[relying_party.way{number}]\nprovider = \"them\"\nclient_id = \"client\"\n\
                     client_secret = {{ value = \"secret\" }}\nredirect_path = \"/auth/way{number}\"\n\
                     response_type = \"{words}\"\nresponse_mode = \"{mode}\"\n{of_us}\n\
                     people.hosted_domains = {{ \"nordlys.example\" = \"Cust12345\" }}\n\
                     [route.way{number}]\npath = \"/way{number}\"\nupstream = \"$APP\"\n\
                     relying_parties = [\"way{number}\"]\n"
                )
                .unwrap();
                each.push(Plan { case: format!("{words} by {mode}"), number, mode });
            }
        }
        let names: Vec<String> = each.iter().map(|plan| format!("way{}", plan.number)).collect();
        write!(text, "[host.main]\nrelying_parties = {names:?}\n").unwrap();
        Self { provider, world: World::with(&text).await, each }
    }

    /// Where a sign-in ends with the switches as they are now.
    async fn end(&self, plan: &Plan) -> Answer {
        let mut browser = self.world.browser();
        let begun = browser.visit(&self.world.url(&format!("/way{}/orders", plan.number))).await;
        if begun.status != 303 {
            return begun;
        }
        let there = browser.step(&begun).await;
        let answer = carried(&mut browser, plan.mode, &there).await;
        browser.arrive(answer).await
    }

    /// Everybody is let in with these switches turned.
    async fn let_in(&self, turn: impl Fn(&mut Switches)) {
        self.all(turn, 200).await;
    }

    /// Nobody is, by a page that says that it could not be verified.
    async fn refused(&self, turn: impl Fn(&mut Switches)) {
        self.all(turn, 400).await;
    }

    async fn all(&self, turn: impl Fn(&mut Switches), status: u16) {
        self.provider.turn(|switches| {
            *switches = Switches::default();
            turn(switches);
        });
        for plan in &self.each {
            self.world.app.clear();
            let (answer, case) = (self.end(plan).await, &plan.case);
            assert_eq!(answer.status, status, "{case}: {}", answer.body);
            if status != 200 {
                assert!(!answer.signs_in(), "{case}");
                self.world.app.heard_nothing();
            }
        }
    }
}

/// Carries an answer of the provider's as its mode says. The provider redirects in any case: what it
/// says is put into a form here, as its page would.
pub async fn carried(browser: &mut Browser, mode: &str, there: &Answer) -> Answer {
    let location = there.location().to_owned();
    let (url, said) = location.split_once(['?', '#']).unwrap_or((&location, ""));
    match mode {
        "query" => browser.step(there).await,
        "fragment" => {
            browser.visit(url).await;
            crate::front_channel::post_fragment(browser, url, said).await
        }
        _ => {
            let fields: Vec<(String, String)> =
                form_urlencoded::parse(said.as_bytes()).into_owned().collect();
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            browser.submit(&there.url, url, &fields).await
        }
    }
}

fn claims(said: Value) -> impl Fn(&mut Switches) {
    move |switches| switches.claims = said.clone()
}

#[tokio::test]
async fn oidcc_client_test() {
    Plans::of(&[BASIC, IMPLICIT, HYBRID]).await.let_in(|_| {}).await;
}

#[tokio::test]
async fn oidcc_client_test_invalid_iss() {
    let plans = Plans::of(&[BASIC, IMPLICIT, HYBRID]).await;
    plans.refused(claims(json!({"iss": "https://other.example"}))).await;
}

#[tokio::test]
async fn oidcc_client_test_missing_sub() {
    Plans::of(&[BASIC, IMPLICIT, HYBRID]).await.refused(claims(json!({"sub": null}))).await;
}

#[tokio::test]
async fn oidcc_client_test_invalid_aud() {
    Plans::of(&[BASIC, IMPLICIT, HYBRID]).await.refused(claims(json!({"aud": "another"}))).await;
}

#[tokio::test]
async fn oidcc_client_test_missing_aud() {
    Plans::of(&[BASIC, IMPLICIT, HYBRID]).await.refused(claims(json!({"aud": null}))).await;
}

#[tokio::test]
async fn oidcc_client_test_missing_iat() {
    Plans::of(&[BASIC, IMPLICIT, HYBRID]).await.refused(claims(json!({"iat": null}))).await;
}

#[tokio::test]
async fn oidcc_client_test_nonce_invalid() {
    Plans::of(&[BASIC, IMPLICIT, HYBRID]).await.refused(claims(json!({"nonce": "x"}))).await;
}

#[tokio::test]
async fn oidcc_client_test_nonce_unless_code_flow() {
    // The provider refuses who sends none; ours is sent in every flow, and has to come back.
    let plans = Plans::of(&[IMPLICIT, HYBRID]).await;
    plans.let_in(|_| {}).await;
    for asked in plans.provider.asked("/authorize") {
        assert!(asked.fields["nonce"].len() >= 22);
    }
    plans.refused(claims(json!({"nonce": null}))).await;
}

#[tokio::test]
async fn oidcc_client_test_kid_absent_single_jwks() {
    let plans = Plans::of(&[BASIC, IMPLICIT, HYBRID]).await;
    plans.let_in(|it| it.header = json!({"kid": null})).await;
}

#[tokio::test]
async fn oidcc_client_test_kid_absent_multiple_jwks() {
    // A relying party may stop or try each key; ours stops, as a token of no named key fits any.
    let both = "algorithms = [\"RS256\", \"ES256\"]";
    let plans = Plans::with(&[BASIC, IMPLICIT, HYBRID], both, "").await;
    plans.refused(|it| it.header = json!({"kid": null})).await;
}

#[tokio::test]
async fn oidcc_client_test_idtoken_sig_rs256() {
    Plans::of(&[BASIC, IMPLICIT, HYBRID]).await.let_in(|it| it.algorithm = "RS256").await;
}

#[tokio::test]
async fn oidcc_client_test_idtoken_sig_none() {
    // The plans allow it for a code over TLS; ours takes no token without a signature.
    let plans = Plans::of(&[BASIC, IMPLICIT, HYBRID]).await;
    plans.refused(|it| (it.algorithm, it.signature) = ("none", Signature::Missing)).await;
}

#[tokio::test]
async fn oidcc_client_test_invalid_sig_rs256() {
    let plans = Plans::of(&[BASIC, IMPLICIT, HYBRID]).await;
    plans.refused(|it| it.signature = Signature::Broken).await;
    plans.refused(|it| it.signature = Signature::OfAnother).await;
}

#[tokio::test]
async fn oidcc_client_test_invalid_sig_es256() {
    let more = "algorithms = [\"ES256\"]";
    let plans = Plans::with(&[BASIC, IMPLICIT, HYBRID], more, "").await;
    plans.let_in(|it| it.algorithm = "ES256").await;
    plans.refused(|it| (it.algorithm, it.signature) = ("ES256", Signature::Broken)).await;
}

#[tokio::test]
async fn oidcc_client_test_invalid_sig_hs256() {
    // No signature with a shared secret is taken, right or wrong.
    Plans::of(&[BASIC, IMPLICIT, HYBRID]).await.refused(|it| it.algorithm = "HS256").await;
}

const CODE_AND_TOKEN: &[&str] = &["code id_token", "code id_token token"];
const TOKEN_AND_ACCESS: &[&str] = &["id_token token", "code id_token token"];

#[tokio::test]
async fn oidcc_client_test_invalid_chash() {
    let plans = Plans::of(&[CODE_AND_TOKEN]).await;
    let wrong = json!({"c_hash": "AAAAAAAAAAAAAAAAAAAAAA"});
    plans.refused(|it| it.front_claims = wrong.clone()).await;
}

#[tokio::test]
async fn oidcc_client_test_missing_chash() {
    let plans = Plans::of(&[CODE_AND_TOKEN]).await;
    plans.refused(|it| it.front_claims = json!({"c_hash": null})).await;
}

/// Not of the suite: OpenID Connect Core §3.3.3.6.
#[tokio::test]
async fn the_two_id_tokens_of_a_providers_hybrid_have_to_be_about_one_person() {
    let plans = Plans::of(&[CODE_AND_TOKEN]).await;
    plans.refused(|it| it.front_claims = json!({"sub": "eve-1"})).await;
}

#[tokio::test]
async fn oidcc_client_test_invalid_athash() {
    let plans = Plans::of(&[TOKEN_AND_ACCESS]).await;
    let wrong = json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"});
    plans.refused(|it| it.front_claims = wrong.clone()).await;
}

#[tokio::test]
async fn oidcc_client_test_missing_athash() {
    let plans = Plans::of(&[TOKEN_AND_ACCESS]).await;
    plans.refused(|it| it.front_claims = json!({"at_hash": null})).await;
}

#[tokio::test]
async fn oidcc_client_test_client_secret_basic() {
    let basic = "client_authentication = \"client_secret_basic\"";
    let plans = Plans::with(&[BASIC, HYBRID], "", basic).await;
    plans.let_in(|_| {}).await;
    for asked in plans.provider.asked("/token") {
        assert!(asked.authorization.starts_with("Basic "), "{}", asked.authorization);
        assert!(!asked.fields.contains_key("client_secret"));
    }
}

const USERINFO: &str = "userinfo = true";

#[tokio::test]
async fn oidcc_client_test_userinfo_bearer_header() {
    let plans = Plans::with(&[BASIC, HYBRID], USERINFO, "").await;
    plans.let_in(|_| {}).await;
    let asked = plans.provider.asked("/userinfo");
    assert_eq!(asked.len(), plans.each.len());
    for asked in asked {
        assert_eq!(asked.authorization, format!("Bearer {ACCESS_TOKEN}"));
        assert!(asked.fields.is_empty(), "never in the address or a form");
    }
}

#[tokio::test]
async fn oidcc_client_test_userinfo_invalid_sub() {
    let plans = Plans::with(&[BASIC, HYBRID], USERINFO, "").await;
    plans.refused(|it| it.userinfo = json!({"sub": "eve"})).await;
}

#[tokio::test]
async fn oidcc_client_test_userinfo_signed() {
    let plans = Plans::with(&[BASIC, HYBRID], USERINFO, "").await;
    plans.let_in(|it| it.userinfo_as = crate::dishonest::UserInfoAs::Signed).await;
}

#[tokio::test]
async fn oidcc_client_test_scope_userinfo_claims() {
    let more = "userinfo = true\nscopes = [\"openid\", \"profile\", \"email\"]";
    let plans = Plans::with(&[BASIC, HYBRID], more, "").await;
    plans.let_in(claims(json!({"email": null, "email_verified": null}))).await;
    let told = plans.world.app.last().header("X-SuperOffice-Email").map(str::to_owned);
    assert_eq!(told.as_deref(), Some("ada@nordlys.example"));
    for asked in plans.provider.asked("/authorize") {
        assert_eq!(asked.fields["scope"], "openid profile email");
    }
}

#[tokio::test]
async fn oidcc_client_test_aggregated_claims() {
    // Claims of others that a provider passes on mean nothing here, and do no harm.
    let others = json!({
        "_claim_names": {"email": "src", "hd": "src"},
        "_claim_sources": {"src": {"JWT": "a.b.c"}},
    });
    Plans::of(&[BASIC]).await.let_in(claims(others)).await;
}

#[tokio::test]
async fn oidcc_client_test_distributed_claims() {
    let provider = |plans: &Plans| plans.provider.url.clone();
    let plans = Plans::of(&[BASIC]).await;
    let source = format!("{}/elsewhere", provider(&plans));
    let others = json!({
        "hd": null, "_claim_names": {"hd": "src"}, "_claim_sources": {"src": {"endpoint": source}},
    });
    plans.all(claims(others), 403).await;
    assert!(plans.provider.asked("/elsewhere").is_empty(), "nobody else is asked");
}

#[tokio::test]
async fn oidcc_client_test_form_post_error() {
    let plans = Plans::of(&[BASIC, IMPLICIT, HYBRID]).await;
    let gone = json!({"code": null, "id_token": null, "access_token": null, "token_type": null,
                      "expires_in": null, "error": "access_denied"});
    plans.all(|it| it.answer = gone.clone(), 403).await;
}

#[tokio::test]
async fn oidcc_client_test_discovery_openid_config() {
    let plans = Plans::of(&[BASIC]).await;
    plans.let_in(|_| {}).await;
    assert!(!plans.provider.asked("/.well-known/openid-configuration").is_empty());
}

#[tokio::test]
async fn oidcc_client_test_discovery_jwks_uri_keys() {
    let plans = Plans::of(&[BASIC]).await;
    plans.let_in(|_| {}).await;
    assert!(!plans.provider.asked("/keys").is_empty());
}

#[tokio::test]
async fn oidcc_client_test_discovery_issuer_mismatch() {
    let plans = Plans::of(&[BASIC]).await;
    let another = json!({"issuer": "https://other.example"});
    plans.all(|it| it.discovery = another.clone(), 500).await;
}

#[tokio::test]
async fn oidcc_client_test_mtls_endpoint_aliases() {
    // Without a certificate of ours the aliases are not for us.
    let plans = Plans::of(&[BASIC]).await;
    let aliases = json!({"mtls_endpoint_aliases": {"token_endpoint": "https://nobody.example/"}});
    plans.let_in(|it| it.discovery = aliases.clone()).await;
    assert!(!plans.provider.asked("/token").is_empty());
}

#[tokio::test]
async fn oidcc_client_test_signing_key_rotation() {
    let plans = Plans::of(&[BASIC]).await;
    plans.let_in(|_| {}).await;
    rotated(&plans).await;
}

#[tokio::test]
async fn oidcc_client_test_signing_key_rotation_just_before_signing() {
    let plans = Plans::of(&[BASIC]).await;
    rotated(&plans).await;
}

/// The published key gets another name, and tokens name it.
async fn rotated(plans: &Plans) {
    plans.world.turn_clock(60);
    let mut keys = crate::dishonest::KEYS.jwks()["keys"].clone();
    keys[0]["kid"] = json!("new");
    let published = json!({"keys": keys});
    plans
        .let_in(|it| {
            it.keys = published.clone();
            it.header = json!({"kid": "new"});
        })
        .await;
}

#[tokio::test]
async fn oidcc_client_test_refresh_token() {
    let (plans, mut browser) = signed_in_for_long().await;
    for round in 2..5 {
        assert_eq!(half_an_hour_later(&plans, &mut browser).await, 200);
        // Not before it has landed: the clock is turned next.
        let done = "session_refreshes_total{outcome=\"refreshed\"}";
        let came = async || plans.world.metric(done).await == round - 1;
        crate::wire::until("it is refreshed", came).await;
    }
    assert_eq!(plans.provider.asked("/token").len(), 4);
    assert_eq!(plans.provider.asked("/authorize").len(), 1);
    let last = plans.provider.asked("/token").pop().unwrap();
    assert_eq!(last.fields["grant_type"], "refresh_token");
    assert_eq!(last.fields.get("redirect_uri"), None);
}

#[tokio::test]
async fn oidcc_client_test_refresh_token_invalid_issuer() {
    ends_by(json!({"iss": "https://other.example"})).await;
}

#[tokio::test]
async fn oidcc_client_test_refresh_token_invalid_sub() {
    ends_by(json!({"sub": "eve-1"})).await;
}

/// Somebody whose sign-in brought a refresh token.
async fn signed_in_for_long() -> (Plans, Browser) {
    let plans = Plans::of(&[BASIC]).await;
    plans.provider.turn(|it| it.refreshed = Some(json!({"exp": NOW + 20_000})));
    let mut browser = plans.world.browser();
    assert_eq!(browser.open(&plans.world.url("/way0/orders")).await.status, 200);
    (plans, browser)
}

async fn half_an_hour_later(plans: &Plans, browser: &mut Browser) -> u16 {
    plans.world.turn_clock(1_800);
    browser.visit(&plans.world.url("/way0/orders")).await.status
}

/// A refreshed id_token that says this ends the session, and is used for nothing.
async fn ends_by(said: Value) {
    let (plans, mut browser) = signed_in_for_long().await;
    plans.provider.turn(|it| it.refreshed = Some(said.clone()));
    assert_eq!(half_an_hour_later(&plans, &mut browser).await, 200, "nobody waits for it");
    let ended = "session_refreshes_total{outcome=\"refused\"}";
    crate::wire::until("it ends", async || plans.world.metric(ended).await == 1).await;
    assert_eq!(browser.visit(&plans.world.url("/way0/orders")).await.status, 303);
}

#[tokio::test]
async fn oidcc_client_test_3rd_party_init_login() {
    // OpenID Connect Core §4: an address of ours that begins a sign-in, and leads nowhere else.
    let plans = Plans::of(&[BASIC]).await;
    let mut browser = plans.world.browser();
    let elsewhere = "iss=https%3A%2F%2Fother.example&target_link_uri=https%3A%2F%2Fevil.example";
    let start = plans.world.url(&format!("/auth/start?with=way0&{elsewhere}"));
    let begun = browser.follow_link(&start).await;
    assert!(begun.location().starts_with(&format!("{}/authorize?", plans.provider.url)));
    assert!(!begun.location().contains("evil") && !begun.location().contains("other"));
}

#[tokio::test]
async fn oidcc_client_test_rp_init_logout_no_state() {
    assert_signed_out("").await;
}

#[tokio::test]
async fn oidcc_client_test_rp_init_logout_other_state() {
    // The page after sign-out believes nothing of its query: no state of another's changes it.
    assert_signed_out("?state=another").await;
}

/// Signs in and out, and comes back from the provider with this query.
async fn assert_signed_out(query: &str) {
    let plans = Plans::of(&[BASIC]).await;
    let mut browser = plans.world.browser();
    let url = plans.world.url("/way0/orders");
    assert_eq!(browser.open(&url).await.status, 200);
    let out = browser.visit(&plans.world.url("/auth/sign_out")).await;
    assert!(out.location().starts_with(&format!("{}/logout?", plans.provider.url)));
    browser.visit(&plans.world.url(&format!("/auth/signed_out{query}"))).await.is_page(200);
    assert_eq!(browser.visit(&url).await.status, 303, "signed out");
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout() {
    let left = Left::new().await;
    let mut bystander = left.signs_in("s2").await;
    let mut copy = left.signs_in("s1").await;
    assert_eq!(left.told(&json!({}), |_| {}).await, 200);
    assert_eq!(copy.visit(&left.url).await.status, 303, "signed out by the server alone");
    assert_eq!(bystander.visit(&left.url).await.status, 200, "another session of hers");
    let again = left.signs_in("s3").await.visit(&left.url).await;
    assert_eq!(again.status, 200, "she may come back");
    // A token that names nobody but the person ends all of it, and no token does so twice.
    let everything = json!({"sid": null, "jti": "2"});
    let token = left.token(&everything, |_| {});
    assert_eq!(left.post(&token).await, 200);
    assert_eq!(bystander.visit(&left.url).await.status, 303);
    let mut later = left.signs_in("s4").await;
    assert_eq!(left.post(&token).await, 400, "used before");
    assert_eq!(later.visit(&left.url).await.status, 200);
    // What the specification recommends as its type.
    let typed = json!({"sid": "s4", "jti": "3"});
    assert_eq!(left.told(&typed, |it| it.header = json!({"typ": "logout+jwt"})).await, 200);
    assert_eq!(later.visit(&left.url).await.status, 303);
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_alg_none() {
    let turn = |it: &mut Switches| {
        it.header = json!({"alg": "none"});
        it.signature = Signature::Missing;
    };
    Left::new().await.refuses(&json!({}), turn).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_no_event() {
    let left = Left::new().await;
    left.refuses(&json!({"events": null}), |_| {}).await;
    left.refuses(&json!({"events": {}, "jti": "2"}), |_| {}).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_with_nonce() {
    Left::new().await.refuses(&json!({"nonce": "1"}), |_| {}).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_wrong_alg() {
    let left = Left::new().await;
    left.refuses(&json!({}), |it| it.algorithm = "HS256").await;
    left.refuses(&json!({}), |it| it.algorithm = "ES256").await;
    left.refuses(&json!({}), |it| it.signature = Signature::OfAnother).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_wrong_aud() {
    let left = Left::new().await;
    for aud in [json!("another"), json!(["client", "another"]), json!([]), json!(null)] {
        left.refuses(&json!({"aud": aud}), |_| {}).await;
    }
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_wrong_event() {
    let left = Left::new().await;
    left.refuses(&json!({"events": {"http://schemas.openid.net/event/other": {}}}), |_| {}).await;
    left.refuses(&json!({"events": LOGOUT}), |_| {}).await;
    left.refuses(&json!({"events": {LOGOUT: true}}), |_| {}).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_wrong_iss() {
    let left = Left::new().await;
    left.refuses(&json!({"iss": "https://other.example"}), |_| {}).await;
    // And what else the specification asks for.
    for odd in [
        json!({"sid": null, "sub": null}),
        json!({"jti": null}),
        json!({"exp": null}),
        json!({"iat": null}),
        json!({"exp": 1_699_990_000}),
        json!({"sid": 1}),
    ] {
        left.refuses(&odd, |_| {}).await;
    }
}

#[tokio::test]
async fn oidcc_client_test_rp_frontchannel_rpinitlogout() {
    let left = Left::new().await;
    let mut browser = left.signs_in("s1").await;
    let issuer = &left.plans.provider.url;
    for odd in ["".to_owned(), format!("?iss={issuer}&sid=s2"), "?iss=x&sid=s1".to_owned()] {
        let frame = left.plans.world.url(&format!("/auth/frontchannel_logout{odd}"));
        assert_eq!(browser.visit(&frame).await.status, 200);
        assert_eq!(browser.visit(&left.url).await.status, 200, "not hers: {odd}");
    }
    let mut copy = browser.clone();
    let frame = format!("/auth/frontchannel_logout?iss={issuer}&sid=s1");
    assert_eq!(browser.visit(&left.plans.world.url(&frame)).await.status, 200);
    assert_eq!(copy.visit(&left.url).await.status, 303, "over for every copy");
}

#[tokio::test]
async fn oidcc_client_test_rp_frontchannel_opinitlogout() {
    // Nothing of ours was asked before: the frame is all there is.
    let left = Left::new().await;
    let (mut browser, mut stranger) = (left.signs_in("s1").await, left.plans.world.browser());
    let frame = format!("/auth/frontchannel_logout?iss={}&sid=s1", left.plans.provider.url);
    let frame = left.plans.world.url(&frame);
    assert_eq!(stranger.visit(&frame).await.status, 200);
    assert_eq!(browser.visit(&left.url).await.status, 200, "nobody ends another's session by it");
    browser.visit(&frame).await;
    assert_eq!(browser.visit(&left.url).await.status, 303);
}

/// A gateway whose people are signed out by their provider.
struct Left {
    plans: Plans,
    url: String,
}

const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

impl Left {
    async fn new() -> Self {
        let plans = Plans::of(&[BASIC]).await;
        let url = plans.world.url("/way0/orders");
        Self { plans, url }
    }

    /// Ada signs in, by a session of the provider's with this name.
    async fn signs_in(&self, sid: &str) -> Browser {
        self.plans.provider.turn(|it| it.claims = json!({"sid": sid}));
        let mut browser = self.plans.world.browser();
        assert_eq!(browser.open(&self.url).await.status, 200);
        browser
    }

    fn token(&self, claims: &Value, turn: impl Fn(&mut Switches)) -> String {
        let honest = json!({
            "iss": self.plans.provider.url, "aud": "client", "sub": "ada-1", "sid": "s1",
            "iat": crate::world::NOW, "exp": crate::world::NOW + 120, "jti": "1",
            "events": {LOGOUT: {}},
        });
        self.plans.provider.token_of(honest, claims, turn)
    }

    async fn told(&self, claims: &Value, turn: impl Fn(&mut Switches)) -> u16 {
        self.post(&self.token(claims, turn)).await
    }

    async fn post(&self, token: &str) -> u16 {
        let (world, body) = (&self.plans.world, format!("logout_token={token}"));
        let (authority, length) = (world.authority(), body.len());
        let text = format!(
            "POST /auth/backchannel_logout HTTP/1.1\r\nHost: {authority}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        );
        let answer = world.net.ask(authority, text.as_bytes()).await.expect("an answer");
        assert_eq!(answer.header("cache-control"), "no-store");
        answer.status
    }

    /// Such a token ends nothing.
    async fn refuses(&self, claims: &Value, turn: impl Fn(&mut Switches)) {
        let mut browser = self.signs_in("s1").await;
        assert_eq!(self.told(claims, turn).await, 400, "{claims}");
        assert_eq!(browser.visit(&self.url).await.status, 200, "{claims}");
    }
}
