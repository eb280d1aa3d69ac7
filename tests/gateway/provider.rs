//! People who come by a provider that is not SuperID, and what keeps others out.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::dishonest::{ACCESS_TOKEN, Dishonest, KEYS, Signature, Switches, UserInfoAs};
use crate::keeping;
use crate::wire::Answer;
use crate::world::{NOW, World};

/// A gateway whose people come by this provider: those of `nordlys.example`, unless `more` names
/// others.
pub fn at(provider: &Dishonest, more: &str) -> String {
    let url = &provider.url;
    let people = match more.contains("[relying_party.main.people]") {
        true => "",
        false => "people.hosted_domains = { \"nordlys.example\" = \"Cust12345\" }\n",
    };
    let mut table: toml::Table = format!(
        "[provider.them]\nissuer = \"{url}\"\n\
         [relying_party.main]\nprovider = \"them\"\nclient_id = \"client\"\n{people}"
    )
    .parse()
    .unwrap();
    crate::world::lay(&mut table, more.replace("$URL", url).parse().unwrap());
    // `"-"` takes away what is below, and there is nothing below here yet.
    let party = table["relying_party"]["main"].as_table_mut().unwrap();
    party.insert("environment".to_owned(), "-".into());
    if more.contains(NO_SECRET) {
        party.insert("client_secret".to_owned(), "-".into());
    }
    table.to_string()
}

pub const NO_SECRET: &str = "# no secret\n";

pub async fn visit(provider: &Dishonest, more: &str) -> (World, Answer) {
    let world = World::with(&at(provider, more)).await;
    let answer = world.browser().open(&world.url("/")).await;
    (world, answer)
}

/// What somebody sees who comes through a provider with these switches turned.
async fn seen(more: &str, turn: impl FnOnce(&mut Switches)) -> Answer {
    let provider = Dishonest::with(turn).await;
    visit(&provider, more).await.1
}

#[tokio::test]
async fn a_person_of_a_hosted_domain_is_let_in_and_told_to_the_app_with_their_issuer() {
    let provider = Dishonest::start().await;
    let (world, answer) = visit(&provider, "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "the app"));
    let request = world.app.requests().pop().unwrap();
    let said = |name: &str| {
        let named = request.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let all = format!("{:?}", request.headers);
    assert!(all.contains(&format!("{}#ada-1", provider.url)), "{all}");
    assert!(all.contains("Cust12345") && all.contains("ada@nordlys.example"), "{all}");
    assert!(!all.contains(ACCESS_TOKEN), "a provider's token is no app's business: {all}");
    assert_eq!(said("authorization"), "");
}

#[tokio::test]
async fn every_allowed_algorithm_signs_people_in() {
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
        let more = format!("[provider.them]\nalgorithms = [\"{algorithm}\"]");
        let answer = seen(&more, |switches| switches.algorithm = algorithm).await;
        assert_eq!(answer.status, 200, "{algorithm}: {}", answer.body);
    }
}

/// How a provider is made to lie.
type Turn = Box<dyn Fn(&mut Switches)>;

#[tokio::test]
async fn a_token_that_is_not_right_in_every_point_lets_nobody_in() {
    let provider = Dishonest::start().await;
    let (world, _) = visit(&provider, "").await;
    let refusals: Vec<(&str, Turn)> = vec![
        ("issuer", Box::new(|it| it.claims = json!({"iss": "https://other.example"}))),
        ("no issuer", Box::new(|it| it.claims = json!({"iss": null}))),
        ("audience", Box::new(|it| it.claims = json!({"aud": "another"}))),
        ("two audiences", Box::new(|it| it.claims = json!({"aud": ["client", "another"]}))),
        ("azp", Box::new(|it| it.claims = json!({"azp": "another"}))),
        ("nonce", Box::new(|it| it.claims = json!({"nonce": "another"}))),
        ("no nonce", Box::new(|it| it.claims = json!({"nonce": null}))),
        ("no subject", Box::new(|it| it.claims = json!({"sub": null}))),
        ("long subject", Box::new(|it| it.claims = json!({"sub": "x".repeat(256)}))),
        ("no exp", Box::new(|it| it.claims = json!({"exp": null}))),
        ("no iat", Box::new(|it| it.claims = json!({"iat": null}))),
        ("at_hash", Box::new(|it| it.claims = json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}))),
        ("signature", Box::new(|it| it.signature = Signature::Broken)),
        ("another's key", Box::new(|it| it.signature = Signature::OfAnother)),
        ("none", Box::new(|it| (it.algorithm, it.signature) = ("none", Signature::Missing))),
        ("HS256", Box::new(|it| it.algorithm = "HS256")),
        ("an algorithm not allowed", Box::new(|it| it.algorithm = "PS256")),
        ("unknown kid", Box::new(|it| it.header = json!({"kid": "unknown"}))),
        ("jwk", Box::new(|it| it.header = json!({"jwk": {}}))),
        ("crit", Box::new(|it| it.header = json!({"crit": ["exp"]}))),
        ("wrong issuer answers", Box::new(|it| it.answer = json!({"iss": "https://o.example"}))),
        ("nobody answers", Box::new(|it| it.answer = json!({"iss": null}))),
    ];
    world.app.clear();
    for (what, turn) in refusals {
        provider.turn(|switches| {
            *switches = Switches::default();
            turn(switches);
        });
        let answer = world.browser().open(&world.url("/")).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.body);
        assert!(answer.body.contains("could not be verified"), "{what}: {}", answer.body);
        // A made-up key has the keys asked for once in a while, not again for each.
        world.turn_clock(0);
    }
    assert!(world.app.requests().is_empty(), "nobody was let in");
}

