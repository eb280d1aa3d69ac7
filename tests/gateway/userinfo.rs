//! Who is signed in, for the pages of an app.

use crate::jar::Way;
use crate::wire::Answer;
use crate::world::{ASTRID, NOW, World};

const TWO: &str = r#"
[host.main]
oauth2_proxy_paths = true
[relying_party.second]
environment = "emulator"
client_id = "client-of-second"
client_secret = { value = "secret of second" }
redirect_path = "/auth/second"
[route.app]
relying_parties = ["main"]
"#;

const FETCH: &str = "Accept: */*\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\n\
    Sec-Fetch-Dest: empty\r\n";

fn for_one_person_alone(answer: &Answer) {
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!((answer.header("cache-control"), answer.header("vary")), ("no-store", "Cookie"));
    assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn a_page_learns_who_is_signed_in_and_no_part_of_a_credential() {
    let world = World::with(TWO).await;
    let mut browser = world.signed_in(ASTRID).await;
    browser.visit(&world.url("/orders")).await;
    let bearer = world.app.last().header("Authorization").unwrap().to_owned();
    // What stands before the dot names the tenant.
    let secret = bearer.rsplit_once('.').unwrap().1.to_owned();
    world.app.clear();
    for path in ["/auth/userinfo", "/oauth2/userinfo", "/auth/userinfo?with=main"] {
        let answer = browser.request("GET", &world.url(path), Way::SameSite, FETCH, "").await;
        assert_eq!(answer.status, 200, "{path}");
        for_one_person_alone(&answer);
        let told = answer.json();
        assert_eq!((&told["user"], &told["context"]), (&ASTRID.into(), &"Cust12345".into()));
        assert_eq!(told["administrator"], true);
        assert_eq!((&told["relying_party"], &told["signed_in"]), (&"main".into(), &NOW.into()));
        assert_eq!(told["expires"], NOW + 8 * 3600);
        assert_eq!(told["idle_expires"], NOW + 3600);
        assert_eq!(
            (&told["credential"]["kind"], &told["credential"]["alive"]),
            (&"bearer".into(), &true.into())
        );
        assert_eq!(told["groups"][0], "Cust12345");
        for start in 0..secret.len() - 6 {
            assert!(!answer.body.contains(&secret[start..start + 6]), "{}", answer.body);
        }
        assert!(answer.all("set-cookie").is_empty(), "asking is no use of the session");
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_page_is_told_where_to_sign_in_when_nobody_is() {
    let world = World::with(TWO).await;
    let nobody = world.api().get(&world.url("/auth/userinfo?rd=%2Forders%23%2F7")).await;
    assert_eq!((nobody.status, &nobody.json()["error"]), (401, &"sign_in_required".into()));
    for_one_person_alone(&nobody);
    let to = world.url("/auth/start?rd=%2Forders%23%2F7");
    assert_eq!(nobody.json()["sign_in"], to.as_str());
    let foreign = world.api().get(&world.url("/auth/userinfo?rd=%2F%2Fevil.example")).await;
    assert_eq!(foreign.json()["sign_in"], world.url("/auth/start?rd=%2F").as_str());
    let mut browser = world.browser();
    assert_eq!(browser.sign_in(&to, ASTRID).await.url, world.url("/orders#/7"));
    let other = browser.visit(&world.url("/auth/userinfo?with=second")).await;
    assert_eq!(other.status, 401, "a session of one relying party is none of another");
    assert_eq!(other.json()["sign_in"], world.url("/auth/start?rd=%2F&with=second").as_str());
    for twice in ["with=main&with=second", "with=second&with=second", "rd=%2F&rd=%2Fa"] {
        let url = world.url(&format!("/auth/userinfo?{twice}"));
        assert_eq!(browser.visit(&url).await.status, 400, "{twice}");
    }
    world.turn_clock(3601);
    assert_eq!(browser.visit(&world.url("/auth/userinfo")).await.status, 401, "idle for too long");
    let posted = world.api().send("POST", &world.url("/auth/userinfo"), "").await;
    assert_eq!(posted.status, 405);
    let plain = World::new().await;
    let theirs = plain.api().get(&plain.url("/oauth2/userinfo")).await;
    assert!(theirs.json().get("sign_in").is_some(), "the app's own path, which wants a sign-in");
}
