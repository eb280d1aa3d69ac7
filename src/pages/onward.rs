//! The page between a sign-in and the app, where the session cookie is for our own pages only.

use askama::Template;
use askama::filters::HtmlSafe;
use http::StatusCode;

use super::layout::{Footing, Page, Sheet};

/// Says that the sign-in is done. `footing.again` leads on to the app; whoever sends the page sends
/// the browser there by itself.
pub fn onward(footing: &Footing<'_>) -> Page {
    Sheet { status: StatusCode::OK, title: "You are signed in", body: Onward, again: "Go on" }
        .page(footing)
}

#[derive(Template)]
#[template(ext = "html", source = "<p>The app opens by itself in a moment.</p>")]
struct Onward;

impl HtmlSafe for Onward {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_a_link_for_browsers_that_do_not_go_on_by_themselves() {
        let footing = Footing { request_id: "r-7", again: Some("/orders?a=\"&b"), home: "/" };
        let page = onward(&footing);
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.html.contains("href=\"/orders?a=&#34;&#38;b\">Go on<"), "{}", page.html);
    }
}
