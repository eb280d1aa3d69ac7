//! Which relying party a sign-in is with, and that nothing of one opens the routes of another.

use crate::dishonest::Dishonest;
use crate::wire::Answer;
use crate::world::{ASTRID, JONAS, MIRA, World, lay};

/// A registration for everybody, and one of its own for each of two customers.
const CUSTOMERS: &str = r#"
[route.app]
tenant_parameter = "uctx"
[relying_party.main]
title = "Everybody else"
[relying_party.nordlys]
title = "Nordlys Marine"
environment = "emulator"
client_id = "client-of-nordlys"
client_secret = { value = "secret of nordlys" }
tenant = "Cust12345"
[relying_party.fjordbank]
title = "Fjordbank"
environment = "emulator"
client_id = "client-of-fjordbank"
client_secret = { value = "secret of fjordbank" }
tenant = "Cust67890"
listed = false
"#;

async fn asked(world: &World, path: &str) -> Answer {
    world.browser().visit(&world.url(path)).await
}

fn is_sent_to(answer: &Answer, client: &str, tenant: &str) {
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(answer.parameter("client_id").as_deref(), Some(client));
    let place = format!("/login/{tenant}/oauth/authorize?");
    assert!(answer.location().contains(&place), "{}", answer.location());
}

#[tokio::test]
async fn the_relying_party_of_the_tenant_an_address_names_is_taken() {
    let world = World::with(CUSTOMERS).await;
    for (query, client, tenant) in [
        ("uctx=Cust12345", "client-of-nordlys", "Cust12345"),
        ("a=1&uctx=cust67890&b=2", "client-of-fjordbank", "Cust67890"),
        ("UCTX=CUST12345", "client-of-nordlys", "Cust12345"),
        ("%75ctx=%43ust12345", "client-of-nordlys", "Cust12345"),
        ("uctx=Cust20011", "client-of-main", "Cust20011"),
    ] {
        is_sent_to(&asked(&world, &format!("/panel?{query}")).await, client, tenant);
        let pairs = [("rd", format!("/panel?{query}"))];
        let rd = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        is_sent_to(&asked(&world, &format!("/auth/start?{rd}")).await, client, tenant);
    }
    let start = "/auth/start?rd=/panel&tenant=CUST67890";
    is_sent_to(&asked(&world, start).await, "client-of-fjordbank", "Cust67890");
    let named = "/auth/start?tenant=Cust67890&rd=/panel%3Fuctx%3DCust12345";
    is_sent_to(&asked(&world, named).await, "client-of-nordlys", "Cust12345");
}

#[tokio::test]
async fn an_address_that_names_no_tenant_asks_and_shows_no_customer_that_is_not_listed() {
    let world = World::with(CUSTOMERS).await;
    for query in ["", "?uctx=", "?uctx=%3Cuctx%3E", "?uctx=%3CUCTX%3E", "?ctx=Cust12345"] {
        let page = asked(&world, &format!("/panel{query}")).await;
        page.is_page(200);
        assert!(page.body.contains("Everybody else") && page.body.contains("Nordlys Marine"));
        assert!(!page.body.contains("Fjordbank"), "{}", page.body);
    }
    is_sent_to(
        &asked(&world, "/auth/start?with=fjordbank").await,
        "client-of-fjordbank",
        "Cust67890",
    );
    world.app.heard_nothing();
}

#[tokio::test]
async fn whoever_chooses_signs_in_to_the_tenant_that_was_asked_for() {
    let second = CUSTOMERS.replace("tenant = \"Cust12345\"\n", "");
    let world = World::with(&second).await;
    let page = asked(&world, "/auth/start?rd=/panel&tenant=Cust20011").await;
    page.is_page(200);
    for (name, client) in [("main", "client-of-main"), ("nordlys", "client-of-nordlys")] {
        let links = page.body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let mut links = links.map(|link| link.replace("&#38;", "&"));
        let link = links.find(|link| link.contains(&format!("with={name}"))).unwrap();
        is_sent_to(&asked(&world, &link).await, client, "Cust20011");
    }
}

