//! Who did what, and was it allowed: one line of JSON for each event, apart from the log.

use std::net::SocketAddr;

use crate::config::LineForm;
use crate::identity::Principal;

use super::outlet::{Outlet, Severity};
use super::sink::AUDIT;
use super::spelling::Spelling;

/// Takes events from everywhere; cheap to clone. The default one keeps nothing.
#[derive(Clone, Default)]
pub struct AuditLog(Option<Outlet>);

/// What happened. The names and members of a line are in `docs/audit.md`, and a test holds them there.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Somebody signed in may not use a route.
    AccessRefused {
        who: Who<'a>,
        route: &'a str,
        reason: &'a str,
    },
    /// The process was started, stopped or handed over, a command changed the vault, or somebody used the
    /// admin API.
    AdminAction {
        action: &'a str,
        /// Who called the command, as the system knows them, or the credential of the admin API.
        user: Option<&'a str>,
        detail: Option<&'a str>,
    },
    /// Somebody asked the admin API for what they may not have, or what could not be done.
    AdminRefused {
        action: &'a str,
        /// The credential, where there was a right one.
        user: Option<&'a str>,
        reason: &'a str,
        detail: Option<&'a str>,
    },
    /// A background job, or somebody who says to be one, may not make a call.
    CallRefused {
        listener: &'a str,
        caller: Option<&'a str>,
        reason: &'a str,
    },
    /// Another configuration is in force; the names of its tables that changed.
    ConfigurationChanged {
        changed: &'a [String],
    },
    /// A new configuration did not hold.
    ConfigurationRefused {
        reasons: &'a [String],
    },
    /// A notice was not believed.
    NoticeRefused {
        reason: &'a str,
        detail: &'a str,
    },
    /// A provider refused tokens anew, and the session ended with that.
    RefreshRefused {
        who: Who<'a>,
        relying_party: &'a str,
        detail: &'a str,
    },
    /// The refresh token of a session that was ended is not known to be revoked.
    RefreshTokenNotRevoked {
        who: Who<'a>,
        relying_party: &'a str,
        detail: &'a str,
    },
    /// The refresh token of a session that was ended is revoked where it came from.
    RefreshTokenRevoked {
        who: Who<'a>,
        relying_party: &'a str,
    },
    /// A sign-in ended without a session.
    SignInRefused {
        reason: &'a str,
        detail: &'a str,
    },
    /// A provider told that sessions are over: all of a person, or those that one of its own led to.
    ProviderSignOut {
        provider: &'a str,
        whose: &'a str,
    },
    SignedIn {
        who: Who<'a>,
        relying_party: &'a str,
    },
    SignedOut {
        who: Who<'a>,
        relying_party: &'a str,
    },
    /// SuperOffice told of a tenant; what it said, and what SuperID then answered.
    TenantNotice {
        tenant: &'a str,
        environment: &'a str,
        said: &'a str,
        found: &'a str,
    },
    /// A system user token was thrown away, because somebody uninstalled the app.
    TokenForgotten {
        who: Who<'a>,
        relying_party: &'a str,
    },
    /// A system user token came and was not kept.
    TokenNotStored {
        tenant: &'a str,
        user: &'a str,
        relying_party: &'a str,
        detail: &'a str,
    },
    /// SuperID said that the tenant took its consent back; once for each token and process.
    TokenRevoked {
        tenant: &'a str,
        relying_party: &'a str,
    },
    /// A system user token was put into the vault; `user` is the administrator who consented.
    TokenStored {
        tenant: &'a str,
        user: &'a str,
        relying_party: &'a str,
    },
    /// A system user token brought its first ticket in this process.
    TokenUsed {
        tenant: &'a str,
        relying_party: &'a str,
    },
}

/// Somebody, as SuperID named them.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    /// The SuperID user name, an e-mail address as a rule.
    pub user: &'a str,
    pub associate_id: Option<&'a str>,
    pub tenant: &'a str,
}

/// Where an event happened: in which request, between which addresses.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    pub log: &'a AuditLog,
    pub request_id: &'a str,
    /// The client's address.
    pub client: Option<&'a str>,
    /// Our own, which the connection came to.
    pub server: Option<SocketAddr>,
    /// The public host.
    pub host: Option<&'a str>,
}