#[tokio::test]
async fn a_token_that_names_no_key_needs_a_sole_one() {
    let more = "[provider.them]\nalgorithms = [\"RS256\", \"ES256\"]";
    let unnamed = |it: &mut Switches| it.header = json!({"kid": null});
    assert_eq!(seen(more, unnamed).await.status, 400);
    assert_eq!(seen("", unnamed).await.status, 200);
}

#[tokio::test]
async fn an_old_token_is_told_apart_as_a_matter_of_clocks() {
    let answer = seen("", |it| it.claims = json!({"exp": 1_600_000_000})).await;
    assert!(answer.body.contains("clock"), "{}", answer.body);
    let answer = seen("", |it| it.claims = json!({"iat": 1_700_009_000})).await;
    assert!(answer.body.contains("clock"), "{}", answer.body);
}

#[tokio::test]
async fn whom_no_rule_names_is_not_let_in_and_told_whom_to_ask() {
    for (what, claims) in [
        ("no hd", json!({"hd": null})),
        ("another's hd", json!({"hd": "bakke.example"})),
        ("an hd that is no text", json!({"hd": ["nordlys.example"]})),
    ] {
        let answer = seen("", |it| it.claims = claims).await;
        assert_eq!(answer.status, 403, "{what}");
        assert!(answer.body.contains("You are not let in here"), "{what}: {}", answer.body);
        assert!(answer.all("set-cookie").iter().all(|line| !line.contains("session")), "{what}");
    }
}

#[tokio::test]
async fn an_address_counts_if_it_is_verified_and_its_domain_is_listed() {
    let more = "[relying_party.main.people]\nemail_domains = { \"nordlys.example\" = \"Cust7\" }";
    for (claims, status) in [
        (json!({}), 200),
        (json!({"email": "ada@NORDLYS.example"}), 200),
        (json!({"email_verified": false}), 403),
        (json!({"email_verified": "true"}), 403),
        (json!({"email_verified": null}), 403),
        (json!({"email": "ada@evil.example"}), 403),
        (json!({"email": "ada@evil.nordlys.example"}), 403),
        (json!({"email": "eve@evil.example@nordlys.example"}), 403),
        (json!({"email": null}), 403),
    ] {
        let answer = seen(more, |it| it.claims = claims.clone()).await;
        assert_eq!(answer.status, status, "{claims}");
    }
}

const DIRECTORY: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const OTHER: &str = "11111111-86f1-41af-91ab-2d7cd011db47";

