//! The app that knows nothing about sign-in.

use http::Method;
use superid_gateway::emulator::DemoApp;

use crate::browser::{Browser, Page};

const HEADERS: [(&str, &str); 2] = [
    ("authorization", "Bearer 8A:Cust12345.secret+secret/secret="),
    ("x-superoffice-email", "<astrid@nordlys.example>"),
];

#[tokio::test]
async fn the_page_says_who_is_calling_and_hides_secrets() {
    let (app, page) = ask("/orders/7?tab=2", "text/html,application/json;q=0.5").await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.body.contains("GET /orders/7?tab=2"));
    assert!(page.body.contains("&#60;astrid@nordlys.example&#62;"), "escaped: {}", page.body);
    assert!(!page.body.contains("secret+secret"));
    assert!(page.body.contains("href=\"/auth/sign_out\""));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("connect-src 'self'"), "or the page could not fetch: {policy}");
    app.stop().await;
}

#[tokio::test]
async fn json_comes_when_asked_for_and_has_everything() {
    for (path, accept) in
        [("/a.json", "*/*"), ("/a?format=json", "text/html"), ("/a", "application/json")]
    {
        let (_, page) = ask(path, accept).await;
        let body = page.json();
        assert_eq!(body["target"], path);
        assert_eq!(body["caller"]["authorization"], HEADERS[0].1);
    }
}

#[tokio::test]
async fn requests_are_recorded_byte_for_byte() {
    let app = DemoApp::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = format!("{}/%61//b?q=%20", app.url());
    Browser::new().send(Method::PUT, &url, &HEADERS, "body".into()).await;
    let recorded = &app.requests()[0];
    assert_eq!((recorded.method.as_str(), recorded.target.as_str()), ("PUT", "/%61//b?q=%20"));
    assert_eq!(&recorded.body[..], b"body");
    assert_eq!(recorded.headers["x-superoffice-email"], HEADERS[1].1);
}

async fn ask(path: &str, accept: &str) -> (DemoApp, Page) {
    let app = DemoApp::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let mut headers = HEADERS.to_vec();
    headers.push(("accept", accept));
    let url = format!("{}{path}", app.url());
    let page = Browser::new().send(Method::GET, &url, &headers, String::new()).await;
    (app, page)
}
