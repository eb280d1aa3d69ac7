//! What a path asks of which tenant: `/{ctx}/api/…` or `/{ctx}/Remote/…` (`superid.md` §6).

use crate::identity::ContextId;

/// Which of a tenant's web services a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum Service {
    /// REST, under `/api`.
    Rest,
    /// SOAP, under `/Remote`.
    Soap,
}

/// A call's tenant, and what follows the tenant's name, from its slash on: path and query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::gateway) struct Target<'a> {
    pub(in crate::gateway) tenant: ContextId,
    pub(in crate::gateway) below: &'a str,
    pub(in crate::gateway) service: Service,
}

impl<'a> Target<'a> {
    /// Reads a canonical path with its query; SuperOffice's servers tell no case apart.
    pub(in crate::gateway) fn parse(target: &'a str) -> Option<Self> {
        let rest = target.strip_prefix('/')?;
        let slash = rest.bytes().position(|byte| matches!(byte, b'/' | b'?'))?;
        let (tenant, below) = rest.split_at(slash);
        let tenant = ContextId::parse(tenant).ok()?;
        Some(Self { tenant, below, service: Service::of(below)? })
    }
}

impl Service {
    /// The service a path below a tenant's name is of.
    pub(in crate::gateway) fn of(below: &str) -> Option<Self> {
        let rest = below.as_bytes().strip_prefix(b"/")?;
        let first = rest.split(|byte| matches!(byte, b'/' | b'?')).next()?;
        if first.eq_ignore_ascii_case(b"api") {
            return Some(Self::Rest);
        }
        first.eq_ignore_ascii_case(b"remote").then_some(Self::Soap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_tenant_and_one_of_its_services() {
        let rest = Target::parse("/cust12345/api/v1/Contact/1?$select=a/b").unwrap();
        assert_eq!(rest.tenant.as_str(), "Cust12345");
        assert_eq!((rest.below, rest.service), ("/api/v1/Contact/1?$select=a/b", Service::Rest));
        let soap = Target::parse("/Cust1/Remote/Services88/Contact.svc").unwrap();
        assert_eq!(soap.service, Service::Soap);
        for path in
            ["/", "/Cust1", "/Cust1/", "/Cust1?x=/api", "/Cust1/login/api", "/api/Cust1", "/x/api"]
        {
            assert_eq!(Target::parse(path), None, "{path}");
        }
    }
}
