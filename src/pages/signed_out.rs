//! What a person sees after signing out.

use askama::Template;
use askama::filters::HtmlSafe;
use http::StatusCode;

use super::layout::{Footing, Page, Sheet};

/// Says that the sign-out is done. `footing.again` leads to a new sign-in.
pub fn signed_out(footing: &Footing<'_>) -> Page {
    Sheet {
        status: StatusCode::OK,
        title: "You are signed out",
        body: SignedOut,
        again: "Sign in again",
    }
    .page(footing)
}

#[derive(Template)]
#[template(
    ext = "html",
    source = "<p>You have left this app on this device.</p>
<p>If others use this device too, close all windows of the browser as well.</p>"
)]
struct SignedOut;

impl HtmlSafe for SignedOut {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_offers_to_sign_in_again() {
        let footing = Footing { request_id: "r-7", again: Some("/auth/start?rd=%2F"), home: "/" };
        let page = signed_out(&footing);
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.html.contains("href=\"/auth/start?rd=%2F\">Sign in again<"));
        assert!(page.html.contains("r-7"));
    }
}
