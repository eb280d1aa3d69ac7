//! The page a terminal shows: 80 columns, the most important first.

use std::fmt::Write as _;

use crate::telemetry::overview::{Calling, Going, Listening, Overview};
use crate::telemetry::{Happened, TurnedAway};

use super::numbers::{counted, lasted, listed, megabytes, moment, took};
use super::paint::{Paint, Tone};

/// The page. With what stood some seconds before, it says how many requests a second there are.
pub(super) fn page(now: &Overview, before: Option<&Overview>, paint: Paint) -> String {
    let page = &mut Page { text: String::new(), paint };
    page.head(now);
    page.listeners(now);
    page.routes(now, before);
    page.servers(now);
    page.superid(now);
    page.counts(now);
    page.refusals(now);
    page.changes(now);
    std::mem::take(&mut page.text)
}

struct Page {
    text: String,
    paint: Paint,
}

impl Page {
    fn head(&mut self, now: &Overview) {
        let tone = if now.state == "ready" { Tone::Good } else { Tone::Warning };
        let name = self.paint.tone(Tone::Heading, "superid-gateway");
        let state = self.paint.tone(tone, &now.state);
        let (version, up, process) = (&now.version, lasted(now.up), now.process);
        let time = moment(now.now, now.now);
        self.line(&format!("{name} {version}  {state}  up {up}  process {process}  {time} UTC"));
        let mut parts = Vec::new();
        let machine = &now.machine;
        parts.extend(machine.memory_bytes.map(|bytes| format!("memory {}", megabytes(bytes))));
        parts.extend(machine.cpu_seconds.map(|seconds| format!("cpu {seconds:.1} s")));
        if let (Some(open), Some(most)) = (machine.open_fds, machine.max_fds) {
            parts.push(format!("files {} of {}", counted(open), counted(most)));
        }
        self.line(&parts.join("  "));
        let configuration = &now.configuration;
        let since = moment(configuration.since, now.now);
        self.line(&format!("configuration in force since {since} UTC"));
        if !configuration.latest_taken {
            let text = self.paint.tone(Tone::Bad, "the latest configuration offered was refused");
            self.line(&text);
        }
    }

    fn listeners(&mut self, now: &Overview) {
        self.heading(&format!("{:<22}{:<42}{:<8}{}", "LISTENERS", "address", "serves", "tls"));
        for one in &now.listeners {
            let name = fitted(&one.name, 19);
            let tls = self.certificate(one, now.now);
            self.line(&format!("  {name:<20}{:<42}{:<8}{tls}", one.address, one.serves));
        }
        let open = &now.connections;
        let text =
            format!("  connections: {} open, {} taken", counted(open.open), counted(open.accepted));
        self.text.push_str(&text);
        self.aside(Tone::Warning, "refused", open.refused);
        self.aside(Tone::Faint, "gave their place up", open.yielded);
        self.text.push('\n');
        if open.tls_handshakes > 0 || !open.tls_failures.is_empty() {
            let mut text = format!("  TLS handshakes: {} done", counted(open.tls_handshakes));
            if !open.tls_failures.is_empty() {
                let _infallible = write!(text, "; failed: {}", listed(&open.tls_failures));
            }
            self.line(&text);
        }
    }

    /// How many days a certificate has left.
    fn certificate(&self, one: &Listening, now: u64) -> String {
        match (one.tls, one.certificate_ends) {
            (false, _) => "-".to_owned(),
            (true, None) => "yes".to_owned(),
            (true, Some(ends)) if ends <= now => self.paint.tone(Tone::Bad, "expired"),
            (true, Some(ends)) => {
                let days = (ends - now) / 86_400;
                let text = if days > 9_999 { "yes".to_owned() } else { format!("{days} d") };
                self.paint.tone(if days < 14 { Tone::Warning } else { Tone::Good }, &text)
            }
        }
    }

