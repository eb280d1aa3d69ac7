//! Where a tenant's answer leads: to its own web services by our paths, anywhere else as it says.

use url::Url;

/// A call, as far as `Location` is about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whence<'a> {
    /// What was asked for, at the tenant.
    pub asked: &'a Url,
    /// The tenant's web services, by what ours are called.
    pub services: [(&'a str, &'a Url); 2],
    /// What stands before a service's name in our own paths to it.
    pub prefix: &'a str,
}

impl Whence<'_> {
    /// What `Location` says from here; `None` where that is what it says already. It is read as a
    /// browser reads it, from the tenant's address (RFC 9110 §10.2.2): what names no host is the
    /// tenant's, not ours.
    pub fn leads(&self, location: &str) -> Option<String> {
        let url = self.asked.join(location).ok()?;
        let ours = self.services.iter().find_map(|(name, base)| {
            let rest = below(base, &url)?;
            Some(format!("{}/{name}{rest}{}", self.prefix, tail(&url)))
        });
        // Of what does not lead to us, only what was left out is added: it would be taken for ours.
        let is_whole = Url::parse(location).is_ok_and(|whole| whole == url);
        ours.or_else(|| (!is_whole).then(|| url.into()))
    }
}

/// What of a path follows a web service's. SuperOffice's servers tell no case apart.
fn below<'u>(base: &Url, url: &'u Url) -> Option<&'u str> {
    let named = !url.username().is_empty() || url.password().is_some();
    if named || url.origin() != base.origin() {
        return None;
    }
    let path = base.path().trim_end_matches('/');
    let (head, rest) = url.path().split_at_checked(path.len())?;
    let one_step = rest.is_empty() || (rest.starts_with('/') && !rest.starts_with("//"));
    (head.eq_ignore_ascii_case(path) && one_step).then_some(rest)
}

/// Query and fragment, with the signs before them.
fn tail(url: &Url) -> &str {
    &url[url::Position::AfterPath..]
}

#[cfg(test)]
mod tests {
    use super::*;

    const API: &str = "https://online3.superoffice.com/Cust12345/api/";
    const SOAP: &str = "https://online3.superoffice.com/Cust12345/Remote/";

    fn led(prefix: &str, location: &str) -> Option<String> {
        let [asked, api, soap] = [&format!("{API}v1/Contact?x=1"), API, SOAP].map(url);
        let services = [("api", &api), ("Remote", &soap)];
        Whence { asked: &asked, services, prefix }.leads(location)
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn the_tenants_own_web_services_are_led_to_by_our_paths_however_they_are_named() {
        for (location, expected) in [
            ("https://online3.superoffice.com/Cust12345/api/v1/Contact/7", "/api/v1/Contact/7"),
            ("HTTPS://Online3.SuperOffice.com:443/cust12345/API/v1/A", "/api/v1/A"),
            ("https://online3.superoffice.com/Cust12345/api", "/api"),
            ("https://online3.superoffice.com/Cust12345/api?a=/b#c", "/api?a=/b#c"),
            ("https://online3.superoffice.com/CUST12345/remote/S/C.svc", "/Remote/S/C.svc"),
            ("//online3.superoffice.com/Cust12345/api/v1/A?b", "/api/v1/A?b"),
            ("/cust12345/api/v1/Contact/7", "/api/v1/Contact/7"),
            ("Contact/7", "/api/v1/Contact/7"),
            ("../v2/Contact/7", "/api/v2/Contact/7"),
            ("?page=2", "/api/v1/Contact?page=2"),
            ("#end", "/api/v1/Contact?x=1#end"),
            ("", "/api/v1/Contact?x=1"),
        ] {
            for prefix in ["/Cust12345", "/crm", ""] {
                let ours = format!("{prefix}{expected}");
                assert_eq!(led(prefix, location).as_deref(), Some(&*ours), "{location}");
            }
        }
    }

    #[test]
    fn what_names_another_place_is_left_as_it_is() {
        for location in [
            "https://online3.superoffice.com/Cust99999/api/v1/Contact/7",
            "https://online3.superoffice.com/Cust123456/api/v1/Contact/7",
            "https://online3.superoffice.com/Cust12345/apis/v1",
            "https://online3.superoffice.com/Cust12345/api/../../Cust99999/api/v1",
            "https://online3.superoffice.com/Cust12345/api/%2e%2e/login",
            "https://online3.superoffice.com/Cust12345/api//evil.example/x",
            "https://online3.superoffice.com/Cust12345/default.aspx",
            "https://online3.superoffice.com:8443/Cust12345/api/v1",
            "https://me@online3.superoffice.com/Cust12345/api/v1",
            "https://:secret@online3.superoffice.com/Cust12345/api/v1",
            "https://online3.superoffice.com.evil.example/Cust12345/api/v1",
            "https://evil.example/Cust12345/api/v1",
            "http://online3.superoffice.com/Cust12345/api/v1",
            "mailto:somebody@example.com",
            "https://[",
        ] {
            assert_eq!(led("/Cust12345", location), None, "{location}");
        }
    }

    #[test]
    fn what_names_no_host_but_none_of_the_web_services_is_the_tenants_not_ours() {
        for (location, whole) in [
            ("/Cust99999/api/v1", "https://online3.superoffice.com/Cust99999/api/v1"),
            ("/login?x", "https://online3.superoffice.com/login?x"),
            ("../../../Cust99999/api/v1", "https://online3.superoffice.com/Cust99999/api/v1"),
            ("..\\..\\..\\login", "https://online3.superoffice.com/login"),
            ("https:/login", "https://online3.superoffice.com/login"),
            ("//evil.example/Cust12345/api/v1", "https://evil.example/Cust12345/api/v1"),
            ("\\\\evil.example\\x", "https://evil.example/x"),
            (
                "//me@online3.superoffice.com/Cust12345/api/",
                "https://me@online3.superoffice.com/Cust12345/api/",
            ),
        ] {
            assert_eq!(led("/Cust12345", location).as_deref(), Some(whole), "{location}");
        }
    }
}