impl AuditLog {
    /// Through an outlet.
    pub fn through(outlet: Outlet) -> Self {
        Self(Some(outlet))
    }

    /// Where its lines go, if anywhere.
    pub fn outlet(&self) -> Option<&Outlet> {
        self.0.as_ref()
    }

    /// Takes an event that belongs to no request.
    pub fn record(&self, event: Event<'_>) {
        self.take(event, None);
    }

    fn take(&self, event: Event<'_>, scene: Option<&Scene<'_>>) {
        let Some(outlet) = &self.0 else { return };
        let severity = match event.outcome() {
            SUCCESS => Severity::Notice,
            _ => Severity::Warning,
        };
        outlet.say(severity, |out| event.spell(out, scene));
    }
}

impl Scene<'_> {
    /// Takes an event.
    pub fn record(&self, event: Event<'_>) {
        self.log.take(event, Some(self));
    }
}

impl<'a> Who<'a> {
    /// A signed-in person.
    pub fn is(principal: &'a Principal) -> Self {
        Self {
            user: &principal.subject,
            associate_id: principal.associate_id.as_deref(),
            tenant: principal.context.as_str(),
        }
    }
}

impl Event<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::AccessRefused { .. } => "access_refused",
            Self::AdminAction { .. } | Self::AdminRefused { .. } => "admin_action",
            Self::CallRefused { .. } => "call_refused",
            Self::ConfigurationChanged { .. } | Self::ConfigurationRefused { .. } => {
                "configuration_change"
            }
            Self::NoticeRefused { .. } | Self::TenantNotice { .. } => "tenant_notice",
            Self::ProviderSignOut { .. } => "provider_sign_out",
            Self::RefreshRefused { .. } => "session_refresh",
            Self::RefreshTokenNotRevoked { .. } | Self::RefreshTokenRevoked { .. } => {
                "refresh_token_revoked"
            }
            Self::SignInRefused { .. } | Self::SignedIn { .. } => "sign_in",
            Self::SignedOut { .. } => "sign_out",
            Self::TokenForgotten { .. } => "token_forgotten",
            Self::TokenNotStored { .. } | Self::TokenStored { .. } => "token_stored",
            Self::TokenRevoked { .. } => "token_revoked",
            Self::TokenUsed { .. } => "token_used",
        }
    }

    fn outcome(&self) -> &'static str {
        match self {
            Self::AccessRefused { .. }
            | Self::AdminRefused { .. }
            | Self::CallRefused { .. }
            | Self::ConfigurationRefused { .. }
            | Self::NoticeRefused { .. }
            | Self::RefreshRefused { .. }
            | Self::RefreshTokenNotRevoked { .. }
            | Self::SignInRefused { .. }
            | Self::TokenNotStored { .. } => REFUSED,
            Self::AdminAction { .. }
            | Self::ConfigurationChanged { .. }
            | Self::ProviderSignOut { .. }
            | Self::RefreshTokenRevoked { .. }
            | Self::SignedIn { .. }
            | Self::SignedOut { .. }
            | Self::TenantNotice { .. }
            | Self::TokenForgotten { .. }
            | Self::TokenRevoked { .. }
            | Self::TokenStored { .. }
            | Self::TokenUsed { .. } => SUCCESS,
        }
    }

    fn spell(&self, out: &mut Vec<u8>, scene: Option<&Scene<'_>>) {
        let mut line = Spelling::begin(out, LineForm::Json, None, "audit");
        line.number(",\"schema\":", SCHEMA);
        line.text(",\"event\":\"", Some(self.name()));
        line.text(",\"outcome\":\"", Some(self.outcome()));
        if let Some(scene) = scene {
            line.text(",\"request_id\":\"", Some(scene.request_id));
            line.text(",\"client\":\"", scene.client);
            let server = scene.server.map(|address| address.to_string());
            line.text(",\"server\":\"", server.as_deref());
            line.text(",\"host\":\"", scene.host);
        }
        self.members(&mut line);
        line.end();
    }

    fn members(&self, line: &mut Spelling<'_>) {
        match *self {
            Self::AccessRefused { who, route, reason } => {
                who.spell(line);
                line.text(",\"route\":\"", Some(route));
                line.text(",\"reason\":\"", Some(reason));
            }
            Self::AdminAction { action, user, detail } => {
                line.text(",\"action\":\"", Some(action));
                line.text(",\"user\":\"", user);
                line.text(",\"detail\":\"", detail);
            }
            Self::AdminRefused { action, user, reason, detail } => {
                line.text(",\"action\":\"", Some(action));
                line.text(",\"user\":\"", user);
                line.text(",\"reason\":\"", Some(reason));
                line.text(",\"detail\":\"", detail);
            }
            Self::CallRefused { listener, caller, reason } => {
                line.text(",\"listener\":\"", Some(listener));
                line.text(",\"caller\":\"", caller);
                line.text(",\"reason\":\"", Some(reason));
            }
            Self::ConfigurationChanged { changed } => line.texts("changed", changed),
            Self::ConfigurationRefused { reasons } => line.texts("reasons", reasons),
            Self::NoticeRefused { reason, detail } | Self::SignInRefused { reason, detail } => {
                line.text(",\"reason\":\"", Some(reason));
                line.text(",\"detail\":\"", Some(detail));
            }
            Self::ProviderSignOut { provider, whose } => {
                line.text(",\"provider\":\"", Some(provider));
                line.text(",\"whose\":\"", Some(whose));
            }
            Self::RefreshRefused { .. }
            | Self::RefreshTokenNotRevoked { .. }
            | Self::TokenNotStored { .. }
            | Self::TokenRevoked { .. }
            | Self::TokenStored { .. }
            | Self::TokenUsed { .. } => self.members_of_tokens(line),
            Self::RefreshTokenRevoked { who, relying_party }
            | Self::SignedIn { who, relying_party }
            | Self::SignedOut { who, relying_party }
            | Self::TokenForgotten { who, relying_party } => {
                who.spell(line);
                line.text(",\"relying_party\":\"", Some(relying_party));
            }
            Self::TenantNotice { tenant, environment, said, found } => {
                line.text(",\"tenant\":\"", Some(tenant));
                line.text(",\"environment\":\"", Some(environment));
                line.text(",\"said\":\"", Some(said));
                line.text(",\"found\":\"", Some(found));
            }
        }
    }

    fn members_of_tokens(&self, line: &mut Spelling<'_>) {
        match *self {
            Self::RefreshRefused { who, relying_party, detail }
            | Self::RefreshTokenNotRevoked { who, relying_party, detail } => {
                who.spell(line);
                line.text(",\"relying_party\":\"", Some(relying_party));
                line.text(",\"detail\":\"", Some(detail));
            }
            Self::TokenNotStored { tenant, user, relying_party, .. }
            | Self::TokenStored { tenant, user, relying_party } => {
                line.text(",\"user\":\"", Some(user));
                spell_registration(line, tenant, relying_party);
                if let Self::TokenNotStored { detail, .. } = *self {
                    line.text(",\"detail\":\"", Some(detail));
                }
            }
            Self::TokenRevoked { tenant, relying_party }
            | Self::TokenUsed { tenant, relying_party } => {
                spell_registration(line, tenant, relying_party);
            }
            _ => {}
        }
    }
}