    fn routes(&mut self, now: &Overview, before: Option<&Overview>) {
        let rate = if before.is_some() { "/s" } else { "" };
        self.heading(&format!(
            "{:<22}{:>9} {rate:>8} {:>7} {:>6} {:>6} {:>8} {:>8}",
            "ROUTES", "requests", "now", "4xx", "5xx", "p50", "p99"
        ));
        for route in &now.routes {
            self.route(route, before.map(|before| rate_of(route, now, before)));
        }
        if now.routes_left_out > 0 {
            self.faint(&format!(
                "  and {} more: see /metrics",
                counted(now.routes_left_out as u64)
            ));
        }
    }

    fn route(&mut self, route: &Going, rate: Option<f64>) {
        let of = |class: &str| route.statuses.get(class).copied().unwrap_or_default();
        let rate = rate.map(|rate| format!("{rate:.1}")).unwrap_or_default();
        let failures = self.paint.tone(tone(of("5xx"), Tone::Bad), &right(&counted(of("5xx")), 6));
        self.line(&format!(
            "  {:<20}{:>9} {rate:>8} {:>7} {:>6} {failures} {:>8} {:>8}",
            fitted(&route.name, 19),
            counted(route.requests),
            counted(route.in_flight),
            counted(of("4xx")),
            took(route.took.p50_ms),
            took(route.took.p99_ms),
        ));
        if route.to.is_empty() {
            return;
        }
        self.faint(&format!("    {}", fitted(&format!("{} to {}", route.from, route.to), 75)));
        let mut troubles = route.upstream.clone();
        let answered = troubles.remove("answered").unwrap_or_default();
        if !troubles.is_empty() {
            let text =
                format!("    upstream: answered {}, {}", counted(answered), listed(&troubles));
            let text = self.paint.tone(Tone::Warning, &text);
            self.line(&text);
        }
    }

    /// The servers of upstreams, and the links to Redis.
    fn servers(&mut self, now: &Overview) {
        if now.servers.is_empty() && now.links.is_empty() {
            return;
        }
        self.heading(&format!("{:<56}{:<8}{}", "SERVERS", "", "now"));
        for one in &now.servers {
            let name = fitted(&format!("{} {}", one.upstream, one.server), 53);
            let state = self.up(one.up);
            let failed = or_nothing(" ", &listed(&one.failures));
            self.line(&format!("  {name:<54}{state}{:<4}{}", one.in_flight, fitted(&failed, 12)));
        }
        for (name, up) in &now.links {
            let state = self.up(*up);
            self.line(&format!("  {:<54}{state}", format!("Redis, {name}")));
        }
    }

    fn up(&self, up: bool) -> String {
        match up {
            true => self.paint.tone(Tone::Good, &format!("{:<8}", "up")),
            false => self.paint.tone(Tone::Bad, &format!("{:<8}", "down")),
        }
    }

    fn superid(&mut self, now: &Overview) {
        if now.superid.is_empty() {
            return;
        }
        self.heading(&format!(
            "{:<22}{:>9} {:>24} {:>13} {:>8}",
            "SUPERID", "calls", "failed", "p50", "p99"
        ));
        for one in &now.superid {
            let failed = failed(one);
            let painted = self.paint.tone(tone(failed, Tone::Bad), &right(&counted(failed), 24));
            self.line(&format!(
                "  {:<20}{:>9} {painted} {:>13} {:>8}",
                one.endpoint,
                counted(one.calls.values().sum()),
                took(one.took.p50_ms),
                took(one.took.p99_ms),
            ));
        }
    }

    fn counts(&mut self, now: &Overview) {
        self.text.push('\n');
        let (sign_ins, sessions, tickets) = (&now.sign_ins, &now.sessions, &now.tickets);
        let failed = or_nothing("; failed: ", &listed(&sign_ins.failed));
        let (begun, signed_in) = (counted(sign_ins.begun), counted(sign_ins.signed_in));
        self.named("SIGN-INS", &format!("{begun} begun, {signed_in} signed in{failed}"));
        let cookies = or_nothing("; cookies refused: ", &listed(&sessions.cookies_refused));
        let [made, renewed, out] =
            [sessions.made, sessions.renewed, sessions.signed_out].map(counted);
        self.named(
            "SESSIONS",
            &format!("{made} made, {renewed} renewed, {out} signed out{cookies}"),
        );
        if !tickets.held.is_empty() || tickets.misses > 0 {
            let (hits, misses) = (counted(tickets.hits), counted(tickets.misses));
            self.named(
                "TICKETS",
                &format!(
                    "{}; {hits} hits, {misses} misses{}",
                    listed(&tickets.held),
                    or_nothing("; exchanges: ", &listed(&tickets.exchanges)),
                ),
            );
        }
        for (name, counts) in [("TENANTS", &now.tenants), ("LIMITS MET", &now.limits)] {
            if !counts.is_empty() {
                self.named(name, &listed(counts));
            }
        }
    }