#[tokio::test]
async fn a_directory_is_let_in_by_its_own_issuer_alone() {
    let more = format!(
        "[provider.them]\nissuer = \"$URL/{{tenantid}}/v2.0\"\n\
         discovery_url = \"$URL/.well-known/openid-configuration\"\n\
         [relying_party.main.people]\n\
         directories = {{ \"{DIRECTORY}\" = \"Cust12345\" }}"
    );
    let provider = Dishonest::start().await;
    let url = provider.url.clone();
    let issuer = |id: &str| format!("{url}/{id}/v2.0");
    let of = |id: &str, tid: Value| json!({"iss": issuer(id), "tid": tid});
    let document = json!({
        "issuer": issuer("{tenantid}"), "authorization_response_iss_parameter_supported": false,
    });
    provider.turn(|it| {
        it.discovery = document.clone();
        it.answer = json!({"iss": null});
        it.claims = of(DIRECTORY, json!(DIRECTORY));
    });
    let (world, answer) = visit(&provider, &more).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    for (claims, status) in [
        (of(OTHER, json!(OTHER)), 403),
        (of(OTHER, json!(DIRECTORY)), 400),
        (of(DIRECTORY, json!(OTHER)), 400),
        (of(DIRECTORY, json!(null)), 400),
        (of("{tenantid}", json!("{tenantid}")), 400),
        (json!({"tid": DIRECTORY}), 400),
    ] {
        provider.turn(|it| it.claims = claims.clone());
        let answer = world.browser().open(&world.url("/")).await;
        assert_eq!(answer.status, status, "{claims}");
    }
    provider.turn(|it| it.claims = of(DIRECTORY, json!(DIRECTORY)));
    for (named, status) in [
        (json!(issuer(DIRECTORY)), 200),
        (json!(issuer(OTHER)), 400),
        (json!(issuer("common")), 400),
        (json!(issuer("{tenantid}")), 400),
    ] {
        provider.turn(|it| it.answer = json!({"iss": named}));
        let answer = world.browser().open(&world.url("/")).await;
        assert_eq!(answer.status, status, "the answer names {named}");
    }
}

