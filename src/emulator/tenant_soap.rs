//! A tenant's SOAP services below `/{ctx}/Remote/` (`superid.md` §6).

use http::{Method, StatusCode};

use super::answer::Answer;
use super::call::Call;
use super::credentials::{Presented, Refused};
use super::soap::{CONTENT_TYPE, ENVELOPE, Message, fault};
use super::tenancy::Tenancy;
use super::violations::Offence;
use super::world::World;
use super::xml::{Element, escaped};

/// Where the services' elements live, up to the version of the path (`Services88`).
const NAMESPACE: &str = "http://www.superoffice.net/ws/crm/NetServer/";

/// A call of any service: its header must have `ApplicationToken` and `Credentials/Ticket`.
///
/// Without good ones the answer is HTTP 200 with `Succeeded` false and an `ExceptionInfo`: the
/// response headers are published, the status is inferred from them. A credential of somebody
/// else's has 401 and is a violation, in the envelope as in HTTP's own headers.
pub(super) fn answer(world: &World, tenancy: &Tenancy, host: usize, call: &Call) -> Answer {
    if call.method != Method::POST {
        return Answer::text(StatusCode::OK, "A SOAP service; post to it.\n");
    }
    let message = match Message::read(&call.body) {
        Ok(message) => message,
        Err(why) => return fault("a:DeserializationFailed", why),
    };
    let Some(request) = message.body.children.first() else {
        return fault("a:DeserializationFailed", "an empty body");
    };
    let outside = Presented::in_headers(call);
    let inside = in_envelope(&message.header, &request.namespace);
    let ctx = &tenancy.tenant.ctx;
    match checked(world, ctx, outside, &inside) {
        Ok(client_id) => {
            tenancy.count_call();
            let version = version(&call.path);
            reply(&version, &request.name, tenancy, None).for_client(&client_id)
        }
        Err(Refused::Credential(why)) => {
            reply(&version(&call.path), &request.name, tenancy, Some(why)).refused(why)
        }
        Err(Refused::Violation(offence, of)) => {
            world.violated(offence, host, &call.path, of);
            Answer::text(StatusCode::UNAUTHORIZED, "").refused("violation")
        }
    }
}

/// `ApplicationToken` and `Credentials/Ticket` in the namespace of the request.
fn in_envelope(header: &Element, namespace: &str) -> (Option<String>, Option<String>) {
    let text = |element: Option<&Element>| element.map(|element| element.text.trim().to_owned());
    let credentials = header.child_in(namespace, "Credentials");
    let ticket = credentials.and_then(|credentials| credentials.child("Ticket"));
    (text(header.child_in(namespace, "ApplicationToken")), text(ticket))
}

/// The client id behind the envelope's credentials.
fn checked(
    world: &World,
    ctx: &str,
    outside: Presented<'_>,
    (app_token, ticket): &(Option<String>, Option<String>),
) -> Result<String, Refused> {
    // What stands beside the envelope is no credential here, but it may be one at a wrong place.
    if (outside.bearer.is_some() || outside.ticket.is_some())
        && let Err(violation @ Refused::Violation(..)) = outside.check(world, ctx)
    {
        return Err(violation);
    }
    let app_token = app_token.as_deref().filter(|token| !token.is_empty());
    let inside = Presented { bearer: None, ticket: ticket.as_deref(), app_token };
    if outside.bearer.is_some() && app_token.is_some() {
        return Err(Refused::Violation(Offence::AppTokenBesideBearer, outside.names()));
    }
    match (inside.app_token, inside.ticket) {
        (None, _) => Err(Refused::Credential("no ApplicationToken")),
        (_, None) => Err(Refused::Credential("no Credentials/Ticket")),
        _ => inside.check(world, ctx).map(|pass| pass.client_id.clone()),
    }
}

/// `Services88` of `/Cust12345/Remote/Services88/Contact.svc`.
fn version(path: &str) -> String {
    let version = path.split('/').filter(|part| !part.is_empty()).nth(2);
    let named = version.filter(|part| part.to_ascii_lowercase().starts_with("services"));
    named.unwrap_or("Services88").to_owned()
}

fn reply(version: &str, method: &str, tenancy: &Tenancy, failed: Option<&str>) -> Answer {
    let (company, ctx) = (escaped(&tenancy.tenant.company), &tenancy.tenant.ctx);
    let (method, version) = (escaped(method), escaped(version));
    let (info, succeeded, response) = match failed {
        None => (
            "<h:ExceptionInfo i:nil=\"true\"/>".to_owned(),
            "true",
            format!("<Response><Name>{company}</Name><Context>{ctx}</Context></Response>"),
        ),
        Some(why) => (
            format!(
                "<h:ExceptionInfo><h:Message>{why}</h:Message><h:FriendlyText>Not authenticated\
                 </h:FriendlyText><h:ExceptionType>SuperOffice.Exceptions.SoSessionException\
                 </h:ExceptionType></h:ExceptionInfo>"
            ),
            "false",
            "<Response i:nil=\"true\"/>".to_owned(),
        ),
    };
    let namespace = format!("{NAMESPACE}{version}");
    let body = format!(
        "<s:Envelope xmlns:s=\"{ENVELOPE}\" xmlns:h=\"{namespace}\" \
         xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"><s:Header>{info}\
         <h:ExtraInfo i:nil=\"true\"/><h:Succeeded>{succeeded}</h:Succeeded>\
         <h:TimeZone i:nil=\"true\"/></s:Header><s:Body>\
         <{method}Response xmlns=\"{namespace}\">{response}</{method}Response>\
         </s:Body></s:Envelope>"
    );
    Answer::new(StatusCode::OK, CONTENT_TYPE, body)
}