    fn refusals(&mut self, now: &Overview) {
        if now.refusals.is_empty() {
            return;
        }
        let by_reason = fitted(&listed(&now.refused), 55);
        self.heading(&format!("{:<22}{by_reason}", "REFUSED LATELY"));
        for one in now.refusals.iter().take(MOST_SHOWN) {
            self.refusal(one, now.now);
        }
        let more = now.refusals.len().saturating_sub(MOST_SHOWN);
        if more > 0 {
            self.faint(&format!("  and {more} more with --json"));
        }
    }

    fn refusal(&mut self, one: &TurnedAway, now: u64) {
        let tone = if one.status >= 500 { Tone::Bad } else { Tone::Warning };
        let why = self.paint.tone(tone, &format!("{} {:<24}", one.status, fitted(&one.reason, 23)));
        let of = [one.route.as_deref(), one.tenant.as_deref(), one.request_id.as_deref()];
        let of: Vec<&str> = of.into_iter().flatten().collect();
        self.line(&format!("  {}  {why}{}", moment(one.at, now), fitted(&of.join("  "), 40)));
    }

    fn changes(&mut self, now: &Overview) {
        if now.changes.is_empty() {
            return;
        }
        self.heading("CHANGED LATELY");
        for one in now.changes.iter().take(MOST_SHOWN) {
            self.change(one, now.now);
        }
    }

    fn change(&mut self, one: &Happened, now: u64) {
        let tenant = one.tenant.as_deref().unwrap_or_default();
        let outcome = fitted(&one.outcome, 36);
        let tone = if one.outcome == "refused" { Tone::Bad } else { Tone::Good };
        let outcome = self.paint.tone(tone, &outcome);
        let what = &one.what;
        self.line(&format!("  {}  {what:<18} {tenant:<12} {outcome}", moment(one.at, now)));
    }

    fn named(&mut self, name: &str, text: &str) {
        let name = self.paint.tone(Tone::Heading, &format!("{name:<12}"));
        self.line(&format!("{name}{}", fitted(text, 68)));
    }

    fn heading(&mut self, text: &str) {
        let text = self.paint.tone(Tone::Heading, text.trim_end());
        let _infallible = write!(self.text, "\n{text}\n");
    }

    fn aside(&mut self, tone: Tone, what: &str, count: u64) {
        if count > 0 {
            let text = self.paint.tone(tone, &format!(", {} {what}", counted(count)));
            self.text.push_str(&text);
        }
    }

    fn faint(&mut self, text: &str) {
        let text = self.paint.tone(Tone::Faint, text);
        self.line(&text);
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }
}

/// Requests a second of a route, by what stood before.
fn rate_of(route: &Going, now: &Overview, before: &Overview) -> f64 {
    let old = before.routes.iter().find(|one| one.name == route.name);
    // Of a process that began since, all that it counted is new.
    let same = before.process == now.process;
    let old = old.filter(|_| same).map_or(0, |one| one.requests);
    let seconds = now.now.saturating_sub(before.now).max(1);
    route.requests.saturating_sub(old) as f64 / seconds as f64
}

fn failed(one: &Calling) -> u64 {
    one.calls.iter().filter(|(outcome, _)| *outcome != "2xx").map(|(_, count)| count).sum()
}

fn tone(count: u64, otherwise: Tone) -> Tone {
    if count == 0 { Tone::Faint } else { otherwise }
}

fn or_nothing(before: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{before}{text}") }
}

