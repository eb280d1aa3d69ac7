//! Which addresses are our own, and where somebody may be led after signing in.

use crate::web::ReturnTo;

use super::site::HostSite;

/// What of our prefix, or of oauth2-proxy's, a path names.
pub(super) fn own_name<'p>(host: &HostSite, path: &'p str) -> Option<&'p str> {
    if let Some(rest) = path.strip_prefix(host.host.prefix.as_str()) {
        if let Some(name) = rest.strip_prefix('/') {
            return Some(name);
        }
        if rest.is_empty() {
            return Some("");
        }
    }
    match path {
        "/oauth2/start" | "/oauth2/sign_in" if host.host.oauth2_proxy_paths => Some("start"),
        "/oauth2/sign_out" if host.host.oauth2_proxy_paths => Some("sign_out"),
        "/oauth2/userinfo" if host.host.oauth2_proxy_paths => Some("userinfo"),
        _ => None,
    }
}

/// Whether an address is one of our own, under whatever name.
pub(super) fn is_ours(host: &HostSite, target: &str) -> bool {
    let path = target.split('?').next().unwrap_or(target);
    own_name(host, path).is_some()
        || host.host.notice_path.as_deref() == Some(path)
        || host.host.is_answered_at(path)
}

/// Where `rd` leads: on this host, and to none of our own pages.
pub(super) fn target(host: &HostSite, rd: Option<&str>) -> ReturnTo {
    rd.and_then(|rd| ReturnTo::parse(rd, &host.host.origin, &host.host.prefix))
        .filter(|target| !is_ours(host, target.path()))
        .unwrap_or_else(ReturnTo::root)
}
