//! A proxy asks at `/auth/check` whether a request may pass that it carries itself.

use superid_gateway::emulator::Fault;
use superid_gateway::telemetry::AccessLog;

use crate::browser::{Browser, NAVIGATION};
use crate::jar::Way;
use crate::paper::Paper;
use crate::redis_server::RedisServer;
use crate::wire::{Answer, Door};
use crate::world::{ASTRID, JONAS, World};

/// Two listeners for proxies of the two kinds, one that nobody here may ask at, and an app of theirs.
const CHECKED: &str = r#"
[listener.checks]
address = "127.0.0.1:0"
forward_auth = { proxies = ["127.0.0.1"] }
[listener.nginx]
address = "127.0.0.1:0"
forward_auth = { proxies = ["127.0.0.1"], described_by = "x_original", sign_in = "unauthorized" }
[listener.envoy]
address = "127.0.0.1:0"
forward_auth = { proxies = ["127.0.0.1"], described_by = "path" }
[listener.others]
address = "127.0.0.1:0"
forward_auth = { proxies = ["192.0.2.1"] }
[route.app]
upstream = "checked"
[route.open]
upstream = "checked"
"#;

/// What a browser asks before a page of another origin may put something; we say 204 to that ourselves.
const PREFLIGHT: &str = "Origin: https://spa.example\r\nAccess-Control-Request-Method: PUT\r\n";

struct Proxy<'w> {
    world: &'w World,
    listener: &'static str,
}

fn proxy<'w>(world: &'w World, listener: &'static str) -> Proxy<'w> {
    let address = world.gateway.addresses().into_iter().find(|(name, _)| name == listener);
    world.net.lead(listener, Door { address: address.unwrap().1, tls: None });
    Proxy { world, listener }
}

impl Proxy<'_> {
    /// Asks with a message written by hand, but for its end.
    async fn says(&self, head: &str) -> Answer {
        self.world.api().raw(self.listener, head).await.expect("an answer")
    }

    /// Asks about a request of `method` for `target`, in the form of the listener.
    async fn asks(&self, method: &str, target: &str, headers: &str) -> Answer {
        let own = self.world.authority();
        let head = match self.listener {
            "envoy" => format!(
                "{method} /auth/check{target} HTTP/1.1\r\nHost: {own}\r\nX-Forwarded-Proto: http\r\n"
            ),
            "nginx" => format!(
                "GET /auth/check HTTP/1.1\r\nHost: gateway\r\nX-Original-Method: {method}\r\n\
                 X-Original-URL: http://{own}{target}\r\n"
            ),
            _ => format!(
                "GET /auth/check HTTP/1.1\r\nHost: gateway\r\nX-Forwarded-Method: {method}\r\n\
                 X-Forwarded-Proto: http\r\nX-Forwarded-Host: {own}\r\nX-Forwarded-Uri: {target}\r\n"
            ),
        };
        self.says(&format!("{head}{headers}")).await
    }

    /// The same with what a browser sends along.
    async fn of(&self, browser: &Browser, target: &str) -> Answer {
        self.asks("GET", target, &format!("{NAVIGATION}{}", cookies(self.world, browser))).await
    }
}

fn cookies(world: &World, browser: &Browser) -> String {
    let now = world.clock.now().0;
    let host = world.authority().split(':').next().unwrap();
    let pairs = browser.jar.header(("http", host, "/"), Way::SameSite, now).unwrap_or_default();
    format!("Cookie: theme=dark; {pairs}\r\n")
}

/// Whether a proxy would let the request pass.
fn passes(answer: &Answer) -> bool {
    (200..300).contains(&answer.status)
}

