//! What those see who install an app at a company, or take it out again.

use askama::Template;
use askama::filters::HtmlSafe;
use http::StatusCode;

use super::layout::{Footing, Page, Sheet};

/// The company it is about.
#[derive(Clone, Copy, Debug)]
pub struct Company<'a> {
    pub name: Option<&'a str>,
    /// The tenant's name, such as `Cust12345`.
    pub tenant: &'a str,
}

/// What an installation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installation {
    /// Signed in by somebody who may not install it, and nobody has.
    NotAdministrator,
    /// Signed in by an administrator, and there is no token all the same.
    NotStored,
    /// The app calls nobody on its own: the sign-in is all there is to do.
    NothingToStore,
    /// There is a token.
    Stored,
}

/// Says what an installation came to. `footing.again` leads to another sign-in.
pub fn installed(came: Installation, company: Company<'_>, footing: &Footing<'_>) -> Page {
    let (title, happened, next, again) = match came {
        Installation::NotAdministrator => (
            "An administrator has to install this app",
            "You are signed in, but you are not an administrator of SuperOffice there, and the app \
             is not installed yet.",
            "Ask an administrator to open this address, or sign in as one.",
            "Sign in as someone else",
        ),
        Installation::NotStored => (
            "The app is not installed yet",
            "You are signed in and the app is approved, but SuperOffice’s permission for work in \
             the background could not be stored. It may not have been given, or could not be proven \
             good just now.",
            "Try again in a minute. If it happens once more, tell the people who run this app the \
             reference below: their log says why.",
            "Try again",
        ),
        Installation::NothingToStore => (
            "The app is installed",
            "You are signed in, and the app needs nothing else.",
            "Go to the start page and begin.",
            "Sign in again",
        ),
        Installation::Stored => (
            "The app is installed",
            "The app is approved, and SuperOffice’s permission for its work in the background is \
             stored.",
            "There is nothing more to do here. Go to the start page and begin.",
            "Sign in again",
        ),
    };
    let status = match came {
        Installation::NotAdministrator => StatusCode::FORBIDDEN,
        Installation::NotStored => StatusCode::BAD_GATEWAY,
        Installation::NothingToStore | Installation::Stored => StatusCode::OK,
    };
    Sheet { status, title, body: Told { company, happened, next }, again }.page(footing)
}

/// Asks whether the app shall go. The button posts `tenant` to `path`.
pub fn uninstall(path: &str, company: Company<'_>, footing: &Footing<'_>) -> Page {
    let body = Uninstall { company, path };
    Sheet { status: StatusCode::OK, title: "Uninstall this app?", body, again: "" }.page(footing)
}

/// Says that it is gone.
pub fn uninstalled(company: Company<'_>, footing: &Footing<'_>) -> Page {
    let body = Told {
        company,
        happened: "SuperOffice’s permission for the app’s work in the background is deleted here.",
        next: "Withdraw the app’s approval in SuperOffice too: otherwise the permission comes back \
               when an administrator signs in here again.",
    };
    Sheet { status: StatusCode::OK, title: "The app is uninstalled", body, again: "" }.page(footing)
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<p>{% if let Some(name) = company.name %}{{ name }} ({{ company.tenant }}){% else %}{{ company.tenant }}{% endif %}</p>
<p>{{ happened }}</p>
<h2>What you can do</h2>
<p>{{ next }}</p>"#
)]
struct Told<'a> {
    company: Company<'a>,
    happened: &'a str,
    next: &'a str,
}

impl HtmlSafe for Told<'_> {}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<p>{% if let Some(name) = company.name %}{{ name }} ({{ company.tenant }}){% else %}{{ company.tenant }}{% endif %}</p>
<p>The app’s permission to work in the background for this company will be deleted here. What people do in the app while they
are signed in goes on until the app’s approval is withdrawn in SuperOffice.</p>
<form method="post" action="{{ path }}">
<input type="hidden" name="tenant" value="{{ company.tenant }}">
<p class="deeds"><button class="deed">Uninstall</button></p>
</form>"#
)]
struct Uninstall<'a> {
    company: Company<'a>,
    path: &'a str,
}

impl HtmlSafe for Uninstall<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    const FOOTING: Footing<'_> =
        Footing { request_id: "r-7", again: Some("/auth/start?rd=%2Finstall"), home: "/" };
    const HOSTILE: Company<'_> = Company { name: Some("<b>'&\""), tenant: "Cust1" };

    #[test]
    fn every_outcome_has_a_page_of_its_own_that_says_whose_it_is_and_what_next() {
        let mut read = Vec::new();
        for came in [
            Installation::NotAdministrator,
            Installation::NotStored,
            Installation::NothingToStore,
            Installation::Stored,
        ] {
            let page = installed(came, HOSTILE, &FOOTING);
            assert!(page.html.contains("&#60;b&#62;&#39;&#38;&#34; (Cust1)"), "{}", page.html);
            assert!(page.html.contains("What you can do</h2>\n<p>"));
            read.push(page.html);
        }
        read.dedup();
        assert_eq!(read.len(), 4);
    }

    #[test]
    fn uninstalling_is_a_button_and_names_the_tenant() {
        let page = uninstall("/uninstall", Company { name: None, ..HOSTILE }, &FOOTING);
        assert!(page.html.contains("<form method=\"post\" action=\"/uninstall\">"));
        assert!(page.html.contains("name=\"tenant\" value=\"Cust1\""));
        assert!(uninstalled(HOSTILE, &FOOTING).html.contains("&#60;b&#62;"));
    }
}
