//! Which tenant addresses in claims are believed: they become places we send credentials to.

use url::Url;

use crate::config::AllowedAddresses;
use crate::identity::ContextId;

/// The address, ending in `/`, if the environment's rule allows it and its path begins with the
/// tenant's own name; otherwise nothing (`superid.md` §4).
pub(super) fn believed(
    text: &str,
    context: &ContextId,
    allowed: &AllowedAddresses,
) -> Option<String> {
    if text.len() > LONGEST || !text.bytes().all(is_plain) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    // The scheme's own slashes are the only double ones, and no segment is a dot or two: what
    // the URL parser would rewrite is not what SuperID sends.
    let (_, rest) = text.split_once("://")?;
    if rest.starts_with('/') || rest.contains("//") || rest.contains("/.") {
        return None;
    }
    let tenant = url.path_segments()?.next()?;
    if !tenant.eq_ignore_ascii_case(context.as_str()) || !allows(allowed, &url) {
        return None;
    }
    let slash = if url.path().ends_with('/') { "" } else { "/" };
    Some(format!("{url}{slash}"))
}

fn allows(allowed: &AllowedAddresses, url: &Url) -> bool {
    match allowed {
        AllowedAddresses::Origins(origins) => origins.contains(&url.origin().ascii_serialization()),
        AllowedAddresses::SuperOffice => {
            url.scheme() == "https"
                && url.port().is_none()
                && url.domain().is_some_and(|host| host.ends_with(".superoffice.com"))
        }
    }
}

/// The characters of SuperID's addresses. Without `@ ? # % \` there is no user name, no query,
/// no fragment and nothing two parsers could read in two ways.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b":/.-_[]".contains(&byte)
}

const LONGEST: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn superoffice(text: &str) -> Option<String> {
        let context = ContextId::parse("Cust12345").unwrap();
        believed(text, &context, &AllowedAddresses::SuperOffice)
    }

    #[test]
    fn superoffices_own_addresses_are_believed() {
        for (text, expected) in [
            (
                "https://sod2.superoffice.com/Cust12345/api/",
                "https://sod2.superoffice.com/Cust12345/api/",
            ),
            (
                "https://app.superoffice.com/cust12345/api",
                "https://app.superoffice.com/cust12345/api/",
            ),
            (
                "https://online3.superoffice.com:443/Cust12345/Remote/Services88/",
                "https://online3.superoffice.com/Cust12345/Remote/Services88/",
            ),
        ] {
            assert_eq!(superoffice(text).as_deref(), Some(expected));
        }
    }

    #[test]
    fn addresses_elsewhere_are_not() {
        for text in [
            "",
            "http://sod.superoffice.com/Cust12345/api/",
            "https://superoffice.com/Cust12345/api/",
            "https://evilsuperoffice.com/Cust12345/api/",
            "https://sod.superoffice.com.evil.example/Cust12345/",
            "https://sod.superoffice.com./Cust12345/",
            "https://evil.example/sod.superoffice.com/Cust12345/",
            "https://sod.superoffice.com@evil.example/Cust12345/",
            "https://sod.superoffice.com:8443/Cust12345/",
            "https://sod.superoffice.com/Cust1234/api/",
            "https://sod.superoffice.com/Cust123456/api/",
            "https://sod.superoffice.com/api/Cust12345/",
            "https://sod.superoffice.com//Cust12345/",
            "https://sod.superoffice.com/x/../Cust12345/",
            "https://sod.superoffice.com/Cust12345/../Cust1/",
            "https://sod.superoffice.com/Cust12345/%2e%2e/Cust1/",
            "https://sod.superoffice.com\\Cust12345/",
            "https://sod.superoffice.com/Cust12345/?x=1",
            "https://sod.superoffice.com/Cust12345/#x",
            "https://sod.superoffice.com/Cust12345/ api",
            "https://sod.superoffice.com/Cust12345/\tapi",
            "https:sod.superoffice.com/Cust12345/",
            "https:///sod.superoffice.com/Cust12345/",
            "//sod.superoffice.com/Cust12345/",
            "https://169.254.169.254/Cust12345/",
            "https://ｓod.superoffice.com/Cust12345/",
            "file:///Cust12345/",
        ] {
            assert_eq!(superoffice(text), None, "{text}");
        }
    }

    #[test]
    fn a_custom_environment_lists_its_origins_exactly() {
        let context = ContextId::parse("Cust1").unwrap();
        let allowed = AllowedAddresses::Origins(vec!["http://127.0.0.1:7000".to_owned()]);
        let believes = |text| believed(text, &context, &allowed).is_some();
        assert!(believes("http://127.0.0.1:7000/Cust1/api/"));
        assert!(!believes("http://127.0.0.1:7001/Cust1/api/"));
        assert!(!believes("https://127.0.0.1:7000/Cust1/api/"));
        assert!(!believes("http://127.0.0.1:7000/Cust2/api/"));
        assert!(!believes("https://sod.superoffice.com/Cust1/api/"));
    }

    proptest::proptest! {
        #![proptest_config(crate::superid::repeatable::repeatable(256))]

        #[test]
        fn whatever_is_believed_is_superoffices_and_the_tenants(
            text in "(https?:)?[/\\\\]{0,3}[a-z.@:%0-9\\[\\]-]{0,12}(\\.superoffice\\.com)?[a-z.:@/\\\\?#0-9]{0,8}/(cust12345)?[/.%a-z0-9]{0,12}"
        ) {
            if let Some(address) = superoffice(&text) {
                let url = Url::parse(&address).unwrap();
                let host = url.host_str().unwrap();
                proptest::prop_assert!(host.ends_with(".superoffice.com"), "{address}");
                proptest::prop_assert_eq!(url.scheme(), "https");
                proptest::prop_assert!(url.path().starts_with("/cust12345/"), "{address}");
                proptest::prop_assert_eq!(url.as_str(), address);
            }
        }
    }
}