fn right(text: &str, width: usize) -> String {
    format!("{text:>width$}")
}

/// Cut to a width, with a mark where something is missing; what a terminal would obey is taken out.
fn fitted(text: &str, width: usize) -> String {
    let plain: String = text.chars().filter(|letter| !letter.is_control()).collect();
    if plain.chars().count() <= width {
        return plain;
    }
    plain.chars().take(width - 1).chain(['…']).collect()
}

const MOST_SHOWN: usize = 8;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::telemetry::overview::{Machine, Serving, SignIns, Took};

    fn counts(pairs: &[(&str, u64)]) -> BTreeMap<String, u64> {
        pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    fn overview() -> Overview {
        let machine = Machine {
            cpu_seconds: Some(12.44),
            memory_bytes: Some(32_100_000),
            open_fds: Some(57),
            max_fds: Some(65_536),
        };
        let app = Going {
            name: "a-route-with-a-very-long-name".to_owned(),
            from: "app.example/orders".to_owned(),
            to: "127.0.0.1:3000".to_owned(),
            in_flight: 3,
            requests: 1_234_567,
            statuses: counts(&[("2xx", 1_230_000), ("4xx", 4_000), ("5xx", 567)]),
            took: Took { p50_ms: Some(4.13), p99_ms: Some(2_400.0) },
            upstream: counts(&[("answered", 1_234_000), ("timed_out", 567)]),
            ..Going::default()
        };
        let refusal = TurnedAway {
            at: 1_795_279_990,
            status: 504,
            reason: "upstream_timeout".to_owned(),
            route: Some("orders".to_owned()),
            tenant: Some("Cust12345\u{1b}[2J".to_owned()),
            request_id: Some("381f89c2-00000002".to_owned()),
        };
        Overview {
            version: "0.1.0".to_owned(),
            process: 4242,
            state: "ready".to_owned(),
            now: 1_795_280_000,
            up: 11_520,
            machine,
            listeners: vec![Listening {
                name: "web".to_owned(),
                address: "[2001:db8:1234:5678:9abc:def0:1234:5678]:443".to_owned(),
                serves: "people".to_owned(),
                tls: true,
                certificate_ends: Some(1_795_280_000 + 9 * 86_400),
            }],
            routes: vec![app],
            servers: vec![Serving {
                upstream: "orders".to_owned(),
                server: "https://a-machine.with-a-very-long-name.example:8443".to_owned(),
                failures: counts(&[("answer", 1_234), ("connect", 5_678)]),
                ..Serving::default()
            }],
            superid: vec![Calling {
                endpoint: "system_user_soap".to_owned(),
                calls: counts(&[("2xx", 3), ("unreachable", 1)]),
                took: Took::default(),
            }],
            sign_ins: SignIns { begun: 2, signed_in: 1, failed: counts(&[("too_busy", 1)]) },
            refusals: vec![refusal; 10],
            ..Overview::default()
        }
    }

    #[test]
    fn no_line_is_wider_than_a_terminal_and_none_obeys_a_tenant() {
        let (now, before) = (overview(), overview());
        let text = page(&now, Some(&before), Paint::Plain);
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(text.contains("upstream: answered 1,234,000, timed_out 567"), "{text}");
        assert!(text.contains("and 2 more with --json"), "{text}");
    }

    #[test]
    fn colours_change_no_letter() {
        let coloured = page(&overview(), None, Paint::Coloured);
        let mut letters = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            letters.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        letters.push_str(rest);
        let trimmed: Vec<&str> = letters.lines().map(str::trim_end).collect();
        assert_eq!(trimmed.join("\n") + "\n", page(&overview(), None, Paint::Plain));
    }

    #[test]
    fn a_rate_is_what_came_since() {
        let (mut now, mut before) = (overview(), overview());
        before.now -= 2;
        now.routes[0].requests += 5;
        assert_eq!(rate_of(&now.routes[0], &now, &before), 2.5);
        before.process = 1;
        now.routes[0].requests = 8;
        assert_eq!(rate_of(&now.routes[0], &now, &before), 4.0, "another process");
    }
}
