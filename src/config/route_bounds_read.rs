//! Reads how much a route takes: three keys of its own, and `[route.NAME.rate]`.

use std::num::NonZeroU32;
use std::time::Duration;

use super::reading::quoted;
use super::section::Section;
use super::value::Value;
use super::{Access, Key, Rate, RouteBounds, Table};

pub(super) const RATE_TABLE: Table = Table {
    header: "route.NAME.rate",
    keys: &[
        Key::optional("per_address", "\"10/s\""),
        Key::optional("per_session", "\"20/s\""),
        Key::optional("burst", "40"),
    ],
};

/// Reads the bounds of a route.
pub(super) fn route_bounds(route: &Section, access: Option<&Access>) -> Option<RouteBounds> {
    let body_bytes = route.read("body_bytes", |value| value.bytes(1 << 10, 64 << 30));
    let max_requests = route.read("max_requests", |value| value.count(1, 1_000_000));
    let websocket_idle_timeout =
        route.read("websocket_idle_timeout", |value| value.duration(10, 86_400));
    let section = route.section("rate", RATE_TABLE.keys);
    let per_address = section.has("per_address").then(|| section.read("per_address", rate));
    let per_session = section.has("per_session").then(|| section.read("per_session", rate));
    let burst = section.has("burst").then(|| section.read("burst", whole));
    if burst.is_some() && per_address.is_none() && per_session.is_none() {
        let instead = "write per_address = \"10/s\", or leave it out";
        section.reading.problem(&section.place("burst"), "means nothing without a rate", instead);
    }
    if per_session.is_some() && access == Some(&Access::Public) {
        let wrong = "means nothing on a public route";
        let instead = "write per_address, or leave it out";
        section.reading.problem(&section.place("per_session"), wrong, instead);
    }
    let burst = settled(burst)?;
    let with_burst = |rate: Rate| Rate { burst: burst.unwrap_or(rate.count), ..rate };
    Some(RouteBounds {
        body_bytes: body_bytes?,
        max_requests: max_requests?,
        websocket_idle_timeout: websocket_idle_timeout?,
        per_address: settled(per_address)?.map(with_burst),
        per_session: settled(per_session)?.map(with_burst),
    })
}

/// `None` when a key is written and wrong.
fn settled<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        Some(Some(value)) => Some(Some(value)),
        Some(None) => None,
        None => Some(None),
    }
}

/// `"10/s"`, `"600/m"`, `"5000/h"`.
pub(super) fn rate(value: &Value) -> Option<Rate> {
    let text = value.text()?;
    let parts = text.split_once('/').and_then(|(count, unit)| {
        let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
        let (_, seconds) = PERIODS.iter().find(|(name, _)| *name == unit)?;
        digits.then(|| (count.parse::<u32>().unwrap_or(u32::MAX), Duration::from_secs(*seconds)))
    });
    let Some((count, period)) = parts else {
        let wrong = format!("{} is not a rate", quoted(text));
        return value
            .refuse(wrong, "write a number and a period: \"10/s\", \"600/m\" or \"5000/h\"");
    };
    match NonZeroU32::new(count).filter(|count| count.get() <= MOST) {
        Some(count) => Some(Rate { count, period, burst: count }),
        None => {
            let wrong = format!("{} is out of bounds", quoted(text));
            value.refuse(wrong, format!("write a number from 1 to {MOST}"))
        }
    }
}

fn whole(value: &Value) -> Option<NonZeroU32> {
    let count = value.count(1, MOST as usize)?;
    u32::try_from(count).ok().and_then(NonZeroU32::new)
}

const MOST: u32 = 1_000_000;
const PERIODS: [(&str, u64); 3] = [("s", 1), ("m", 60), ("h", 3_600)];
