//! The door: which requests are taken at all, and what of them may be believed.

use crate::world::World;

#[tokio::test]
async fn a_host_that_is_not_ours_is_421_and_never_part_of_an_address() {
    let world = World::new().await;
    let own = world.authority().to_owned();
    for host in [
        "evil.example".to_owned(),
        "localhost".to_owned(),
        format!("evil.{own}"),
        format!("{own}0"),
        format!("127.0.0.1:{}", world.port),
        "localhost.:1".to_owned(),
        "[::1]".to_owned(),
    ] {
        let head = format!("GET /orders HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n");
        let answer = world.api().raw(&own, &head).await.unwrap();
        assert_eq!(answer.status, 421, "{host}");
        assert!(answer.header("location").is_empty() && answer.all("set-cookie").is_empty());
    }
    let head =
        format!("GET /orders HTTP/1.1\r\nHost: {}\r\nAccept: text/html\r\n", own.to_uppercase());
    let answer = world.api().raw(&own, &head).await.unwrap();
    assert_eq!(answer.status, 303, "names have no case");
    assert_eq!(answer.parameter("redirect_uri"), Some(world.url("/auth/callback")));
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_request_without_exactly_one_good_host_is_refused() {
    let world = World::new().await;
    let own = world.authority().to_owned();
    for head in [
        "GET /public HTTP/1.1\r\n".to_owned(),
        "GET /public HTTP/1.0\r\n".to_owned(),
        "GET /public HTTP/1.1\r\nHost:\r\n".to_owned(),
        format!("GET /public HTTP/1.1\r\nHost: {own}\r\nHost: {own}\r\n"),
        format!("GET /public HTTP/1.1\r\nHost: {own}\r\nhost: evil.example\r\n"),
        format!("GET /public HTTP/1.1\r\nHost: {own}, evil.example\r\n"),
        format!("GET /public HTTP/1.1\r\nHost: user@{own}\r\n"),
        format!("GET /public HTTP/1.1\r\nHost: {own}/public\r\n"),
        format!("GET /public HTTP/1.1\r\nHost: {own} x\r\n"),
        format!("GET http://evil.example/public HTTP/1.1\r\nHost: {own}\r\n"),
        format!("GET http://{own}/public HTTP/1.1\r\nHost: evil.example\r\n"),
        format!("GET http://{own}@evil.example/public HTTP/1.1\r\nHost: {own}\r\n"),
        format!("GET ftp://{own}/public HTTP/1.1\r\nHost: {own}\r\n"),
    ] {
        let answer = world.api().raw(&own, &head).await;
        let status = answer.map_or(400, |answer| answer.status);
        assert!(matches!(status, 400 | 421), "{status} for {head}");
    }
    world.app.heard_nothing();
    let head = format!("GET http://{own}/public/x?y HTTP/1.1\r\nHost: {own}\r\n");
    assert_eq!(world.api().raw(&own, &head).await.unwrap().status, 200);
    assert_eq!(world.app.last().target, "/public/x?y");
}

#[tokio::test]
async fn a_path_that_could_be_read_two_ways_is_refused() {
    let world = World::new().await;
    let own = world.authority().to_owned();
    for target in [
        "/public/../secret",
        "/public/..",
        "/public/./x",
        "/./public",
        "//public",
        "/public//x",
        "/public/%2e%2e/secret",
        "/public/%2E%2E/secret",
        "/public/.%2e/secret",
        "/public%2f..%2fsecret",
        "/public%2F..%2Fsecret",
        "/public%5c..%5csecret",
        "/public%5C",
        "/public\\..\\secret",
        "/public;/../secret",
        "/public;x=1",
        "/public/..;/secret",
        "/%70ublic",
        "/publi%63/x",
        "/public%00",
        "/public%0a",
        "/public%0d%0aX: y",
        "/public%09",
        "/public%7f",
        "/public%25",
        "/public%252e%252e/secret",
        "/public/%c0%ae%c0%ae/secret",
        "/public/%ff",
        "/public%",
        "/public%2",
        "/public%zz",
        "public",
        "*",
        "/public/%u002e",
    ] {
        for method in ["GET", "OPTIONS", "POST"] {
            let head =
                format!("{method} {target} HTTP/1.1\r\nHost: {own}\r\nContent-Length: 0\r\n");
            let answer = world.api().raw(&own, &head).await;
            let status = answer.map_or(400, |answer| answer.status);
            assert_eq!(status, 400, "{method} {target}");
        }
    }
    world.app.heard_nothing();
    for raw in ["/public/\u{f8}", "/public/\u{7f}", "/public/a b", "/public/\t"] {
        let head = format!("GET {raw} HTTP/1.1\r\nHost: {own}\r\n");
        let answer = world.api().raw(&own, &head).await;
        assert!(matches!(answer.map_or(400, |answer| answer.status), 400 | 200), "{raw:?}");
    }
    let seen: Vec<String> = world.app.requests().into_iter().map(|seen| seen.target).collect();
    assert!(seen.iter().all(|seen| seen == "/public/a%20b"), "as it was judged: {seen:?}");
}

#[tokio::test]
async fn what_looks_public_only_in_the_query_is_not() {
    let world = World::new().await;
    for target in [
        "/secret?x=/public/a",
        "/secret?/../public",
        "/publicity",
        "/public.x",
        "/PUBLIC",
        "/Public/x",
        "/secret/public",
    ] {
        assert_eq!(world.api().get(&world.url(target)).await.status, 401, "{target}");
    }
    let probe = "User-Agent: kube-probe/1.30\r\nAccept: */*\r\n";
    assert_eq!(world.api().send("GET", &world.url("/secret"), probe).await.status, 401);
    world.app.heard_nothing();
    for target in ["/public", "/public/", "/public/x", "/public?x"] {
        assert_eq!(world.api().get(&world.url(target)).await.status, 200, "{target}");
        assert_eq!(world.app.last().target, target, "exactly as it came");
    }
}

#[tokio::test]
async fn a_fragment_opens_nothing_and_does_not_reach_the_app() {
    let world = World::new().await;
    let own = world.authority().to_owned();
    for target in ["/secret#/public", "/secret#", "/#/public/x"] {
        let head = format!("GET {target} HTTP/1.1\r\nHost: {own}\r\n");
        let status = world.api().raw(&own, &head).await.map_or(400, |answer| answer.status);
        assert!(matches!(status, 400 | 401), "{status} for {target}");
    }
    world.app.heard_nothing();
    let head = format!("GET /public/x#/../secret HTTP/1.1\r\nHost: {own}\r\n");
    world.api().raw(&own, &head).await;
    assert!(world.app.requests().iter().all(|request| request.target == "/public/x"));
}

#[tokio::test]
async fn methods_that_tunnel_or_mirror_are_refused() {
    let world = World::new().await;
    let own = world.authority().to_owned();
    for head in [
        format!("TRACE /public HTTP/1.1\r\nHost: {own}\r\n"),
        format!("CONNECT {own} HTTP/1.1\r\nHost: {own}\r\n"),
        format!("CONNECT /public HTTP/1.1\r\nHost: {own}\r\n"),
    ] {
        let status = world.api().raw(&own, &head).await.map_or(400, |answer| answer.status);
        assert!(matches!(status, 400 | 405), "{status} for {head}");
    }
    world.app.heard_nothing();
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
        let answer = world.api().send(method, &world.url("/public"), "Content-Length: 0\r\n").await;
        assert_eq!(answer.status, 200, "{method}");
        assert_eq!(world.app.last().method, method);
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let world = World::new().await;
    let send = async |path: String, headers: String| {
        let answer = world.api().send("GET", &world.url(&path), &headers).await;
        answer.status
    };
    let cookie = |length: usize| format!("Cookie: a={}\r\n", "x".repeat(length));
    assert_eq!(send("/public".to_owned(), cookie(20_000)).await, 200);
    world.app.clear();
    assert_eq!(send("/public".to_owned(), cookie(25_000)).await, 431);
    assert_eq!(send("/public".to_owned(), cookie(12_500).repeat(2)).await, 431);
    assert_eq!(send(format!("/public/{}", "x".repeat(8_200)), String::new()).await, 414);
    assert_eq!(send(format!("/public?{}", "x".repeat(8_200)), String::new()).await, 414);
    world.app.heard_nothing();
}

#[tokio::test]
async fn ambiguous_framing_never_reaches_the_app() {
    let world = World::new().await;
    let own = world.authority().to_owned();
    for headers in [
        "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Content-Length: 4\r\nContent-Length: 4\r\n",
        "Content-Length: +4\r\n",
        "Content-Length: 4, 4\r\n",
        "Content-Length: 0x4\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding : chunked\r\n",
    ] {
        let head = format!(
            "POST /public HTTP/1.1\r\nHost: {own}\r\n{headers}Connection: close\r\n\r\n0\r\n\r\n"
        );
        let answer = world.net.ask(&own, head.as_bytes()).await;
        let status = answer.map_or(400, |answer| answer.status);
        assert!(matches!(status, 400 | 501), "{status} for {headers}");
    }
    world.app.heard_nothing();
    for headers in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    ] {
        let head = format!("POST /public HTTP/1.1\r\nHost: {own}\r\n{headers}\r\n0\r\n\r\n");
        world.net.ask(&own, head.as_bytes()).await;
        for request in world.app.requests() {
            assert_eq!(request.header("Content-Length"), None, "framed anew, in one way");
        }
    }
    world.app.clear();
    let body = "4\r\na=1&\r\n0\r\n\r\n";
    let head =
        format!("POST /public HTTP/1.1\r\nHost: {own}\r\nTransfer-Encoding: Chunked\r\n\r\n{body}");
    assert_eq!(world.net.ask(&own, head.as_bytes()).await.unwrap().status, 200);
    assert_eq!(world.app.last().body, "a=1&");
}

