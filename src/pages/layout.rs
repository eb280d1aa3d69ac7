//! The one frame around every page: head, stylesheet, landmarks, links and the request id.

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;
use http::StatusCode;

/// A finished page: the whole HTML document and the status that goes with it.
///
/// Whoever sends it adds [`content_security_policy`], `Cache-Control: no-store` and the type
/// `text/html; charset=utf-8`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// What the reply's first line says.
    pub status: StatusCode,
    /// The document, from its doctype to its end, everything from outside escaped.
    pub html: String,
}

/// What every page stands on: how to name this request, and where its links lead.
///
/// Links are paths on the host that answers. One that does not begin with a single `/` is left out,
/// so that no address of somebody else's becomes a link here.
#[derive(Clone, Copy, Debug)]
pub struct Footing<'a> {
    /// The request id, as the logs have it.
    pub request_id: &'a str,
    /// Where "try again" leads, such as `/auth/start?rd=%2Forders`; none where trying is no help.
    pub again: Option<&'a str>,
    /// The app's start page.
    pub home: &'a str,
}

/// The `Content-Security-Policy` all pages are sent with: our one stylesheet, and nothing else.
pub fn content_security_policy() -> &'static str {
    concat!(
        "default-src 'none'; ",
        "style-src 'sha256-I9sz2pJtGMgFeihEeTcTUTCa376tMfexnd5kMn5+oUc='; ",
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// What a page puts inside the frame: a title, a body, and what its first link is called.
pub(super) struct Sheet<'a, B> {
    pub status: StatusCode,
    pub title: &'a str,
    pub body: B,
    pub again: &'a str,
}

impl<B: fmt::Display + HtmlSafe> Sheet<'_, B> {
    /// Lays the sheet on its footing.
    pub(super) fn page(self, footing: &Footing<'_>) -> Page {
        let layout = Layout {
            style: STYLE,
            title: self.title,
            body: self.body,
            again: footing.again.and_then(own_path).map(|href| Link { href, text: self.again }),
            home: own_path(footing.home),
            request_id: footing.request_id,
        };
        let html = layout.render().expect("writing to a String does not fail");
        Page { status: self.status, html }
    }
}

/// A path on our own host, or nothing: `//host` and `/\host` lead elsewhere in a browser, and so do
/// they with the tabs and line ends in between that browsers drop.
pub(super) fn own_path(href: &str) -> Option<&str> {
    let rest = href.strip_prefix('/')?;
    let elsewhere = rest.starts_with(['/', '\\']) || href.contains(|c: char| c.is_ascii_control());
    (!elsewhere).then_some(href)
}

struct Link<'a> {
    href: &'a str,
    text: &'a str,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>{{ title }}</title>
<style>{{ style|safe }}</style>
</head>
<body>
<main>
<h1>{{ title }}</h1>
{{ body }}
{%- if again.is_some() || home.is_some() %}
<p class="deeds">
{%- if let Some(link) = again %}
<a class="deed" href="{{ link.href }}">{{ link.text }}</a>
{%- endif %}
{%- if let Some(href) = home %}
<a class="also" href="{{ href }}">Go to the start page</a>
{%- endif %}
</p>
{%- endif %}
</main>
<footer>
<p>Reference: <code>{{ request_id }}</code></p>
</footer>
</body>
</html>
"#
)]
struct Layout<'a, B: fmt::Display + HtmlSafe> {
    style: &'a str,
    title: &'a str,
    body: B,
    again: Option<Link<'a>>,
    home: Option<&'a str>,
    request_id: &'a str,
}

/// The one stylesheet, as a policy names it.
pub(super) const STYLE_SOURCE: &str = "'sha256-I9sz2pJtGMgFeihEeTcTUTCa376tMfexnd5kMn5+oUc='";
const STYLE: &str = include_str!("style.css");

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    struct Plain;

    impl fmt::Display for Plain {
        fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("<p>body</p>")
        }
    }

    impl HtmlSafe for Plain {}

    fn page(footing: &Footing<'_>) -> String {
        Sheet { status: StatusCode::OK, title: "Title", body: Plain, again: "Again" }
            .page(footing)
            .html
    }

    #[test]
    fn the_policy_names_the_hash_of_the_stylesheet_that_is_sent() {
        let html = page(&Footing { request_id: "r", again: None, home: "/" });
        let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let hash = STANDARD.encode(digest::digest(&digest::SHA256, style.as_bytes()));
        let policy = content_security_policy();
        assert!(policy.contains(&format!("style-src 'sha256-{hash}'")), "it should say {hash}");
    }

    #[test]
    fn nothing_is_fetched_and_nothing_runs() {
        let html = page(&Footing { request_id: "r", again: Some("/a"), home: "/" });
        for banned in ["<script", "<link", "<img", "@import", "url(", "style=", "://", " on"] {
            assert!(!html.replace(STYLE, "").contains(banned), "{banned}");
            assert!(banned == " on" || !STYLE.contains(banned), "{banned} in the stylesheet");
        }
    }

    #[test]
    fn only_paths_of_our_own_become_links() {
        for href in ["/", "/orders?tab=2", "/auth/start?rd=%2F%2Fevil.example"] {
            assert_eq!(own_path(href), Some(href));
        }
        let elsewhere =
            ["", "a", "javascript:alert(1)", "//evil.example", "/\\evil", "/\t/evil", "https://e"];
        for href in elsewhere {
            let html = page(&Footing { request_id: "r", again: Some(href), home: href });
            assert!(!html.contains("href"), "{href}");
        }
    }

    #[test]
    fn hostile_text_is_escaped() {
        let html = page(&Footing {
            request_id: "<script>alert(1)</script>",
            again: Some("/a?\"><script>"),
            home: "/b?'onclick='",
        });
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains("href=\"/a?&#34;&#62;&#60;script&#62;\""), "{html}");
        assert!(html.contains("href=\"/b?&#39;onclick=&#39;\""), "{html}");
    }
}