#[tokio::test]
async fn what_names_no_tenant_clearly_is_refused_before_anything_else() {
    let world = World::with(CUSTOMERS).await;
    let mut browser = world.browser();
    browser.sign_in(&world.url("/?uctx=Cust12345"), ASTRID).await;
    world.app.clear();
    for query in [
        "uctx=Cust12345/../Cust67890",
        "uctx=Cust12345%00",
        "uctx=Cust12345%20",
        "uctx=common",
        "uctx=%3Cusid%3E",
        "uctx=Cust12345&uctx=Cust67890",
        "uctx=Cust12345&UCTX=Cust12345",
        "uctx=Cust12345&%75ctx=",
    ] {
        let answer = browser.visit(&world.url(&format!("/panel?{query}"))).await;
        answer.is_page(400);
        assert!(answer.all("set-cookie").is_empty(), "{query}");
    }
    for path in ["/auth/start?tenant=common", "/auth/start?rd=/panel%3Fuctx%3D..%2Fcommon"] {
        asked(&world, path).await.is_page(400);
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_relying_party_with_a_tenant_signs_in_to_no_other() {
    let world = World::with(CUSTOMERS).await;
    let start = "/auth/start?with=nordlys&tenant=Cust67890";
    let answer = asked(&world, start).await;
    answer.is_page(400);
    assert!(answer.all("set-cookie").is_empty());
    let own = "/auth/start?with=nordlys&tenant=cust12345";
    is_sent_to(&asked(&world, own).await, "client-of-nordlys", "Cust12345");
}

#[tokio::test]
async fn without_a_way_in_for_the_tenant_a_page_says_so_and_nothing_begins() {
    let alone = "[host.main]\nrelying_parties = [\"nordlys\", \"fjordbank\"]\n\
                 [relying_party.nordlys]\nlisted = false\n";
    let world = customers(alone).await;
    for answer in [
        asked(&world, "/panel?uctx=Cust20011").await,
        asked(&world, "/auth/start?tenant=Cust1").await,
    ] {
        answer.is_page(403);
        assert!(answer.body.contains("Your company cannot sign in here"), "{}", answer.body);
        assert!(answer.all("set-cookie").is_empty());
    }
    let answer = asked(&world, "/panel").await;
    answer.is_page(400);
    assert!(answer.body.contains("Which company is this for?"), "{}", answer.body);
    assert!(!answer.body.contains("Nordlys") && !answer.body.contains("Fjordbank"));
}

#[tokio::test]
async fn somebody_of_another_tenant_than_the_address_names_signs_in_to_that_one() {
    let world = World::with("[route.app]\ntenant_parameter = \"ctx\"").await;
    let mut browser = world.browser();
    let panel = |tenant: &str| world.url(&format!("/panel?ctx={tenant}"));
    // Back and forth more often than a loop may go, within seconds.
    for round in 0..4 {
        for tenant in ["Cust12345", "cust67890"] {
            world.app.clear();
            let answer = browser.sign_in_where_asked(&panel(tenant), MIRA).await;
            assert_eq!((answer.status, answer.url), (200, panel(tenant)), "round {round}");
            let told = world.app.last().header("X-SuperOffice-Context").unwrap().to_owned();
            assert!(told.eq_ignore_ascii_case(tenant), "{told} for {tenant}");
        }
    }
    world.app.clear();
    let cookie = browser.jar.value("superid-gateway").unwrap();
    let headers = format!("Cookie: superid-gateway={cookie}\r\n");
    let other = panel("Cust12345");
    for (method, more) in [
        ("GET", ""),
        ("GET", "Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\nAccept: text/html\r\n"),
        ("POST", "Content-Length: 0\r\n"),
        ("GET", "Connection: upgrade\r\nUpgrade: websocket\r\n"),
    ] {
        let answer = world.api().send(method, &other, &format!("{headers}{more}")).await;
        assert_eq!(answer.status, 401, "{method} {more}");
        assert!(answer.all("set-cookie").is_empty(), "nobody is signed out by that");
        if method == "GET" && more.is_empty() {
            let address = answer.json()["sign_in"].as_str().unwrap().to_owned();
            is_sent_to(&world.browser().visit(&address).await, "client-of-main", "Cust12345");
        }
    }
    world.app.heard_nothing();
    for own in ["Cust67890", "", "%3Cuctx%3E"] {
        assert_eq!(world.api().send("GET", &panel(own), &headers).await.status, 200, "{own}");
    }
}

#[tokio::test]
async fn a_tenant_a_route_is_not_for_is_named_in_vain_and_costs_no_session() {
    let rules = "[route.app]\ntenant_parameter = \"ctx\"\ntenants = [\"Cust67890\"]";
    let world = World::with(rules).await;
    let mut browser = world.browser();
    let answer = browser.sign_in(&world.url("/?ctx=Cust67890"), MIRA).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let refused = browser.visit(&world.url("/?ctx=Cust12345")).await;
    refused.is_page(403);
    assert!(refused.body.contains("Your company does not have access here"), "{}", refused.body);
    assert_eq!(browser.visit(&world.url("/")).await.status, 200, "and stays signed in");
}

#[tokio::test]
async fn each_host_has_its_own_relying_parties_though_a_route_serves_both() {
    let two = "[host.other]\norigin = \"http://other.localhost:$PORT\"\n\
               relying_parties = [\"nordlys\"]\n\
               [host.main]\nrelying_parties = [\"main\"]\n";
    let world = customers(two).await;
    is_sent_to(&asked(&world, "/panel").await, "client-of-main", "common");
    let port = world.port;
    let other = format!("http://other.localhost:{port}");
    let mut browser = world.browser();
    let begun = browser.visit(&format!("{other}/panel")).await;
    is_sent_to(&begun, "client-of-nordlys", "Cust12345");
    let elsewhere = browser.visit(&format!("{other}/auth/start?with=main")).await;
    is_sent_to(&elsewhere, "client-of-nordlys", "Cust12345");
}

#[tokio::test]
async fn a_chooser_leads_to_a_provider_too_and_a_tenant_to_whoever_has_people_of_it() {
    let provider = Dishonest::start().await;
    let them = format!(
        "[provider.them]\nissuer = {:?}\n[relying_party.them]\ntitle = \"Our own house\"\n\
         provider = \"them\"\nclient_id = \"client\"\nclient_authentication = \"none\"\n\
         redirect_path = \"/auth/them\"\n\
         people = {{ hosted_domains = {{ \"nordlys.example\" = \"Cust77\" }} }}\n\
         [host.main]\nrelying_parties = [\"nordlys\", \"them\"]",
        provider.url
    );
    let world = customers(&them).await;
    let page = asked(&world, "/panel").await;
    page.is_page(200);
    assert!(page.body.contains("Our own house") && page.body.contains("Nordlys Marine"));
    let mut browser = world.browser();
    let answer = browser.open(&world.url("/panel?uctx=cust77")).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "the app"));
    assert_eq!(world.app.last().header("X-SuperOffice-Context"), Some("Cust77"));
    asked(&world, "/panel?uctx=Cust78").await.is_page(403);
    provider.turn(|it| it.claims = serde_json::json!({"hd": "bakke.example"}));
    world.browser().open(&world.url("/panel?uctx=Cust77")).await.is_page(403);
}

