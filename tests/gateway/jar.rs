//! A browser's cookies, kept by the browser's rules (RFC 6265bis §5.6 to §5.8).

/// What one browser keeps.
#[derive(Clone, Debug, Default)]
pub struct Jar(Vec<Cookie>);

#[derive(Clone, Debug)]
pub struct Cookie {
    pub host: String,
    pub name: String,
    pub value: String,
    pub path: String,
    pub secure: bool,
    pub http_only: bool,
    pub same_site: String,
    /// Seconds since 1970; `None` until the browser is closed.
    pub expires: Option<u64>,
}

/// How a request comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Typed, or from a page of the same site.
    SameSite,
    /// A link or redirect from another site.
    CrossSiteNavigation,
    /// Anything else from another site: a posted form, an image, a fetch.
    CrossSite,
}

impl Jar {
    /// Takes a `Set-Cookie` line, unless a browser would refuse it.
    pub fn keep(&mut self, scheme: &str, host: &str, line: &str, now: u64) {
        let mut parts = line.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let mut cookie = Cookie {
            host: host.to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
            path: "/".to_owned(),
            secure: false,
            http_only: false,
            same_site: String::new(),
            expires: None,
        };
        let mut domain = None;
        for attribute in parts {
            let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            match key.to_ascii_lowercase().as_str() {
                "path" => value.clone_into(&mut cookie.path),
                "secure" => cookie.secure = true,
                "httponly" => cookie.http_only = true,
                "samesite" => value.clone_into(&mut cookie.same_site),
                "max-age" => cookie.expires = Some(now + value.parse::<u64>().unwrap()),
                "domain" => domain = Some(value),
                other => panic!("an attribute the jar does not know: {other}"),
            }
        }
        let pinned = cookie.name.to_ascii_lowercase().starts_with("__host-");
        let refused = (cookie.secure && scheme != "https")
            || (pinned && (!cookie.secure || cookie.path != "/" || domain.is_some()))
            || cookie.name.len() + cookie.value.len() > 4096;
        if refused {
            return;
        }
        self.0.retain(|kept| !(kept.host == host && kept.name == cookie.name));
        if cookie.expires.is_none_or(|end| end > now) {
            self.0.push(cookie);
        }
    }

    /// The `Cookie` header of a request, or nothing.
    pub fn header(&self, url: (&str, &str, &str), way: Way, now: u64) -> Option<String> {
        let (scheme, host, path) = url;
        let fits = |cookie: &&Cookie| {
            let allowed = match cookie.same_site.to_ascii_lowercase().as_str() {
                "none" => true,
                "strict" => way == Way::SameSite,
                _ => way != Way::CrossSite,
            };
            allowed
                && cookie.host == host
                && path.starts_with(&cookie.path)
                && (!cookie.secure || scheme == "https")
                && cookie.expires.is_none_or(|end| end > now)
        };
        let pairs: Vec<String> = self
            .0
            .iter()
            .filter(fits)
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// The cookies whose names begin so.
    pub fn named(&self, start: &str) -> Vec<&Cookie> {
        self.0.iter().filter(|cookie| cookie.name.starts_with(start)).collect()
    }

    /// The values of the cookies whose names begin so.
    pub fn values(&self, start: &str) -> Vec<String> {
        self.named(start).into_iter().map(|cookie| cookie.value.clone()).collect()
    }

    /// The value of a cookie.
    pub fn value(&self, name: &str) -> Option<String> {
        self.0.iter().find(|cookie| cookie.name == name).map(|cookie| cookie.value.clone())
    }

    /// Puts another value into a cookie that is there.
    #[track_caller]
    pub fn change(&mut self, name: &str, value: &str) {
        let cookie = self.0.iter_mut().find(|cookie| cookie.name == name);
        value.clone_into(&mut cookie.expect("a cookie of that name").value);
    }

    pub fn forget(&mut self, name: &str) {
        self.0.retain(|cookie| cookie.name != name);
    }

    pub fn forget_host(&mut self, host: &str) {
        self.0.retain(|cookie| cookie.host != host);
    }
}