#[tokio::test]
async fn a_mapping_says_who_somebody_is_and_for_which_tenant() {
    let provider = Dishonest::start().await;
    let file = file(
        "people.toml",
        &format!(
            "[[person]]\nissuer = {0:?}\nsubject = \"ada-1\"\ntenant = \"Cust777\"\n\
             name = \"ada\"\nassociate_id = 12\nadministrator = true\n\
             [[person]]\nissuer = {0:?}\nsubject = \"ada-2\"\ntenant = \"Cust778\"\n",
            provider.url
        ),
    );
    let more = format!("[relying_party.main.people]\nmapping = {:?}", file.0);
    let (world, answer) = visit(&provider, &more).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let all = format!("{:?}", world.app.requests().pop().unwrap().headers);
    assert!(all.contains("\"Cust777\"") && all.contains("\"ada\""), "{all}");
    let administrator =
        || world.app.last().header("X-SuperOffice-Administrator").map(str::to_owned);
    assert_eq!(administrator().as_deref(), Some("true"));
    provider.turn(|it| it.claims = json!({"sub": "ada-2"}));
    let answer = world.browser().open(&world.url("/")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(world.app.last().header("X-SuperOffice-Context"), Some("Cust778"));
    assert_eq!(administrator().as_deref(), Some("false"), "which nobody wrote");
    provider.turn(|it| it.claims = json!({"sub": "ada-3"}));
    let answer = world.browser().open(&world.url("/")).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn whoever_is_of_another_tenant_than_was_asked_for_is_not_signed_in() {
    let more = "[route.app]\ntenant_parameter = \"uctx\"\n[relying_party.main.people.hosted_domains]\n\
                \"nordlys.example\" = \"Cust12345\"\n\"bakke.example\" = \"Cust20011\"";
    let provider = Dishonest::start().await;
    let world = World::with(&at(&provider, more)).await;
    for (domain, status) in [("nordlys.example", 400), ("bakke.example", 200)] {
        provider.turn(|it| it.claims = json!({"hd": domain}));
        let mut browser = world.browser();
        let answer = browser.open(&world.url("/panel?uctx=Cust20011")).await;
        assert_eq!(answer.status, status, "{domain}: {}", answer.body);
        assert_eq!(world.app.requests().len(), usize::from(status == 200), "{domain}");
    }
}

#[tokio::test]
async fn userinfo_is_believed_of_the_same_subject_alone() {
    let more = "[provider.them]\nuserinfo = true";
    let quiet = |it: &mut Switches| it.claims = json!({"email": null, "email_verified": null});
    for kind in [UserInfoAs::Json, UserInfoAs::Signed] {
        let provider = Dishonest::with(|it| (quiet(it), it.userinfo_as = kind).1).await;
        let (world, answer) = visit(&provider, more).await;
        assert_eq!(answer.status, 200, "{kind:?} {}", answer.body);
        let all = format!("{:?}", world.app.requests().pop().unwrap().headers);
        assert!(all.contains("ada@nordlys.example") && all.contains("Lovelace"), "{all}");
        for said in [json!({"sub": "eve"}), json!({"sub": null})] {
            provider.turn(|it| it.userinfo = said.clone());
            let answer = world.browser().open(&world.url("/")).await;
            assert_eq!(answer.status, 400, "{kind:?} {said}");
        }
        provider.turn(|it| it.userinfo = json!({"aud": "another", "iss": "https://o.example"}));
        let answer = world.browser().open(&world.url("/")).await;
        let expected = if kind == UserInfoAs::Json { 200 } else { 400 };
        assert_eq!(answer.status, expected, "only a signed answer has to name us");
    }
    let answer = seen(more, |it| {
        (it.claims, it.userinfo) = (json!({"hd": null}), json!({"hd": "nordlys.example"}));
    });
    assert_eq!(answer.await.status, 403, "what lets people in is the signed token's to say");
}

#[tokio::test]
async fn an_address_is_not_verified_by_another_answers_word() {
    let more = "[provider.them]\nuserinfo = true\n\
                [relying_party.main.people]\nemail_domains = { \"nordlys.example\" = \"Cust7\" }";
    for (claims, said, status) in [
        (json!({}), json!({}), 200),
        (json!({"email": null, "email_verified": null}), json!({}), 200),
        (json!({"email": null}), json!({"email_verified": null}), 403),
        (json!({"email": null}), json!({"email_verified": false}), 403),
        (json!({"email_verified": null}), json!({"email": null}), 403),
        (json!({"email_verified": null}), json!({}), 403),
    ] {
        let turn = |it: &mut Switches| (it.claims, it.userinfo) = (claims.clone(), said.clone());
        assert_eq!(seen(more, turn).await.status, status, "{claims} {said}");
    }
}

#[tokio::test]
async fn a_signed_userinfo_is_by_a_key_of_the_issuer_and_not_over() {
    let more = "[provider.them]\nuserinfo = true\nalgorithms = [\"RS256\", \"ES256\"]";
    let provider = Dishonest::with(|it| {
        (it.userinfo_as, it.userinfo_algorithm) = (UserInfoAs::Signed, Some("ES256"));
    })
    .await;
    let (world, answer) = visit(&provider, more).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    for (times, status) in [
        (json!({"exp": NOW + 60}), 200),
        (json!({"exp": NOW - 3_600}), 500),
        (json!({"exp": "soon"}), 400),
        (json!({"exp": NOW + 7_200, "nbf": NOW + 3_600}), 500),
    ] {
        provider.turn(|it| it.userinfo = times.clone());
        assert_eq!(world.browser().open(&world.url("/")).await.status, status, "{times}");
    }
    let mut keys = KEYS.jwks();
    keys["keys"][1]["issuer"] = json!("https://other.example");
    provider.turn(|it| (it.userinfo, it.keys) = (json!({}), keys));
    // Another gateway, which has not asked for the keys yet.
    assert_eq!(visit(&provider, more).await.1.status, 400, "another issuer's key");
}

#[tokio::test]
async fn a_discovery_document_of_another_issuer_is_refused_and_one_that_is_missing_is_an_outage() {
    for (what, discovery) in [
        ("another issuer", json!({"issuer": "https://other.example"})),
        ("a slash more", json!({"issuer": "$/"})),
        ("no token endpoint", json!({"token_endpoint": null})),
        ("an endpoint elsewhere", json!({"token_endpoint": "http://elsewhere.example/token"})),
    ] {
        let answer = seen("", |it| it.discovery = discovery).await;
        assert_eq!(answer.status, 500, "{what}");
        assert!(answer.body.contains("not set up correctly"), "{what}: {}", answer.body);
    }
    for path in ["/.well-known/openid-configuration", "/keys", "/token"] {
        let answer = seen("", |it| it.down = vec![path]).await;
        assert_eq!(answer.status, 503, "{path}");
        assert!(answer.body.contains("sign-in service does not answer"), "{}", answer.body);
    }
}

#[tokio::test]
async fn the_last_good_document_and_keys_serve_while_the_provider_cannot_be_asked() {
    let provider = Dishonest::start().await;
    let (world, answer) = visit(&provider, "").await;
    assert_eq!(answer.status, 200);
    provider.turn(|it| it.down = vec!["/.well-known/openid-configuration", "/keys"]);
    world.turn_clock(3_000);
    let document = provider.asked("/.well-known/openid-configuration").len();
    let answer = world.browser().open(&world.url("/")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(provider.asked("/.well-known/openid-configuration").len(), document, "fresh");
}

#[tokio::test]
async fn what_is_pinned_needs_no_discovery() {
    let provider = Dishonest::with(|it| it.down = vec!["/.well-known/openid-configuration"]).await;
    let more = "[provider.them]\nauthorize_url = \"$URL/authorize\"\ntoken_url = \"$URL/token\"\n\
                jwks_url = \"$URL/keys\"";
    let (_, answer) = visit(&provider, more).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(provider.asked("/.well-known/openid-configuration").is_empty());
}

#[tokio::test]
async fn a_request_is_pushed_and_the_browser_carries_its_name_alone() {
    let provider = Dishonest::start().await;
    let more = "[provider.them]\npushed_requests = true\nscopes = [\"openid\", \"groups\"]\n\
                authorize_parameters = { prompt = \"login\" }";
    let (_, answer) = visit(&provider, more).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let pushed = provider.asked("/par").pop().unwrap().fields;
    assert_eq!((&*pushed["scope"], &*pushed["prompt"]), ("openid groups", "login"));
    assert_eq!(pushed["client_secret"], "secret of main");
    let carried = provider.asked("/authorize").pop().unwrap().fields;
    let mut names: Vec<_> = carried.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["client_id", "request_uri"]);
    provider.turn(|it| {
        it.discovery = json!({"authorization_endpoint": format!("{}/authorize?", provider.url)});
    });
    let (_, answer) = visit(&provider, more).await;
    assert_eq!(answer.status, 200, "an authorize address with an empty query: {}", answer.body);
    assert!(!provider.asked("/authorize").pop().unwrap().fields.contains_key("state"));
    provider.turn(|it| it.down = vec!["/par"]);
    assert_eq!(visit(&provider, more).await.1.status, 503);
}

#[tokio::test]
async fn an_error_of_the_providers_is_told_in_its_own_words() {
    let answer = seen("", |it| it.answer = json!({"code": null, "error": "server_error"})).await;
    assert_eq!(answer.status, 503);
    assert!(!answer.body.contains("SuperID"), "{}", answer.body);
    for (error, status) in [("access_denied", 403), ("login_required", 502)] {
        let answer = seen("", |it| it.answer = json!({"code": null, "error": error})).await;
        assert_eq!(answer.status, status, "{error}");
        assert_neutral(&answer);
    }
    assert_neutral(&seen("", |it| it.claims = json!({"exp": 1_600_000_000})).await);
    assert_neutral(&seen("", |it| it.claims = json!({"nonce": null})).await);
    assert_neutral(&seen("", |it| it.discovery = json!({"issuer": "https://o.example"})).await);
    let answer = seen("", |it| it.answer = json!({"error": "invalid_scope"})).await;
    assert_eq!(answer.status, 502, "an error beside a code wins: {}", answer.body);
    let wrong = json!({"error": "server_error", "code": null, "iss": "https://o.example"});
    let answer = seen("", |it| it.answer = wrong).await;
    assert_eq!(answer.status, 400, "another's error is nobody's");
    let unknown = |it: &mut Switches| {
        (it.tokens_status, it.tokens) = (401, json!({"error": "invalid_client"}));
    };
    let answer = seen("", unknown).await;
    assert_eq!(answer.status, 500, "{}", answer.body);
}

fn assert_neutral(answer: &Answer) {
    for word in ["SuperID", "SuperOffice"] {
        assert!(!answer.body.contains(word), "{}", answer.body);
    }
}

#[tokio::test]
async fn signing_out_ends_at_the_provider() {
    let provider = Dishonest::start().await;
    let world = World::with(&at(&provider, "")).await;
    let mut browser = world.browser();
    assert_eq!(browser.open(&world.url("/")).await.status, 200);
    let answer = browser.visit(&world.url("/auth/sign_out")).await;
    assert!(answer.location().starts_with(&format!("{}/logout?", provider.url)));
    assert_eq!(answer.parameter("client_id").as_deref(), Some("client"));
    let back = answer.parameter("post_logout_redirect_uri").unwrap();
    assert!(back.starts_with(&world.origin), "{back}");
}

/// A file that goes when the test does.
pub struct Temporary(pub PathBuf);

pub fn file(name: &str, text: &str) -> Temporary {
    static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("superid-gateway-provider-{}-{number}-{name}", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, text).unwrap();
    Temporary(path)
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn a_post_is_kept_by_a_gateway_that_has_yet_to_ask_the_provider_for_its_addresses() {
    let provider = Dishonest::start().await;
    let world = World::with(&at(&provider, "[route.app]\nkeep_post = \"64KiB\"\n")).await;
    let mut browser = world.browser();
    let kept = keeping::posts(&mut browser, &world.url("/orders"), "text/plain", "a=1").await;
    let page = browser.arrive(kept).await;
    keeping::sends(&mut browser, &page).await;
    let sent = world.app.requests().pop().unwrap();
    assert_eq!((sent.method.as_str(), sent.body.as_str()), ("POST", "a=1"));
}