#[tokio::test]
async fn who_is_signed_in_passes_and_the_app_learns_who_it_is_and_nothing_of_our_cookies() {
    let world = World::with(CHECKED).await;
    let mut browser = world.browser();
    let page = browser.sign_in(&world.url("/auth/start?rd=/orders"), ASTRID).await;
    assert_eq!(page.status, 404, "the pages' listener has no way to the app");
    for listener in ["checks", "nginx", "envoy"] {
        let proxy = proxy(&world, listener);
        let answer = proxy.of(&browser, "/orders?id=7").await;
        assert_eq!(
            (answer.status, answer.header("x-superoffice-user")),
            (200, ASTRID),
            "{listener}"
        );
        assert_eq!(answer.header("x-superoffice-context"), "Cust12345");
        assert!(answer.header("authorization").starts_with("Bearer "));
        assert_eq!(answer.header("cookie"), "theme=dark");
        assert_eq!(answer.header("cache-control"), "no-store");
        let open = proxy.of(&browser, "/public/style.css").await;
        assert_eq!((open.status, open.header("x-superoffice-user")), (200, ""));
        assert_eq!((open.header("cookie"), open.header("authorization")), ("theme=dark", ""));
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_browser_of_nobody_is_led_to_sign_in_and_a_program_gets_401() {
    let world = World::with(CHECKED).await;
    let start = world.url("/auth/start?rd=%2Forders%3Fid%3D7%26b%3D2");
    for (listener, status) in [("checks", 303), ("envoy", 303), ("nginx", 401)] {
        let proxy = proxy(&world, listener);
        let answer = proxy.asks("GET", "/orders?id=7&b=2", NAVIGATION).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (status, start.as_str()),
            "{listener}"
        );
        assert!(answer.all("set-cookie").is_empty(), "nothing is begun for a question");
        for (method, headers) in [
            ("GET", "Accept: application/json\r\n"),
            ("GET", "Accept: */*\r\nSec-Fetch-Mode: cors\r\n"),
            ("POST", NAVIGATION),
        ] {
            let answer = proxy.asks(method, "/orders?id=7&b=2", headers).await;
            assert_eq!(
                (answer.status, answer.header("location")),
                (401, ""),
                "{listener} {method}"
            );
            assert_eq!(answer.json()["error"], "sign_in_required");
            assert_eq!(answer.json()["sign_in"], answer.header("x-sign-in"));
        }
    }
    let mut browser = world.browser();
    let page = browser.sign_in(&start, ASTRID).await;
    assert_eq!(page.url, world.url("/orders?id=7&b=2"), "back where it was going");
    assert!(passes(&proxy(&world, "checks").of(&browser, "/orders?id=7&b=2").await));
}

#[tokio::test]
async fn nobody_asks_but_who_may_and_nowhere_else() {
    let world = World::with(CHECKED).await;
    let mut browser = world.browser();
    browser.sign_in(&world.url("/auth/start"), ASTRID).await;
    let stranger = proxy(&world, "others").of(&browser, "/orders").await;
    assert_eq!((stranger.status, stranger.header("x-superoffice-user")), (403, ""));
    let said = "X-Forwarded-Method: GET\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Uri: /orders\r\n";
    let said =
        format!("{said}X-Forwarded-Host: {}\r\n{}", world.authority(), cookies(&world, &browser));
    for path in ["/auth/check", "/auth/check/orders"] {
        let answer = world.api().send("GET", &world.url(path), &said).await;
        assert_eq!((answer.status, answer.header("x-superoffice-user")), (404, ""), "{path}");
    }
    let asking = proxy(&world, "checks");
    for path in ["/", "/auth/start", "/auth/userinfo", "/auth/check/", "/auth/checks"] {
        let answer = asking.says(&format!("GET {path} HTTP/1.1\r\nHost: gateway\r\n{said}")).await;
        assert_eq!(answer.status, 400, "{path} is no question");
    }
}

#[tokio::test]
async fn what_a_client_says_besides_changes_no_description() {
    let world = World::with(CHECKED).await;
    let public = "X-Original-URL: http://localhost/public\r\n";
    let answer = proxy(&world, "checks").asks("GET", "/orders", public).await;
    assert_eq!(answer.status, 400, "apps are led astray by it");
    let public = "X-Forwarded-Uri: /public\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Host: x\r\n";
    for listener in ["nginx", "envoy"] {
        assert_eq!(proxy(&world, listener).asks("GET", "/orders", public).await.status, 401);
    }
    for twice in ["X-Forwarded-Uri: /public\r\n", "X_Forwarded_Uri: /public\r\n"] {
        assert_eq!(proxy(&world, "checks").asks("GET", "/orders", twice).await.status, 400);
    }
    for path in ["/public/../orders", "/public/%2e%2e/orders", "//orders", "/orders%2f..%2fpublic"]
    {
        for listener in ["checks", "nginx", "envoy"] {
            let answer = proxy(&world, listener).asks("GET", path, "").await;
            assert_eq!(answer.status, 400, "{listener} {path}");
        }
    }
    let forged = ["X-SuperOffice-User: x", "X_SuperOffice_User: x", "SOTicket: x", "so-ticket: x"];
    for forged in forged {
        for path in ["/public", "/orders"] {
            let answer = proxy(&world, "checks").asks("GET", path, &format!("{forged}\r\n")).await;
            assert_eq!(answer.status, 400, "{forged}");
        }
    }
    let elsewhere = "GET /auth/check HTTP/1.1\r\nHost: gateway\r\nX-Forwarded-Method: GET\r\n\
                     X-Forwarded-Proto: http\r\nX-Forwarded-Host: other.example\r\n\
                     X-Forwarded-Uri: /public\r\n";
    assert_eq!(proxy(&world, "checks").says(elsewhere).await.status, 421);
}

#[tokio::test]
async fn a_session_in_use_is_renewed_by_way_of_the_proxy() {
    // No token is wanted, which would end before the session does.
    let changes = CHECKED.replace("[route.open]", "present = \"nothing\"\n[route.open]");
    let world = World::with(&changes).await;
    // Its token outlives all this, so that none is had anew while the clock is turned.
    world.superid.faults().set(Fault::AccessLifetime { seconds: 100_000 });
    let mut browser = world.browser();
    browser.sign_in(&world.url("/auth/start"), ASTRID).await;
    let proxy = proxy(&world, "checks");
    assert!(proxy.of(&browser, "/orders").await.all("set-cookie").is_empty());
    world.turn_clock(1800);
    let answer = proxy.of(&browser, "/orders").await;
    let renewed = answer.all("set-cookie");
    assert_eq!((renewed.len(), renewed[0]), (1, answer.header("x-set-cookie-1")));
    browser.jar.keep("http", "localhost", renewed[0], world.clock.now().0);
    world.turn_clock(3000);
    assert!(passes(&proxy.of(&browser, "/orders").await), "the idle time counts from there");
    world.turn_clock(3601);
    assert_eq!(proxy.of(&browser, "/orders").await.status, 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_allowed_and_a_store_that_is_down_are_no_sign_in() {
    let changes = CHECKED.replace("[route.open]", "administrator = true\n[route.open]");
    let world = World::with(&changes).await;
    let mut browser = world.browser();
    browser.sign_in(&world.url("/auth/start"), JONAS).await;
    for listener in ["checks", "nginx", "envoy"] {
        let answer = proxy(&world, listener).of(&browser, "/orders").await;
        answer.is_page(403);
        assert_eq!(answer.header("location"), "");
    }
    let Some(server) = RedisServer::start() else { return };
    let url = format!("unix://{}", server.socket().display());
    let redis = format!("[session]\nstore = \"redis\"\n[redis]\nurl = \"{url}\"\n");
    let world = World::with(&format!("{CHECKED}{redis}")).await;
    let mut browser = world.browser();
    browser.sign_in(&world.url("/auth/start"), ASTRID).await;
    assert!(passes(&proxy(&world, "checks").of(&browser, "/orders").await));
    server.freeze();
    let answer = loop {
        let answer = proxy(&world, "checks").of(&browser, "/orders").await;
        if !passes(&answer) {
            break answer;
        }
    };
    assert_eq!((answer.status, answer.header("retry-after")), (503, "10"));
    server.thaw();
}

/// Envoy puts what it is told in the place of what the client sent, and lets be what it is not told of.
#[tokio::test]
async fn where_no_cookie_is_the_apps_a_proxy_is_told_so() {
    let world = World::with(CHECKED).await;
    let mut browser = world.browser();
    browser.sign_in(&world.url("/auth/start"), ASTRID).await;
    let ours = cookies(&world, &browser).replace("theme=dark; ", "");
    for listener in ["checks", "nginx", "envoy"] {
        for path in ["/orders", "/public"] {
            let answer = proxy(&world, listener).asks("GET", path, &ours).await;
            assert_eq!((answer.status, answer.all("cookie")), (200, vec![""]), "{listener} {path}");
        }
        let none = proxy(&world, listener).asks("GET", "/public", "").await;
        assert!(none.all("cookie").is_empty(), "{listener}");
    }
}

/// Answers that a browser or a gRPC client is shown with 200, and pages of ours.
#[tokio::test]
async fn no_page_of_ours_is_taken_for_leave_to_pass() {
    let more = "[relying_party.second]\nenvironment = \"emulator\"\nclient_id = \"client-of-second\"\n\
                client_secret = { value = \"secret of second\" }\nredirect_path = \"/auth/second\"\n\
                [route.own]\npath = \"/own\"\nupstream = \"tenant\"\n[session]\nsame_site = \"strict\"\n\
                [host.main]\ncors_origins = [\"https://spa.example\"]\n";
    let world = World::with(&format!("{CHECKED}{more}")).await;
    for listener in ["checks", "nginx", "envoy"] {
        let proxy = proxy(&world, listener);
        for (method, target, headers, status) in [
            ("GET", "/auth/start", NAVIGATION, 404),
            ("GET", "/auth/signed_out", NAVIGATION, 404),
            ("GET", "/auth/callback?code=a", NAVIGATION, 404),
            ("OPTIONS", "/orders", "Max-Forwards: 0\r\n", 401),
            ("POST", "/orders", "Content-Type: application/grpc\r\nTE: trailers\r\n", 401),
            ("OPTIONS", "/orders", PREFLIGHT, 403),
            ("CONNECT", "/orders", "", 405),
            ("GET", "/own/v1", "", 401),
        ] {
            if (listener, method) == ("envoy", "CONNECT") {
                continue;
            }
            let answer = proxy.asks(method, target, headers).await;
            assert_eq!(answer.status, status, "{listener} {method} {target}");
        }
        let answer = proxy.asks("GET", "/orders", NAVIGATION).await;
        assert!([303, 401].contains(&answer.status), "strict cookies, and two to choose from");
    }
    let mut browser = world.browser();
    let page = browser.open(&world.url("/auth/start?with=main")).await;
    let answer = browser.pick(&page, ASTRID, "").await;
    browser.arrive(answer).await;
    assert!(passes(&proxy(&world, "checks").of(&browser, "/orders").await));
    let own = "/own/api/v1/User/currentPrincipal";
    for path in [own, "/auth/userinfo", "/auth/keys", "/auth/renew.js", "/auth/signed_out"] {
        let answer = proxy(&world, "checks").of(&browser, path).await;
        assert_eq!(answer.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_websocket_of_another_sites_page_does_not_pass() {
    let world = World::with(CHECKED).await;
    let mut browser = world.browser();
    browser.sign_in(&world.url("/auth/start"), ASTRID).await;
    let cookies = cookies(&world, &browser);
    for listener in ["checks", "nginx", "envoy"] {
        let of = async |origin: &str, more: &str| {
            let headers = format!("{cookies}Origin: {origin}\r\n{more}");
            proxy(&world, listener).asks("GET", "/events", &headers).await.status
        };
        for upgrade in
            ["Sec-WebSocket-Key: AAAA\r\n", "Connection: Upgrade\r\nUpgrade: websocket\r\n"]
        {
            assert_eq!(of(&world.origin, upgrade).await, 200, "{listener}");
            assert_eq!(of("https://evil.example", upgrade).await, 403, "{listener}");
        }
    }
}

#[tokio::test]
async fn the_client_is_whom_the_proxy_names_and_the_log_says_what_was_asked() {
    let paper = Paper::default();
    let (access, writer) = AccessLog::to(paper.clone());
    let rate = format!("{CHECKED}rate = {{ per_address = \"1/m\" }}\n");
    let world = World::built(&rate, |_| {}, Some(access), None).await;
    let checks = proxy(&world, "checks");
    let from = |client: &str| format!("X-Forwarded-For: 198.51.100.9, {client}\r\n");
    let mut statuses = Vec::new();
    for client in ["203.0.113.1", "203.0.113.1", "203.0.113.1", "203.0.113.2"] {
        statuses.push(checks.asks("GET", "/public/a?secret=1", &from(client)).await.status);
    }
    assert_eq!((statuses[0], statuses[2], statuses[3]), (200, 429, 200), "{statuses:?}");
    world.gateway.stop().await;
    drop(writer);
    let lines = paper.lines();
    let first = &lines[0];
    assert_eq!((&first["client"], &first["path"]), (&"203.0.113.1".into(), &"/public/a".into()));
    assert_eq!((&first["route"], &first["status"]), (&"open".into(), &200.into()));
}
