//! The state API: `GET /api/state/{ctx}`, where a tenant lives and whether it is well.

use std::time::SystemTime;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::answer::Answer;
use super::call::Call;
use super::faults::StateLie;
use super::state::TenantState;
use super::tenancy::Tenancy;
use super::world::World;

/// 200 for every tenant. One that nobody knows has the state `Unknown`, for which the
/// documentation has the words "the customer tenant is unknown"; it publishes no 404.
pub(super) fn answer(world: &World, call: &Call) -> Answer {
    if call.method == Method::POST {
        return Answer::text(StatusCode::METHOD_NOT_ALLOWED, "").refused("method");
    }
    let asked = call.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let body = match world.tenancies.find(asked) {
        None => unknown(asked, world.now()),
        Some(tenancy) => match world.faults.state_lie(asked) {
            None => document(world, tenancy),
            Some(lie) => told(world, tenancy, &lie),
        },
    };
    Answer::json(StatusCode::OK, &body)
}

fn document(world: &World, tenancy: &Tenancy) -> Value {
    let at = tenancy.situation().clone();
    let root = at.state.has_address().then(|| tenancy.root(&world.hosts));
    json!({
        "ContextIdentifier": tenancy.tenant.ctx,
        "Endpoint": root,
        "State": at.state,
        "IsRunning": at.state.is_running(),
        "ValidUntil": seven_digits(world.now() + at.valid_for),
        "Api": root.map(|root| format!("{root}/api")),
    })
}

fn unknown(ctx: &str, now: SystemTime) -> Value {
    json!({
        "ContextIdentifier": ctx,
        "Endpoint": null,
        "State": TenantState::Unknown,
        "IsRunning": false,
        "ValidUntil": seven_digits(now),
        "Api": null,
    })
}

fn told(world: &World, tenancy: &Tenancy, lie: &StateLie) -> Value {
    let mut document = document(world, tenancy);
    let ctx = &tenancy.tenant.ctx;
    let addressed = |document: &mut Value, root: String| {
        document["Api"] = format!("{root}/api").into();
        document["Endpoint"] = root.into();
    };
    match lie {
        StateLie::Elsewhere { origin } => addressed(&mut document, format!("{origin}/{ctx}")),
        StateLie::LowerCase => {
            let root = tenancy.root(&world.hosts);
            let origin = root.strip_suffix(ctx.as_str()).unwrap_or(&root);
            addressed(&mut document, format!("{origin}{}", ctx.to_ascii_lowercase()));
        }
        StateLie::NullEndpoint => {
            document["Endpoint"] = Value::Null;
            document["Api"] = Value::Null;
        }
        StateLie::OtherContext => {
            let other = world.tenancies.other_than(ctx);
            document["ContextIdentifier"] = other.map_or("Cust0", |other| &other.tenant.ctx).into();
        }
        StateLie::OtherTenant => {
            let other = world.tenancies.other_than(ctx);
            other.inspect(|other| addressed(&mut document, other.root(&world.hosts)));
        }
    }
    document
}

/// ISO 8601 in UTC with seven fractional digits, as .NET writes it.
fn seven_digits(time: SystemTime) -> String {
    let time = OffsetDateTime::from(time);
    let (date, ticks) = (time.date(), time.nanosecond() / 100);
    let (hour, minute, second) = time.to_hms();
    format!("{date}T{hour:02}:{minute:02}:{second:02}.{ticks:07}Z")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_time_has_seven_fractional_digits_even_when_they_are_noughts() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_601_891_521_034_296_599);
        assert_eq!(seven_digits(time), "2020-10-05T09:52:01.0342965Z");
        assert_eq!(seven_digits(SystemTime::UNIX_EPOCH), "1970-01-01T00:00:00.0000000Z");
    }
}