#[tokio::test]
async fn a_table_of_the_same_name_that_means_another_registration_takes_no_old_session() {
    for changed in [
        "client_id = \"another-client\"",
        "environment = \"second\"",
        "tenant = \"Cust67890\"",
        "tenant = \"Cust12345\"",
    ] {
        let mut world = World::with(SECOND).await;
        let mut browser = world.signed_in(JONAS).await;
        let begun = browser.clone().visit(&world.url("/auth/start")).await;
        assert_eq!(browser.visit(&world.url("/")).await.status, 200);
        world.app.clear();
        world.reload(&format!("[relying_party.main]\n{changed}")).unwrap();
        let told = browser.clone().visit(&world.url("/auth/userinfo")).await;
        assert_eq!(told.status, 401, "{changed}: {}", told.body);
        let answer = browser.visit(&world.url("/")).await;
        assert_eq!(answer.status, 303, "{changed}");
        let state = begun.parameter("state").unwrap();
        let callback = world.url(&format!("/auth/callback?state={state}&code=x"));
        let late = browser.visit(&callback).await;
        late.is_page(400);
        assert!(!late.signs_in(), "{changed}");
        world.app.heard_nothing();
    }
    let mut world = World::with(SECOND).await;
    let mut browser = world.signed_in(JONAS).await;
    world.reload("[relying_party.main]\ntitle = \"Another title\"").unwrap();
    assert_eq!(browser.visit(&world.url("/")).await.status, 200, "a title means nothing");
}

/// The same SuperID under another name and issuer.
const SECOND: &str = r#"
[environment.second]
issuer = "https://second.example"
authorize_url = "$SUPERID/login/common/oauth/authorize"
tenant_authorize_url = "$SUPERID/login/{ctx}/oauth/authorize"
token_url = "$SUPERID/login/common/oauth/tokens"
jwks_url = "$SUPERID/login/.well-known/jwks"
logout_url = "$SUPERID/login/logout"
legacy_login_url = "$SUPERID/login/"
addresses = ["$SUPERID"]
"#;

#[tokio::test]
async fn who_has_to_approve_the_app_stands_on_the_page_of_whoever_is_refused() {
    for (level, words) in [
        ("admin", "Some companies let only an administrator approve apps"),
        ("explicit", "Ask the people who made the app for you"),
        ("user", "Each person approves this app for themselves"),
        ("implicit", "should need nobody’s approval"),
    ] {
        let world = World::with(&format!("[relying_party.main]\nauthorization = {level:?}")).await;
        let mut browser = world.browser();
        let begun = browser.visit(&world.url("/orders")).await;
        let state = begun.parameter("state").unwrap();
        let denied = world.url(&format!("/auth/callback?state={state}&error=access_denied"));
        let answer = browser.visit(&denied).await;
        answer.is_page(403);
        assert!(answer.body.contains(words), "{level}: {}", answer.body);
    }
}

/// [`CUSTOMERS`] with more laid over it.
async fn customers(more: &str) -> World {
    let mut table: toml::Table = CUSTOMERS.parse().unwrap();
    lay(&mut table, more.parse().unwrap());
    World::with(&table.to_string()).await
}
