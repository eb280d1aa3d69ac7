//! A program: no cookies, no pages, whatever headers it likes.

use crate::browser::split;
use crate::wire::{Answer, Net};

/// A client that only says what it is told to.
#[derive(Clone)]
pub struct ApiClient(pub Net);

impl ApiClient {
    /// A GET as scripts send it.
    pub async fn get(&self, url: &str) -> Answer {
        self.send("GET", url, "Accept: application/json\r\n").await
    }

    /// A request with these header lines, and Host.
    pub async fn send(&self, method: &str, url: &str, headers: &str) -> Answer {
        let (_, authority, target) = split(url);
        self.raw(
            authority,
            &format!("{method} {target} HTTP/1.1\r\nHost: {authority}\r\n{headers}"),
        )
        .await
        .expect("an answer")
    }

    /// A request head written by hand, without its end; `None` when there is no answer.
    pub async fn raw(&self, authority: &str, head: &str) -> Option<Answer> {
        let text = format!("{head}Connection: close\r\n\r\n");
        self.0.ask(authority, text.as_bytes()).await
    }
}