fn spell_registration(line: &mut Spelling<'_>, tenant: &str, relying_party: &str) {
    line.text(",\"tenant\":\"", Some(tenant));
    line.text(",\"relying_party\":\"", Some(relying_party));
}

impl Who<'_> {
    fn spell(&self, line: &mut Spelling<'_>) {
        line.text(",\"user\":\"", Some(self.user));
        line.text(",\"associate_id\":\"", self.associate_id);
        line.text(",\"tenant\":\"", Some(self.tenant));
    }
}

const SUCCESS: &str = "success";
const REFUSED: &str = "refused";
/// Counts up when a member changes its meaning or goes; new members and events do not.
const SCHEMA: u64 = 1;
/// What metrics and syslog call the audit log.
pub const AUDIT_LOG: &str = AUDIT;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const WHO: Who<'_> =
        Who { user: "astrid@nordlys.example", associate_id: Some("5"), tenant: "Cust1" };

    /// Each event once, with all it can say.
    fn every(texts: &[String]) -> [Event<'_>; 20] {
        let (tenant, user, relying_party) = ("Cust1", "astrid", "main");
        let (reason, detail) = ("unverified", "why");
        [
            Event::AccessRefused { who: WHO, route: "app", reason },
            Event::AdminAction { action: "start", user: Some(user), detail: Some(detail) },
            Event::AdminRefused { action: "start", user: Some(user), reason, detail: Some(detail) },
            Event::CallRefused { listener: "jobs", caller: Some("nightly"), reason },
            Event::ConfigurationChanged { changed: texts },
            Event::ConfigurationRefused { reasons: texts },
            Event::NoticeRefused { reason, detail },
            Event::ProviderSignOut { provider: "google", whose: "session" },
            Event::RefreshRefused { who: WHO, relying_party, detail },
            Event::RefreshTokenNotRevoked { who: WHO, relying_party, detail },
            Event::RefreshTokenRevoked { who: WHO, relying_party },
            Event::SignInRefused { reason, detail },
            Event::SignedIn { who: WHO, relying_party },
            Event::SignedOut { who: WHO, relying_party },
            Event::TenantNotice { tenant, environment: "sod", said: "Delete", found: "Same" },
            Event::TokenForgotten { who: WHO, relying_party },
            Event::TokenNotStored { tenant, user, relying_party, detail },
            Event::TokenRevoked { tenant, relying_party },
            Event::TokenStored { tenant, user, relying_party },
            Event::TokenUsed { tenant, relying_party },
        ]
    }

    fn line(event: Event<'_>) -> serde_json::Value {
        let log = AuditLog::default();
        let scene = Scene {
            log: &log,
            request_id: "1-2",
            client: Some("192.0.2.1"),
            server: Some("192.0.2.9:443".parse().unwrap()),
            host: Some("app.example"),
        };
        let mut out = Vec::new();
        event.spell(&mut out, Some(&scene));
        assert!(out.ends_with(b"}\n"));
        serde_json::from_slice(&out).unwrap()
    }

    /// The rows of a table of the page: the words in code of each cell.
    fn rows(page: &str, heading: &str) -> Vec<Vec<Vec<String>>> {
        let section = page.split(heading).nth(1).expect(heading);
        let words = |cell: &str| -> Vec<String> {
            cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
        };
        let lines = section.lines().skip_while(|line| !line.starts_with("|--"));
        let lines = lines.skip(1).take_while(|line| line.starts_with('|'));
        lines.map(|line| line.split('|').skip(1).map(words).collect()).collect()
    }

    #[test]
    fn the_page_says_what_every_line_has() {
        let page = include_str!("../../docs/audit.md");
        let common: Vec<String> =
            rows(page, "## Every line").iter().map(|row| row[0][0].clone()).collect();
        let texts = ["x".to_owned()];
        let mut there = BTreeMap::new();
        for event in every(&texts) {
            let line = line(event);
            let members = line.as_object().unwrap();
            for name in &common {
                assert!(members.contains_key(name), "{name} in {line}");
            }
            let own: Vec<String> =
                members.keys().filter(|name| !common.contains(name)).cloned().collect();
            let name = (event.name().to_owned(), event.outcome().to_owned());
            assert!(there.insert(name, own).is_none(), "{event:?}");
        }
        let mut told = BTreeMap::new();
        for row in rows(page, "## Events") {
            let mut members = row[3].clone();
            members.sort();
            told.insert((row[0][0].clone(), row[1][0].clone()), members);
        }
        for members in there.values_mut() {
            members.sort();
        }
        assert_eq!(there, told);
    }

    #[test]
    fn a_line_says_who_when_where_and_how_it_ended() {
        let line = line(Event::SignedIn { who: WHO, relying_party: "main" });
        for (name, value) in [
            ("event", "sign_in"),
            ("outcome", "success"),
            ("request_id", "1-2"),
            ("client", "192.0.2.1"),
            ("server", "192.0.2.9:443"),
            ("host", "app.example"),
            ("user", "astrid@nordlys.example"),
            ("associate_id", "5"),
            ("tenant", "Cust1"),
            ("relying_party", "main"),
        ] {
            assert_eq!(line[name], value, "{name}");
        }
        assert_eq!(line["schema"], 1);
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    }
}
