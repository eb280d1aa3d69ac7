//! A small web app that knows nothing about sign-in and shows what reaches it.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Request, Response, StatusCode, header};
use hyper::body::Incoming;

use super::answer::{Answer, Body};
use super::app_page;
use super::call::read_body;
use super::listener::{self, Handler, Hangup, Running};
use super::recorded::Recorded;

/// A running demo app: any path answers, with a page or with JSON.
pub struct DemoApp {
    address: SocketAddr,
    url: String,
    notes: Arc<Notes>,
    running: Running,
}

impl DemoApp {
    pub async fn start(listen: SocketAddr) -> io::Result<Self> {
        let (listener, address) = listener::bind(listen).await?;
        let notes = Arc::new(Notes::default());
        let running = Running::start(listener, notes.clone());
        Ok(Self { address, url: format!("http://{address}"), notes, running })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The latest requests, oldest first; a thousand at most.
    pub fn requests(&self) -> Vec<Recorded> {
        self.notes.held().iter().cloned().collect()
    }

    /// Lets requests under way end, for two seconds at most.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}

const MOST_REQUESTS: usize = 1_000;

#[derive(Default)]
struct Notes {
    requests: Mutex<VecDeque<Recorded>>,
}

impl Notes {
    fn add(&self, request: Recorded) {
        let mut requests = self.held();
        if requests.len() >= MOST_REQUESTS {
            requests.pop_front();
        }
        requests.push_back(request);
    }

    fn held(&self) -> MutexGuard<'_, VecDeque<Recorded>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handler for Notes {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Hangup> {
        let (head, body) = request.into_parts();
        let body = match read_body(body).await {
            Ok(body) => body,
            Err(status) => return Ok(Answer::text(status, "").response),
        };
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let method = head.method.to_string();
        let request = Recorded { method, target, headers: head.headers, body };
        self.add(request.clone());
        let answer = match wants_json(&request) {
            true => Answer::json(StatusCode::OK, &app_page::json(&request)),
            false => Answer::page(StatusCode::OK, app_page::html(&request)),
        };
        let answer = answer.with(header::CACHE_CONTROL, "no-store");
        Ok(answer.with(header::VARY, "Accept").response)
    }
}

/// A `.json` path, `format=json`, or JSON named in `Accept` and HTML not before it.
fn wants_json(request: &Recorded) -> bool {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let asked = form_urlencoded::parse(query.as_bytes());
    let mut asked = asked.filter(|(name, _)| name == "format").map(|(_, value)| value);
    if path.ends_with(".json") || asked.any(|value| value == "json") {
        return true;
    }
    let accept = request.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let accept = accept.unwrap_or_default();
    match (accept.find("application/json"), accept.find("text/html")) {
        (Some(json), Some(html)) => json < html,
        (json, _) => json.is_some(),
    }
}
