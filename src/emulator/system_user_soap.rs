//! The exchange by SOAP 1.1: `/login/services/PartnerSystemUserService.svc`, and its contract.

use http::StatusCode;

use super::answer::Answer;
use super::call::Call;
use super::soap::{CONTENT_TYPE, ENVELOPE, Message, fault};
use super::system_user::{Asked, Outcome, exchange};
use super::world::World;
use super::xml::{Element, escaped};

/// Of everything in this service (`superid.md` §5).
const NAMESPACE: &str = "http://www.superoffice.com/superid/partnersystemuser/0.1";
const ACTION: &str = "http://www.superoffice.com/superid/partnersystemuser/0.1\
                      /IPartnerSystemUserService/Authenticate";

/// `?wsdl` gives the contract, and anything else a word where to find it.
pub(super) fn contract(world: &World, call: &Call) -> Answer {
    let address = format!("{}/login/services/PartnerSystemUserService.svc", world.base);
    match call.query.iter().any(|(name, _)| name.eq_ignore_ascii_case("wsdl")) {
        true => {
            let text = include_str!("templates/partner_system_user.wsdl.xml");
            Answer::new(StatusCode::OK, CONTENT_TYPE, text.replace("{address}", &address))
        }
        false => Answer::text(StatusCode::OK, &format!("The contract is at {address}?wsdl\n")),
    }
}

pub(super) fn answer(world: &World, call: &Call) -> Answer {
    let action = call.header("soapaction").unwrap_or_default().trim_matches('"');
    if action != ACTION {
        return fault("a:ActionNotSupported", "The action is not one of this service's.");
    }
    match read(&call.body) {
        Ok(asked) => told(exchange(world, &asked)),
        Err(why) => fault("a:DeserializationFailed", why),
    }
}

fn read(body: &[u8]) -> Result<Asked, &'static str> {
    let Message { header, body } = Message::read(body)?;
    let request = body.child_in(NAMESPACE, "AuthenticationRequest").ok_or("no request")?;
    Ok(Asked {
        signed_system_token: value(request, "SignedSystemToken"),
        application_token: value(&header, "ApplicationToken"),
        context_identifier: value(&header, "ContextIdentifier"),
        return_token_type: value(request, "ReturnTokenType"),
    })
}

/// A member's text; one that is left out is empty.
fn value(parent: &Element, name: &str) -> String {
    parent.child_in(NAMESPACE, name).map(|member| member.text.clone()).unwrap_or_default()
}

fn told(outcome: Outcome) -> Answer {
    let (success, token, message) = match &outcome.result {
        Ok(token) => ("true", member("Token", token.as_deref()), member("ErrorMessage", None)),
        Err(why) => ("false", member("Token", None), member("ErrorMessage", Some(why))),
    };
    let body = format!(
        "<s:Envelope xmlns:s=\"{ENVELOPE}\"><s:Body>\
         <AuthenticationResponse xmlns=\"{NAMESPACE}\" \
         xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\">\
         <IsSuccessful>{success}</IsSuccessful>{token}{message}\
         </AuthenticationResponse></s:Body></s:Envelope>"
    );
    outcome.noted(Answer::new(StatusCode::OK, CONTENT_TYPE, body).not_stored())
}

fn member(name: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => format!("<{name}>{}</{name}>", escaped(value)),
        None => format!("<{name} i:nil=\"true\"/>"),
    }
}
