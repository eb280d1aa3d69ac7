//! The system user's way to a ticket: a signed token goes in, a verified ticket comes out
//! (`superid.md` §5).

use http::StatusCode;

use crate::back_channel::Answer;
use crate::clock::Timestamp;
use crate::config::{AllowedAddresses, RelyingParty, SystemUserProtocol};
use crate::crypto::Secret;
use crate::identity::{ContextId, SystemUserToken, Ticket};

use super::addresses::believed;
use super::asked::asked as traced;
use super::claims::{digits, full};
use super::counted::Counted;
use super::exchange::{Exchange, Said};
use super::failure::{ClaimsRefused, Outage};
use super::json::Object;
use super::jwks::KeySet;
use super::jwt::UnverifiedToken;
use super::signed_token::SignedSystemToken;
use super::ticket_refused::TicketRefused;
use super::times::{IssuedAt, Times};
use super::verify::{context, require};
use super::{soap, ticket};

/// A ticket that was verified, and where it may be used.
#[derive(Clone, Debug)]
pub struct BoughtTicket {
    pub ticket: Ticket,
    /// Base of the tenant's REST web services, ending in `/`, when its address is allowed.
    pub web_api_url: Option<String>,
    /// Base of its SOAP web services, likewise.
    pub soap_url: Option<String>,
    /// When SuperID was asked for it: it lives six hours from its last use.
    pub bought: Timestamp,
}

/// Exchanges a system user token for a JWT that nobody has verified.
pub(super) async fn exchange(
    back_channel: &Counted,
    party: &RelyingParty,
    tenant: &ContextId,
    token: &SystemUserToken,
    now: Timestamp,
) -> Result<Secret, TicketRefused> {
    let user = party.system_user.as_ref().ok_or(TicketRefused::NotConfigured)?;
    let environment = party.environment().ok_or(TicketRefused::NotConfigured)?;
    let secret = party.client_secret.as_ref().ok_or(TicketRefused::NotConfigured)?;
    let url = match user.protocol {
        SystemUserProtocol::Rest => environment.system_user_url.as_ref(),
        SystemUserProtocol::Soap => environment.system_user_soap_url.as_ref(),
    };
    let url = url.ok_or(TicketRefused::NotConfigured)?;
    let signed = SignedSystemToken::sign(token, &user.key, now)?;
    let asked = Exchange {
        signed: signed.reveal(),
        application: secret.reveal(),
        context: tenant.as_str(),
    };
    let answer = match user.protocol {
        SystemUserProtocol::Rest => traced(back_channel.post_json(url, asked.json())).await,
        SystemUserProtocol::Soap => {
            traced(back_channel.post_soap(url, soap::envelope(&asked), soap::ACTION)).await
        }
    };
    let answer = answer.map_err(Outage::from)?;
    match read(&answer, user.protocol)? {
        Said::Token(jwt) => Ok(jwt),
        Said::Refused(words) => {
            Err(TicketRefused::of(&words, &[token.reveal(), secret.reveal(), signed.reveal()]))
        }
    }
}

/// What the returned token must say.
pub(super) struct TicketRules<'a> {
    pub(super) addresses: &'a AllowedAddresses,
    /// When SuperID was asked.
    pub(super) asked: Timestamp,
    pub(super) issuer: &'a str,
    pub(super) leeway: u64,
    pub(super) now: Timestamp,
    /// The tenant's serial number, from anywhere but the token itself.
    pub(super) serial: &'a str,
    pub(super) tenant: &'a ContextId,
}

/// Verifies the token, and that its ticket is the tenant's.
pub(super) fn check(
    token: &UnverifiedToken<'_>,
    keys: &KeySet,
    rules: &TicketRules<'_>,
) -> Result<BoughtTicket, ClaimsRefused> {
    let claims = token.claims(keys)?;
    require(claims.text("iss") == Some(rules.issuer), ClaimsRefused::Issuer)?;
    require(context(&claims)? == *rules.tenant, ClaimsRefused::WrongTenant)?;
    let audience = format!("spn:{}", rules.serial);
    let known = !rules.serial.is_empty();
    require(known && claims.text("aud") == Some(&audience), ClaimsRefused::Audience)?;
    let stated = digits(&claims, "serial")?;
    require(stated.is_none_or(|stated| stated == rules.serial), ClaimsRefused::Serial)?;
    let times = Times::read(&claims, IssuedAt::Optional)?;
    times.hold(rules.now, rules.leeway)?;
    times.are_short(rules.now, rules.leeway)?;
    let address = |suffix: &str| {
        claims.text(&full(suffix)).and_then(|url| believed(url, rules.tenant, rules.addresses))
    };
    Ok(BoughtTicket {
        ticket: own_ticket(&claims, rules.tenant)?,
        web_api_url: address("webapi_url"),
        soap_url: address("netserver_url"),
        bought: rules.asked,
    })
}

