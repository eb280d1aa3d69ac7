//! A browser of few means: keeps cookies, follows nothing by itself.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

pub struct Browser {
    client: Client<HttpConnector, Full<Bytes>>,
    pub cookies: BTreeMap<String, String>,
}

/// A response, read to its end.
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Browser {
    pub fn new() -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, cookies: BTreeMap::new() }
    }

    pub async fn get(&mut self, url: &str) -> Page {
        self.send(Method::GET, url, &[], String::new()).await
    }

    pub async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let kind = ("content-type", "application/x-www-form-urlencoded");
        self.send(Method::POST, url, &[kind], body).await
    }

    pub async fn send(
        &mut self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Page {
        self.try_send(method, url, headers, body).await.expect("an answer")
    }

    /// `None` where the connection ends without an answer.
    pub async fn try_send(
        &mut self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Option<Page> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let pairs: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !pairs.is_empty() {
            request = request.header(header::COOKIE, pairs.join("; "));
        }
        let response = self.client.request(request.body(body.into()).unwrap()).await.ok()?;
        let (head, body) = response.into_parts();
        self.keep(&head.headers);
        let body = body.collect().await.ok()?.to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        Some(Page { status: head.status, headers: head.headers, body })
    }

    fn keep(&mut self, headers: &HeaderMap) {
        for line in headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            match line.contains("Max-Age=0") {
                true => self.cookies.remove(name),
                false => self.cookies.insert(name.into(), value.into()),
            };
        }
    }
}

impl Page {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// The value of the first hidden field of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(&format!("name=\"{name}\" value=\""))?;
        Some(rest.split_once('"')?.0)
    }

    /// Where the link with this text leads.
    pub fn link(&self, text: &str) -> &str {
        let (before, _) = self.body.split_once(&format!("\">{text}</a>")).expect("a link");
        before.rsplit_once("href=\"").expect("an address").1
    }

    /// Where a 302 leads: the address before `?`, and the decoded query in order.
    pub fn redirect(&self) -> (String, Vec<(String, String)>) {
        self.redirect_at('?')
    }

    /// Where a 302 leads: the address before `#`, and the decoded fragment in order.
    pub fn fragment(&self) -> (String, Vec<(String, String)>) {
        self.redirect_at('#')
    }

    /// The address and the decoded fields of a form that posts itself, in order.
    pub fn form(&self) -> (String, Vec<(String, String)>) {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        assert!(self.body.contains("document.forms[0].submit()"), "{}", self.body);
        let (_, rest) = self.body.split_once("method=\"post\" action=\"").expect("a form");
        let (address, rest) = rest.split_once('"').unwrap();
        let fields = rest.split("type=\"hidden\" name=\"").skip(1).map(|field| {
            let (name, rest) = field.split_once("\" value=\"").unwrap();
            (name.to_owned(), unescaped(rest.split_once('"').unwrap().0))
        });
        (address.into(), fields.collect())
    }

    fn redirect_at(&self, joint: char) -> (String, Vec<(String, String)>) {
        assert_eq!(self.status, StatusCode::FOUND, "{}", self.body);
        let (address, query) = self.header("location").split_once(joint).unwrap_or_default();
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        (address.into(), query)
    }
}

fn unescaped(text: &str) -> String {
    let known = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    known.iter().fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}
