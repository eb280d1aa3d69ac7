//! A tenant's REST API: the caller's own account, contacts, and a document that comes back.

use std::time::SystemTime;

use http::{Method, StatusCode, header};
use hyper::body::Incoming;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::answer::Answer;
use super::call::{Call, read_body};
use super::grants::{Holder, Pass};
use super::seed::Rights;
use super::tenancy::Tenancy;
use super::world::World;

/// When every contact was last changed.
const LAST_CHANGED: &str = "Wed, 01 Nov 2023 12:00:00 GMT";

/// One arm for each address below `/{ctx}`. What is sent as a document's content streams back.
pub(super) async fn answer(
    world: &World,
    tenancy: &Tenancy,
    call: &Call,
    below: &str,
    pass: &Pass,
    body: Incoming,
) -> Answer {
    let path = below.to_ascii_lowercase();
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match (call.method.as_str(), &segments[..]) {
        ("GET", ["api", "v1", "user", "currentprincipal"]) => principal(world, tenancy, pass),
        ("GET" | "HEAD", ["api", "v1", "contact"]) => ok(&json!({ "value": contacts(tenancy) })),
        ("GET" | "HEAD", ["api", "v1", "contact", id]) => read_contact(tenancy, call, id),
        ("POST", ["api", "v1", "contact"]) => keep_contact(tenancy, "4711", body).await,
        ("PUT" | "PATCH", ["api", "v1", "contact", id]) => match unchanged_since(call) {
            true => keep_contact(tenancy, id, body).await,
            false => Answer::text(StatusCode::PRECONDITION_FAILED, "").refused("changed since"),
        },
        ("DELETE", ["api", "v1", "contact", _]) => Answer::text(StatusCode::NO_CONTENT, ""),
        ("POST" | "PUT", ["api", "v1", "document", _, "content"]) => sent_back(call, body),
        ("POST", ["api", "v1", "agents", agent, method]) => {
            ok(&json!({ "Agent": agent, "Method": method }))
        }
        _ => Answer::text(StatusCode::NOT_FOUND, "Nothing here.").refused("not found"),
    }
}

fn ok(body: &Value) -> Answer {
    Answer::json(StatusCode::OK, body)
}

fn principal(world: &World, tenancy: &Tenancy, pass: &Pass) -> Answer {
    let ctx = &tenancy.tenant.ctx;
    let Holder::Person(upn) = &pass.holder else {
        let name = world.apps.find(&pass.client_id).map(|app| app.name).unwrap_or_default();
        return ok(&json!({
            "AssociateId": 1,
            "DatabaseContextIdentifier": ctx,
            "EMailAddress": "",
            "FullName": name,
            "RoleName": "System user",
            "UserName": format!("{name} (system user)"),
        }));
    };
    let Some(seat) = world.seat(upn, ctx) else {
        return Answer::text(StatusCode::NOT_FOUND, "The account is gone.").refused("not found");
    };
    let role = match seat.account.rights {
        Rights::Administrator => "Administrator",
        Rights::User => "User level 0",
    };
    ok(&json!({
        "AssociateId": seat.account.associate_id,
        "DatabaseContextIdentifier": ctx,
        "EMailAddress": seat.person.email,
        "FullName": seat.person.name(),
        "RoleName": role,
        "UserName": seat.person.upn,
    }))
}

/// Two contacts, whose names say which tenant they are of.
fn contacts(tenancy: &Tenancy) -> Vec<Value> {
    ["1", "2"].into_iter().map(|id| contact(tenancy, id)).collect()
}

fn contact(tenancy: &Tenancy, id: &str) -> Value {
    let tenant = &tenancy.tenant;
    json!({
        "ContactId": id.parse::<u64>().unwrap_or_default(),
        "Name": format!("{} customer {id}", tenant.company),
        "DatabaseContextIdentifier": tenant.ctx,
    })
}

fn read_contact(tenancy: &Tenancy, call: &Call, id: &str) -> Answer {
    if id.parse::<u64>().is_err() {
        return Answer::text(StatusCode::NOT_FOUND, "Nothing here.").refused("not found");
    }
    let since = call.header("if-modified-since").and_then(read_date);
    let answer = match since.zip(read_date(LAST_CHANGED)) {
        Some((since, changed)) if changed <= since => Answer::text(StatusCode::NOT_MODIFIED, ""),
        _ => ok(&contact(tenancy, id)),
    };
    answer.with(header::LAST_MODIFIED, LAST_CHANGED)
}

/// Says back the contact it was given, with its number; nothing is kept.
async fn keep_contact(tenancy: &Tenancy, id: &str, body: Incoming) -> Answer {
    let bytes = match read_body(body).await {
        Ok(bytes) => bytes,
        Err(status) => return Answer::text(status, "").refused("the body"),
    };
    let mut kept = contact(tenancy, id);
    match serde_json::from_slice::<Value>(&bytes) {
        Ok(Value::Object(members)) => {
            members.into_iter().for_each(|(name, value)| kept[name] = value);
            ok(&kept)
        }
        _ => {
            let body = json!({
                "Error": true,
                "ErrorType": "ArgumentException",
                "Message": "The body is not a contact.",
                "ErrorSource": "SuperID emulator",
            });
            Answer::json(StatusCode::BAD_REQUEST, &body).refused("not understood")
        }
    }
}

fn sent_back(call: &Call, body: Incoming) -> Answer {
    let kind = call.header("content-type").unwrap_or("application/octet-stream");
    Answer::stream(body).with(header::CONTENT_TYPE, kind)
}

/// `If-Unmodified-Since` (RFC 9110 §13.1.4); absent and unreadable dates do not count.
fn unchanged_since(call: &Call) -> bool {
    let since = call.header("if-unmodified-since").and_then(read_date);
    let pair = since.zip(read_date(LAST_CHANGED));
    call.method == Method::GET || pair.is_none_or(|(since, changed)| changed <= since)
}

/// A date as HTTP writes it, `GMT` at its end.
fn read_date(text: &str) -> Option<SystemTime> {
    let zoned = text.strip_suffix("GMT").map(|date| format!("{date}+0000"));
    let date = OffsetDateTime::parse(zoned.as_deref().unwrap_or(text), &Rfc2822).ok()?;
    Some(date.into())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dates_of_http_are_read() {
        let expected = SystemTime::UNIX_EPOCH + Duration::from_secs(1_698_840_000);
        assert_eq!(read_date(LAST_CHANGED), Some(expected));
        assert_eq!(read_date("yesterday"), None);
    }
}
