//! The tenant a request names, where its route says by which parameter: SuperOffice builds a panel's
//! address with the tenant whoever looks at it is in (`superid.md` §8).

use crate::config::Route;
use crate::identity::ContextId;
use crate::pages::Trouble;

use super::respond::Refused;

/// The tenant an address with this query names on a route; `None` where it names none.
///
/// # Errors
/// A page, where the parameter is there twice or says what no tenant is called: the app might take it
/// for another one than the gateway does.
pub(super) fn asked_tenant(route: &Route, query: &str) -> Result<Option<ContextId>, Box<Refused>> {
    let Some(parameter) = &route.tenant_parameter else { return Ok(None) };
    let mut named = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name.eq_ignore_ascii_case(parameter));
    let Some((_, value)) = named.next() else { return Ok(None) };
    if named.next().is_some() {
        let detail = format!("{parameter} is there twice");
        return Err(Box::new(Refused::new(Trouble::BadRequest, detail)));
    }
    tenant_said(&value)
}

/// What a parameter says of a tenant. SuperOffice leaves `<uctx>` as it is where it fills nothing in.
///
/// # Errors
/// A page, where that is no tenant.
pub(super) fn tenant_said(value: &str) -> Result<Option<ContextId>, Box<Refused>> {
    if value.is_empty() || value.eq_ignore_ascii_case("<uctx>") {
        return Ok(None);
    }
    ContextId::parse(value).map(Some).map_err(|_| {
        let detail = "a parameter names no tenant, such as Cust12345";
        Box::new(Refused::new(Trouble::BadRequest, detail))
    })
}
