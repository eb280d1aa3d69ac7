//! The page at the end of a sign-in beside another page: it tells that page, whatever its origin, and closes;
//! and the script that opens it.

use askama::Template;
use askama::filters::HtmlSafe;
use http::StatusCode;

use super::layout::{Footing, Page, STYLE_SOURCE, Sheet};

/// Tells the page that opened it, or has it in a frame, that somebody is signed in: no word of whom, and to a
/// page of `origin` alone. It goes with [`renewed_policy`].
pub fn renewed(origin: &str, footing: &Footing<'_>) -> Page {
    let body = Renewed { origin, script: TELL };
    Sheet { status: StatusCode::OK, title: "You are signed in", body, again: "" }.page(footing)
}

/// The `Content-Security-Policy` it is sent with: our stylesheet, our script, and frames of that origin.
pub fn renewed_policy(origin: &str) -> String {
    format!(
        "default-src 'none'; style-src {STYLE_SOURCE}; script-src {TELL_SOURCE}; \
         form-action 'self'; base-uri 'none'; frame-ancestors {origin}"
    )
}

/// What a page of an app includes to send its requests again after a sign-in beside it.
pub fn renew_script() -> &'static str {
    include_str!("renew.js")
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<p>This window closes by itself. If it stays, close it and go back to the page you came from: it goes on
there.</p>
<script data-origin="{{ origin }}">{{ script|safe }}</script>"#
)]
struct Renewed<'a> {
    origin: &'a str,
    script: &'a str,
}

impl HtmlSafe for Renewed<'_> {}

/// Other tabs of the same origin are told as well. That reaches the page, too, where a provider's pages
/// have cut the window off from it (HTML §7.1.3.1: cross-origin opener policies).
const TELL: &str = r#"
const origin = document.currentScript.dataset.origin;
const word = { type: "superid-gateway", signedIn: true };
const isFrame = window.parent !== window;
const page = isFrame ? window.parent : window.opener;
if (page) page.postMessage(word, origin);
if (origin === location.origin) new BroadcastChannel(word.type).postMessage(word);
if (!isFrame) window.close();
"#;
const TELL_SOURCE: &str = "'sha256-x8K/DFgeSENkpxpM2ga5BdPiebXmxlztRNtlyLfh5iY='";

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::pages::content_security_policy;

    const FOOTING: Footing<'_> = Footing { request_id: "r-7", again: None, home: "/" };

    #[test]
    fn the_policy_names_the_one_script_and_who_may_frame_it_and_loosens_nothing_else() {
        let html = renewed("https://app.example", &FOOTING).html;
        let hash = STANDARD.encode(digest::digest(&digest::SHA256, TELL.as_bytes()));
        let named = format!("script-src 'sha256-{hash}'; ");
        let policy = renewed_policy("https://app.example");
        assert!(policy.contains(&named), "it should say {named}");
        let rest = policy.replace(&named, "").replace("https://app.example", "'none'");
        assert_eq!(rest, content_security_policy());
        assert_eq!(html.matches("<script").count(), 1);
        assert!(html.contains(&format!(">{TELL}</script>")));
        assert!(html.contains("data-origin=\"https://app.example\""));
    }

    #[test]
    fn a_strict_policy_of_an_app_has_nothing_against_the_script() {
        for banned in ["eval(", "Function(", "innerHTML", "style", "setAttribute", "document.write"]
        {
            assert!(!renew_script().contains(banned), "{banned}");
        }
        assert!(renew_script().is_ascii() && renew_script().len() < 10_000);
    }
}
