//! A person's browser: keeps cookies by the rules, and follows redirects when told to.

use superid_gateway::clock::Clock;

use crate::jar::{Jar, Way};
use crate::wire::{Answer, Net};

/// One browser profile. A clone is a browser that began with the same cookies.
#[derive(Clone)]
pub struct Browser {
    pub net: Net,
    pub jar: Jar,
    clock: Clock,
}

impl Browser {
    pub fn new(net: Net, clock: Clock) -> Self {
        Self { net, jar: Jar::default(), clock }
    }

    /// Goes to an address and no further.
    pub async fn visit(&mut self, url: &str) -> Answer {
        self.request("GET", url, Way::SameSite, NAVIGATION, "").await
    }

    /// Goes to an address from a page of another site.
    pub async fn follow_link(&mut self, url: &str) -> Answer {
        self.request("GET", url, Way::CrossSiteNavigation, FOREIGN_NAVIGATION, "").await
    }

    /// Follows a redirect and no further. Once another site had a hand in it, the rest of the way
    /// is cross-site too, as in browsers: whoever began the navigation counts.
    pub async fn step(&mut self, answer: &Answer) -> Answer {
        let location = answer.location();
        if location.starts_with('/') {
            let (scheme, authority, _) = split(&answer.url);
            return self.visit(&format!("{scheme}://{authority}{location}")).await;
        }
        let foreign = answer.foreign || site(location) != site(&answer.url);
        if foreign { self.follow_link(location).await } else { self.visit(location).await }
    }

    /// Goes to an address and on until something is shown.
    pub async fn open(&mut self, url: &str) -> Answer {
        let answer = self.visit(url).await;
        self.arrive(answer).await
    }

    /// Follows redirects until something is shown.
    pub async fn arrive(&mut self, mut answer: Answer) -> Answer {
        for _ in 0..20 {
            if let Some(onward) = answer.header("refresh").strip_prefix("0; url=") {
                answer = self.visit(onward).await;
            } else if matches!(answer.status, 302 | 303) {
                answer = self.step(&answer).await;
            } else {
                return answer;
            }
        }
        panic!("redirected for ever, at last to {}", answer.location());
    }

    /// Posts a form that stands on `page`.
    pub async fn submit(&mut self, page: &str, url: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let (scheme, authority, _) = split(page);
        let same = site(page) == site(url);
        let way = if same { Way::SameSite } else { Way::CrossSite };
        let fetch = if same { NAVIGATION } else { FOREIGN_NAVIGATION };
        let headers = format!(
            "{fetch}Origin: {scheme}://{authority}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n"
        );
        self.request("POST", url, way, &headers, &body).await
    }

    /// Picks a person on SuperID's page and stops at the redirect or form that leads back.
    pub async fn pick(&mut self, page: &Answer, who: &str, tenant: &str) -> Answer {
        let request = page.field("request").unwrap_or_else(|| panic!("a sign-in page: {page:?}"));
        let (scheme, authority, _) = split(&page.url);
        let url = format!("{scheme}://{authority}/login/sign-in");
        let mut fields = vec![("request", request.as_str()), ("person", who)];
        if !tenant.is_empty() {
            fields.push(("tenant", tenant));
        }
        let page_url = page.url.clone();
        self.submit(&page_url, &url, &fields).await
    }

    /// Opens an address, signs in as `who` by whichever flow it is, and ends where that leads.
    pub async fn sign_in(&mut self, url: &str, who: &str) -> Answer {
        let page = self.open(url).await;
        let answer = self.pick(&page, who, "").await;
        let answer = self.post_back(answer).await;
        self.arrive(answer).await
    }

    /// Opens an address, and signs in only where that is asked for.
    pub async fn sign_in_where_asked(&mut self, url: &str, who: &str) -> Answer {
        let answer = self.open(url).await;
        if answer.field("request").is_none() {
            return answer;
        }
        let answer = self.pick(&answer, who, "").await;
        let answer = self.post_back(answer).await;
        self.arrive(answer).await
    }

    /// Signs in as `who` and stops before the callback: its address.
    pub async fn until_callback(&mut self, url: &str, who: &str) -> String {
        let page = self.open(url).await;
        self.pick(&page, who, "").await.location().to_owned()
    }

    /// Sends SuperID's self-posting form, where it answered with one.
    pub async fn post_back(&mut self, answer: Answer) -> Answer {
        let (Some(action), Some(token)) = (answer.action(), answer.field("jwt")) else {
            return answer;
        };
        let page = answer.url.clone();
        self.submit(&page, &action, &[("jwt", &token)]).await
    }

    /// A request of any kind. `headers` are whole lines.
    pub async fn request(
        &mut self,
        method: &str,
        url: &str,
        way: Way,
        headers: &str,
        body: &str,
    ) -> Answer {
        let (scheme, authority, target) = split(url);
        let (host, path) = (host_of(authority), target.split('?').next().unwrap());
        let now = self.clock.now().0;
        let cookies = self.jar.header((scheme, host, path), way, now);
        let cookies = cookies.map(|pairs| format!("Cookie: {pairs}\r\n")).unwrap_or_default();
        let length = body.len();
        let text = format!(
            "{method} {target} HTTP/1.1\r\nHost: {authority}\r\n{cookies}{headers}\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        let mut answer = self.net.ask(authority, text.as_bytes()).await.expect("an answer");
        answer.url = url.to_owned();
        answer.foreign = way != Way::SameSite;
        for line in answer.all("set-cookie") {
            self.jar.keep(scheme, host, line, now);
        }
        answer
    }
}

/// Scheme, authority and target.
pub fn split(url: &str) -> (&str, &str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or_else(|| panic!("an address: {url}"));
    let rest = rest.split('#').next().unwrap();
    match rest.find('/') {
        Some(at) => (scheme, &rest[..at], &rest[at..]),
        None => (scheme, rest, "/"),
    }
}

/// A site, near enough for these tests: scheme and host.
fn site(url: &str) -> (&str, &str) {
    let (scheme, authority, _) = split(url);
    (scheme, host_of(authority))
}

fn host_of(authority: &str) -> &str {
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

/// What browsers say of a navigation.
pub const NAVIGATION: &str = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n\
    Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
const FOREIGN_NAVIGATION: &str = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n\
    Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