fn own_ticket(claims: &Object, tenant: &ContextId) -> Result<Ticket, ClaimsRefused> {
    let text = claims.text(&full("ticket")).ok_or(ClaimsRefused::Ticket)?;
    let ticket = Ticket::parse(text).map_err(|_| ClaimsRefused::Ticket)?;
    let opens = ticket::tenant(&ticket).ok_or(ClaimsRefused::Ticket)?;
    require(opens == *tenant, ClaimsRefused::TicketOfAnother).map(|()| ticket)
}

fn read(answer: &Answer, protocol: SystemUserProtocol) -> Result<Said, Outage> {
    if answer.status != StatusCode::OK {
        return Err(Outage::Status(answer.status.as_u16()));
    }
    let said = match protocol {
        SystemUserProtocol::Rest => Said::from_json(&answer.body),
        SystemUserProtocol::Soap => soap::answer(&answer.body),
    };
    match said {
        Some(Said::Token(jwt)) if jwt.reveal().is_empty() => Err(Outage::Unreadable),
        said => said.ok_or(Outage::Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Value, json};

    use super::*;
    use crate::superid::minting::{KEY, OTHER_KEY, TestKey, keys};

    fn ticket(tenant: &str) -> String {
        let text = format!("07f1eddd1de08b1acd6847169a4fb392;2087315043;{tenant}");
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        format!("7T:{}", STANDARD.encode(bytes))
    }

    fn claims() -> Value {
        json!({
            "iss": "SuperOffice AS", "aud": "spn:1501052557", "nbf": 999_940, "exp": 1_000_300,
            full("ctx"): "cust12345", full("serial"): "1501052557",
            full("ticket"): ticket("Cust12345"),
            full("webapi_url"): "https://online3.superoffice.com:443/Cust12345/api",
            full("netserver_url"): "https://evil.example/Cust12345/Remote/Services88/",
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    fn verify(claims: &Value, key: &TestKey) -> Result<BoughtTicket, ClaimsRefused> {
        let tenant = ContextId::parse("Cust12345").unwrap();
        let rules = TicketRules {
            addresses: &AllowedAddresses::SuperOffice,
            asked: Timestamp(999_999),
            issuer: "SuperOffice AS",
            leeway: 60,
            now: Timestamp(1_000_000),
            serial: "1501052557",
            tenant: &tenant,
        };
        check(&UnverifiedToken::parse(&key.token(claims))?, keys(), &rules)
    }

    #[test]
    fn a_good_token_brings_a_ticket_and_the_addresses_that_are_believed() {
        let bought = verify(&claims(), &KEY).unwrap();
        assert_eq!(bought.ticket.reveal(), ticket("Cust12345"));
        let api = "https://online3.superoffice.com/Cust12345/api/";
        assert_eq!(bought.web_api_url.as_deref(), Some(api));
        assert_eq!(bought.soap_url, None);
        assert_eq!(bought.bought, Timestamp(999_999));
        assert!(!format!("{bought:?}").contains("MAA3"), "{bought:?}");
    }

    #[test]
    fn each_wrong_claim_has_its_own_refusal() {
        for (claims, expected) in [
            (with("iss", json!("https://sod.superoffice.com")), ClaimsRefused::Issuer),
            (with("iss", json!(null)), ClaimsRefused::Issuer),
            (with("aud", json!("spn:1")), ClaimsRefused::Audience),
            (with("aud", json!("spn:")), ClaimsRefused::Audience),
            (with("aud", json!(["spn:1501052557"])), ClaimsRefused::Audience),
            (with(&full("serial"), json!("1")), ClaimsRefused::Serial),
            (with(&full("ctx"), json!("Cust1")), ClaimsRefused::WrongTenant),
            (with(&full("ctx"), json!(null)), ClaimsRefused::Context),
            (with("exp", json!(999_940)), ClaimsRefused::Expired),
            (with("exp", json!(null)), ClaimsRefused::TimesMalformed),
            (with("exp", json!(2_000_000)), ClaimsRefused::Lifetime),
            (with("nbf", json!(1_000_061)), ClaimsRefused::NotYetValid),
            (with(&full("ticket"), json!(null)), ClaimsRefused::Ticket),
            (with(&full("ticket"), json!("7T:AAAA")), ClaimsRefused::Ticket),
            (with(&full("ticket"), json!("7T:\n")), ClaimsRefused::Ticket),
            (with(&full("ticket"), json!(ticket("Cust54321"))), ClaimsRefused::TicketOfAnother),
        ] {
            assert_eq!(verify(&claims, &KEY).err(), Some(expected), "{claims}");
        }
        assert_eq!(verify(&claims(), &OTHER_KEY).err(), Some(ClaimsRefused::KeyUnknown));
    }
}
