//! Two pages around a sign-in that keep what it would lose: the fragment of an address, which no
//! server sees, and a form that was sent.
//!
//! Each goes on by itself by a script of ours, and by a link or a button without.

use askama::Template;
use askama::filters::HtmlSafe;
use http::StatusCode;

use super::layout::{Footing, Page, Sheet, own_path};

/// Sends on to `footing.again`, whose last parameter is the address to come back to, with the
/// fragment of the address the browser is at. It goes with [`keep_fragment_policy`].
pub fn keep_fragment(footing: &Footing<'_>) -> Page {
    let href = footing.again.and_then(own_path).unwrap_or("/");
    let body = Fragment { href, script: FRAGMENT };
    Sheet { status: StatusCode::OK, title: "Signing you in", body, again: "Sign in" }.page(footing)
}

/// Sends once more what was kept, to a path of this host. It goes with [`resend_policy`].
pub fn resend(target: &str, footing: &Footing<'_>) -> Page {
    let target = own_path(target).unwrap_or("/");
    let (name, value) = RESEND_FIELD;
    let body = Resend { target, name, value, script: RESEND };
    Sheet { status: StatusCode::OK, title: "You are signed in", body, again: "" }.page(footing)
}

/// What [`resend`] makes browsers send, whole.
pub fn resend_body() -> String {
    let (name, value) = RESEND_FIELD;
    format!("{name}={value}\r\n")
}

/// The `Content-Security-Policy` of [`keep_fragment`]: its one script beside what all pages have.
pub fn keep_fragment_policy() -> &'static str {
    concat!(
        "default-src 'none'; ",
        "style-src 'sha256-I9sz2pJtGMgFeihEeTcTUTCa376tMfexnd5kMn5+oUc='; ",
        "script-src 'sha256-hpBa4zwyKxtYyENXFM61NWddJmovN661TcORsgwmn8c='; ",
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// The `Content-Security-Policy` of [`resend`].
pub fn resend_policy() -> &'static str {
    concat!(
        "default-src 'none'; ",
        "style-src 'sha256-I9sz2pJtGMgFeihEeTcTUTCa376tMfexnd5kMn5+oUc='; ",
        "script-src 'sha256-ePniVEkSivX/c7XWBGafqh8tSpiRrKiqYeqbG7N1TOE='; ",
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<noscript><meta http-equiv="refresh" content="0; url={{ href }}"></noscript>
<p>This takes a moment.</p>
<p id="on" hidden><a href="{{ href }}">Go on</a></p>
<script>{{ script|safe }}</script>"#
)]
struct Fragment<'a> {
    href: &'a str,
    script: &'a str,
}

impl HtmlSafe for Fragment<'_> {}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<p>What you were sending was kept while you signed in. It is sent now, once.</p>
<form method="post" action="{{ target }}" enctype="text/plain">
<input type="hidden" name="{{ name }}" value="{{ value }}">
<p class="deeds"><button class="deed">Send it</button></p>
</form>
<script>{{ script|safe }}</script>"#
)]
struct Resend<'a> {
    target: &'a str,
    name: &'a str,
    value: &'a str,
    script: &'a str,
}

impl HtmlSafe for Resend<'_> {}

/// A fragment that does not fit is left out by whoever reads the address.
const FRAGMENT: &str = "var on=document.querySelector('#on a');\
    location.replace(on.href+encodeURIComponent(location.hash))";
const RESEND: &str = "document.forms[0].submit()";
/// The one field of the form.
const RESEND_FIELD: (&str, &str) = ("superid-gateway", "send-what-was-kept");

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::pages::content_security_policy;

    const FOOTING: Footing<'_> =
        Footing { request_id: "r-7", again: Some("/auth/start?rd=%2Fa"), home: "/" };

    #[test]
    fn each_policy_names_the_one_script_that_is_sent_and_loosens_nothing_else() {
        let pages = [
            (keep_fragment(&FOOTING), keep_fragment_policy()),
            (resend("/a", &FOOTING), resend_policy()),
        ];
        for (page, policy) in pages {
            let script = page.html.split_once("<script>").unwrap().1.split_once("</script>");
            let hash = digest::digest(&digest::SHA256, script.unwrap().0.as_bytes());
            let named = format!("script-src 'sha256-{}'; ", STANDARD.encode(hash));
            assert!(policy.contains(&named), "it should say {named}");
            assert_eq!(policy.replace(&named, ""), content_security_policy());
            assert_eq!(page.html.matches("<script").count(), 1);
        }
    }

    #[test]
    fn addresses_are_escaped_and_stay_on_this_host() {
        let page = resend("/a?x=\"><script>&b=1", &FOOTING);
        assert!(page.html.contains("action=\"/a?x=&#34;&#62;&#60;script&#62;&#38;b=1\""));
        assert!(resend("//evil.example", &FOOTING).html.contains("action=\"/\""));
        let evil = Footing { again: Some("//evil.example"), ..FOOTING };
        assert!(!keep_fragment(&evil).html.contains("evil"));
        assert_eq!(resend_body(), "superid-gateway=send-what-was-kept\r\n");
    }
}
