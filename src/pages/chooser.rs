//! The choice between several ways to sign in, where one host has more than one.

use askama::Template;
use askama::filters::HtmlSafe;
use http::StatusCode;

use super::layout::{Footing, Page, Sheet, own_path};

/// One way to sign in.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// What the person reads.
    pub title: &'a str,
    /// A path of ours, such as `/auth/start?rp=crm&rd=%2Forders`; any other address is left out.
    pub href: &'a str,
}

/// Asks which way to sign in, in the order given.
pub fn chooser(choices: &[Choice<'_>], footing: &Footing<'_>) -> Page {
    let choices = choices.iter().filter(|choice| own_path(choice.href).is_some()).collect();
    Sheet {
        status: StatusCode::OK,
        title: "Choose how to sign in",
        body: Chooser { choices },
        again: "Start again",
    }
    .page(footing)
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<p>This app can be reached in more than one way. If you are unsure, ask the
people who run it.</p>
<nav aria-label="Ways to sign in">
<ul class="choices">
{%- for choice in choices %}
<li><a href="{{ choice.href }}">{{ choice.title }}</a></li>
{%- endfor %}
</ul>
</nav>"#
)]
struct Chooser<'a> {
    choices: Vec<&'a Choice<'a>>,
}

impl HtmlSafe for Chooser<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    const FOOTING: Footing<'_> = Footing { request_id: "r-7", again: None, home: "/" };

    #[test]
    fn every_choice_is_a_link_in_the_order_given() {
        let choices = [
            Choice { title: "Sales & support", href: "/auth/start?rp=b&rd=%2F" },
            Choice { title: "Partners", href: "/auth/start?rp=a&rd=%2F" },
        ];
        let html = chooser(&choices, &FOOTING).html;
        let first = html.find("Sales &#38; support").unwrap();
        assert!(first < html.find("Partners").unwrap());
        assert!(html.contains("href=\"/auth/start?rp=b&#38;rd=%2F\""), "{html}");
    }

    #[test]
    fn hostile_titles_and_addresses_do_no_harm() {
        let choices = [
            Choice { title: "<img src=x onerror=alert(1)>", href: "/a" },
            Choice { title: "elsewhere", href: "javascript:alert(1)" },
            Choice { title: "elsewhere", href: "//evil.example/" },
        ];
        let html = chooser(&choices, &FOOTING).html;
        assert!(!html.contains("<img") && !html.contains("elsewhere"), "{html}");
    }
}