#[tokio::test]
async fn every_request_has_an_id_that_the_page_and_the_app_both_know() {
    let world = World::new().await;
    let headers = "X-Request-Id: outsiders\r\n";
    assert_eq!(world.api().send("GET", &world.url("/public"), headers).await.status, 200);
    let id = world.app.last().header("X-Request-Id").unwrap().to_owned();
    assert_ne!(id, "outsiders");
    assert_eq!(id.len(), 17, "{id}");
    let mut browser = world.browser();
    let page = browser.visit(&world.url("/auth/nothing-here")).await;
    page.is_page(404);
    assert!(
        page.body.contains(id.split_once('-').unwrap().0),
        "of the same process: {}",
        page.body
    );
}

#[tokio::test]
async fn our_own_pages_are_calm_about_strangers() {
    let world = World::new().await;
    let mut browser = world.browser();
    for (path, status) in [
        ("/auth", 404),
        ("/auth/", 404),
        ("/auth/unknown", 404),
        ("/auth/start/x", 404),
        ("/auth/callback/", 404),
        ("/auth/callback", 400),
        ("/auth/finish", 400),
        ("/auth/signed_out", 200),
        ("/auth/start?rd=/&rd=/x", 400),
    ] {
        browser.visit(&world.url(path)).await.is_page(status);
        let answer = world.api().get(&world.url(path)).await;
        assert_eq!(answer.status, status, "{path}");
    }
    for method in ["PUT", "DELETE", "POST"] {
        for path in ["/auth/start", "/auth/finish", "/auth/signed_out"] {
            let answer = world.api().send(method, &world.url(path), "Content-Length: 0\r\n").await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert!(!answer.header("allow").is_empty());
        }
    }
    world.app.heard_nothing();
}
