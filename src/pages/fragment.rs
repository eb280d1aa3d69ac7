//! The page at a redirect URL whose answer stands behind the `#`, where no server sees it: a script of
//! a few lines posts it to us and takes it out of the address.

use askama::Template;
use askama::filters::HtmlSafe;
use http::StatusCode;

use super::layout::{Footing, Page, STYLE_SOURCE, Sheet};

/// Sends what stands behind the `#` to its own address, as the field `fragment` of a form. It does so
/// before it is loaded whole, so that browsers put what follows in its place in the history (HTML
/// §4.10.22.3), and after the address was cleared.
pub fn fragment(footing: &Footing<'_>) -> Page {
    Sheet { status: StatusCode::OK, title: "Signing you in", body: Fragment, again: "Try again" }
        .page(footing)
}

/// The `Content-Security-Policy` it is sent with: our stylesheet, our script, and forms to ourselves or
/// on to `onward`, the origin a sign-in may have to begin again at.
pub fn fragment_policy(onward: &str) -> String {
    format!(
        "default-src 'none'; style-src {STYLE_SOURCE}; script-src {SCRIPT_SOURCE}; \
         form-action 'self' {onward}; base-uri 'none'; frame-ancestors 'none'"
    )
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<p hidden>The app opens by itself in a moment.</p>
<noscript>
<p>This step of the sign-in needs JavaScript, which is switched off in this browser. Allow it for this
site and sign in again, or ask the people who run this app: they can choose a way that does without.</p>
</noscript>
<script>
document.querySelector("p").hidden = false;
const brought = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
const form = document.createElement("form");
form.method = "post";
form.action = location.pathname;
const field = document.createElement("input");
field.type = "hidden";
field.name = "fragment";
field.value = brought;
form.append(field);
document.body.append(form);
form.submit();
</script>"#
)]
struct Fragment;

impl HtmlSafe for Fragment {}

const SCRIPT_SOURCE: &str = "'sha256-Fki0EzvDxKgroo3TNaF5BIetY/nYCjqd7Yr8v/KnE5o='";

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const FOOTING: Footing<'_> = Footing { request_id: "r-7", again: None, home: "/" };

    #[test]
    fn the_policy_names_the_hash_of_the_one_script_that_is_sent() {
        let html = fragment(&FOOTING).html;
        let script = html.split_once("<script>").unwrap().1.split_once("</script>").unwrap().0;
        let hash = STANDARD.encode(digest::digest(&digest::SHA256, script.as_bytes()));
        let policy = fragment_policy("https://sod.superoffice.com");
        assert!(policy.contains(&format!("script-src 'sha256-{hash}'")), "it should say {hash}");
        assert!(!policy.contains("unsafe") && !policy.contains("connect-src"));
        assert_eq!(html.matches("<script").count(), 1);
    }

    #[test]
    fn nothing_is_fetched_from_anywhere() {
        let html = fragment(&FOOTING).html;
        for banned in ["<link", "<img", "src=", "url(", "://", "fetch", "eval", "innerHTML"] {
            assert!(!html.contains(banned), "{banned}");
        }
        assert!(html.contains("<noscript>") && html.contains("no-referrer"));
    }
}
