//! Golden pairs: `NAME.toml` and, word for word, what comes of it in `NAME.expected`.
//!
//! With `BLESS=1` in the environment the expectations are written instead of compared.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use superid_gateway::config::{
    self, Access, Assertion, Authority, Authorization, Destination, Flow, JobCaller, JobListener,
    LineDestination, ListenAddress, Loaded, PathMatch, Problem, Problems, Proof, RedisTls,
    RefreshTokens, RelyingParty, Response, Route, Serves, Settings, Tls, TlsFiles, VaultPlace,
};

use crate::scratch::{Scratch, variables};

#[test]
fn what_is_refused_is_refused_in_these_words() {
    each_pair("reject", 40, |found| match found {
        Ok(_) => "loads\n".to_owned(),
        Err(Problems::Found { problems, warnings }) => {
            assert!(!problems.is_empty());
            lines(problems) + &warned(warnings)
        }
        Err(problems) => panic!("{problems}"),
    });
}

#[test]
fn what_is_accepted_means_this() {
    each_pair("accept", 8, |found| match found {
        Ok(Loaded { settings, warnings }) => warned(warnings) + &described(settings),
        Err(problems) => format!("refused:\n{problems}\n"),
    });
}

fn each_pair(folder: &str, least: usize, describe: impl Fn(&Result<Loaded, Problems>) -> String) {
    let scratch = Scratch::with_secrets();
    let pairs = toml_files(folder);
    assert!(pairs.len() >= least, "{folder} holds {} files, not {least}", pairs.len());
    let mut wrong = Vec::new();
    for path in pairs {
        let file = path.file_name().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let found = config::load_text(&text, file, scratch.folder(), &variables);
        let (actual, expected) = (describe(&found), path.with_extension("expected"));
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected, &actual).unwrap();
        }
        let expected = fs::read_to_string(&expected).unwrap_or_default();
        if actual != expected {
            wrong.push(format!("{file}\n--- expected\n{expected}--- found\n{actual}"));
        }
        assert_eq!(found.is_ok(), folder == "accept", "{file}: {actual}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn toml_files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    files
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

fn warned(warnings: &[Problem]) -> String {
    warnings.iter().map(|warning| format!("warning: {warning}\n")).collect()
}

fn described(settings: &Settings) -> String {
    let mut out = String::new();
    for listener in &settings.listeners {
        let tls = match (&listener.tls, &listener.serves) {
            (_, Serves::Checks(terms)) => format!("checks {terms:?}"),
            (None, Serves::Everything) => "plain".to_owned(),
            (None, Serves::EverythingAndH2c) => "plain, h2c".to_owned(),
            (None, Serves::RedirectsToHttps) => "plain, to https".to_owned(),
            (Some(tls), _) => described_tls(tls),
        };
        writeln!(out, "listener {} {} {tls}", listener.name, listener.address).unwrap();
        if let ListenAddress::Unix(socket) = &listener.address {
            writeln!(out, "  {socket:?}").unwrap();
        }
        if let Some(introducers) = &listener.introduced_by {
            writeln!(out, "  {introducers:?}").unwrap();
        }
    }
    for one in &settings.ordered {
        let account = &one.account;
        let binding = account.binding.as_ref().map(|binding| &binding.id);
        let (name, to) = (&account.name, &account.contact);
        writeln!(out, "ordered {} from {name} {} {to:?} {binding:?}", one.name, account.directory)
            .unwrap();
    }
    for host in &settings.hosts {
        if let Some(hsts) = &host.hsts {
            writeln!(out, "hsts {} {hsts}", host.name).unwrap();
        }
        for origin in &host.cors_origins {
            writeln!(out, "read {} {origin}", host.name).unwrap();
        }
    }
    for party in &settings.relying_parties {
        writeln!(out, "{}", described_party(party)).unwrap();
    }
    for registration in config::registrations(settings) {
        for url in registration.redirect_urls.iter().chain(&registration.post_logout_urls) {
            writeln!(out, "register {} {url}", registration.relying_party).unwrap();
        }
        for url in &registration.notice_urls {
            writeln!(out, "notices {} {url}", registration.relying_party).unwrap();
        }
    }
    for route in &settings.routes {
        out += &described_route(route);
    }
    for servers in &settings.upstreams {
        writeln!(out, "{servers:?}").unwrap();
    }
    for listener in &settings.job_listeners {
        out += &described_jobs(listener);
    }
    let session = &settings.session;
    writeln!(
        out,
        "session {:?} {} {:?} {} {} {} {}",
        session.keys,
        session.cookie_name,
        session.same_site,
        session.idle,
        session.absolute,
        session.attempt,
        session.leeway
    )
    .unwrap();
    if !session.revoked_keys.is_empty() {
        writeln!(out, "  revoked {:02x?}", session.revoked_keys).unwrap();
    }
    if let Some(vault) = &settings.vault {
        let place = match &vault.place {
            VaultPlace::File(path) => path.file_name().unwrap().to_str().unwrap().to_owned(),
            VaultPlace::Redis(redis) => redis.to_string(),
            VaultPlace::Memory => "in memory".to_owned(),
        };
        writeln!(out, "vault {place} {:?}", vault.keys).unwrap();
    }
    if let Some(Assertion { keys, life, issuer }) = &settings.assertion {
        writeln!(out, "assertion {} keys {life} s by {issuer:?}", keys.len()).unwrap();
    }
    writeln!(out, "{:?}\n{:?}", settings.forwarded, settings.admin).unwrap();
    let (mut log, mut audit) = (settings.log.clone(), settings.audit.clone());
    for to in [&mut log.to, &mut audit.to] {
        // Its folder is another one in each run.
        if let LineDestination::File(path) = to {
            *path = path.file_name().unwrap().into();
        }
    }
    writeln!(out, "{log:?}\n{audit:?}\n{:?}", settings.limits).unwrap();
    if let Some(traces) = &settings.traces {
        writeln!(
            out,
            "{} {:?} {:?} {} {:?}",
            traces.endpoint,
            traces.protocol,
            traces.sample_rate,
            traces.service_name,
            traces.headers
        )
        .unwrap();
    }
    if let Some(redis) = &settings.redis {
        let mut redis = redis.clone();
        // Its folder is another one in each run.
        if let Some(RedisTls { ca, client }) = &mut redis.tls {
            let client = client.iter_mut().flat_map(|(certificate, key)| [certificate, key]);
            for file in ca.iter_mut().chain(client) {
                *file = file.file_name().unwrap().into();
            }
        }
        writeln!(out, "{redis:?}").unwrap();
    }
    out
}

fn described_tls(tls: &Tls) -> String {
    let mut out = format!("tls {:?}", tls.policy);
    for TlsFiles { certificate, key, ocsp, ordered } in &tls.certificates {
        let name = |path: &Path| path.file_name().unwrap().display().to_string();
        let word = if ocsp.is_some() { " with OCSP" } else { "" };
        match ordered {
            Some(ordered) => {
                let (word, hosts) = (ordered.challenge.word(), ordered.hosts.join(" "));
                write!(out, ", {} by {word} for {hosts}", name(certificate)).unwrap();
            }
            None => write!(out, ", {} and {}{word}", name(certificate), name(key)).unwrap(),
        }
    }
    out
}

fn described_jobs(listener: &JobListener) -> String {
    let JobListener { name, address, tls, client_ca, relying_party, hosts, bounds, .. } = listener;
    let names: Vec<&str> = listener.callers.iter().map(|caller| caller.name.as_str()).collect();
    let tls = match (tls, client_ca) {
        (None, _) => "plain",
        (Some(_), None) => "TLS",
        (Some(_), Some(_)) => "TLS with client certificates",
    };
    let mut out = format!(
        "jobs {name} {address} {tls} as {} for {hosts:?} by {names:?}\n  within {bounds:?}, SOAP: {:?}\n",
        relying_party.name, listener.soap_credentials
    );
    for caller in &listener.callers {
        let JobCaller { name, proof, tenants, paths } = &**caller;
        let proof = match proof {
            Proof::Password(_) | Proof::Token(_) => "secret".to_owned(),
            open => format!("{open:?}"),
        };
        out.push_str(&format!("  caller {name} by {proof}: {tenants:?} {paths:?}\n"));
    }
    out
}

fn described_route(route: &Route) -> String {
    let hosts: Vec<&str> = route.hosts.iter().map(|host| host.name.as_str()).collect();
    let parties: Vec<&str> =
        route.relying_parties.iter().map(|party| party.name.as_str()).collect();
    let matching = match route.path.matching {
        PathMatch::Exact => "exact",
        PathMatch::Prefix => "prefix",
    };
    let access = match &route.access {
        Access::Public => "public".to_owned(),
        Access::SignedIn(limits) => format!("{limits:?}"),
    };
    let Route { name, path, upstream, present, bounds, encoded_slashes, server_headers, .. } =
        route;
    let to = match upstream {
        Destination::App(app) => match &app.servers.name {
            Some(name) => format!("[upstream.{name}]"),
            None => app.servers.places().join(" "),
        },
        Destination::Checked => "whatever a proxy has behind it".to_owned(),
        Destination::Tenant(patience) => format!("the tenant within {patience:?}"),
    };
    let mut kept = String::new();
    if let Some(most) = route.keep_post {
        writeln!(kept, "  keeps posts of {most} bytes").unwrap();
    }
    if route.keep_fragment {
        kept.push_str("  keeps fragments\n");
    }
    if !route.store_outage.is_zero() {
        writeln!(kept, "  by the store's last word for {:?}", route.store_outage).unwrap();
    }
    if let Some(name) = &route.tenant_parameter {
        writeln!(kept, "  names its tenant in {name}").unwrap();
    }
    if let Some(name) = &route.headers.assertion {
        writeln!(kept, "  asserts in {name}").unwrap();
    }
    format!(
        "route {name} on {hosts:?} {} {matching}, encoded slashes: {encoded_slashes:?}\n  \
         to {to}, server headers: {server_headers:?}\n  \
         for {access} by {parties:?} with {present:?}\n  within {bounds:?}\n{kept}",
        path.path
    )
}

fn described_party(party: &RelyingParty) -> String {
    let flow = match &party.flow {
        Flow::Code if party.response == Response::code() => "code".to_owned(),
        Flow::Code => format!("{} by {:?}", party.response.words, party.response.mode),
        Flow::Legacy(legacy) => format!("{legacy:?}"),
        Flow::WsFederation => "a token by WS-Federation".to_owned(),
    };
    let system_user = party.system_user.as_ref().map_or(String::new(), |user| {
        format!(" system user by {:?} with {:?}", user.protocol, user.key)
    });
    let webhook = party.webhook.as_ref().map_or(String::new(), |webhook| {
        format!(" tells {} by {} keys in {:?}", webhook.url, webhook.keys.len(), webhook.timeout)
    });
    let errors = party.error_callback_path.as_ref();
    let errors = errors.map_or(String::new(), |path| format!(" errors at {path}"));
    let tenant = party.tenant.as_ref().map_or("any tenant", |tenant| tenant.as_str());
    let shown = if party.listed { "" } else { " unlisted" };
    let approved = match party.authorization {
        Authorization::Admin => String::new(),
        by => format!(" approved by {by:?}"),
    };
    let refresh = match party.refresh_tokens {
        RefreshTokens::UseAndRevoke => String::new(),
        other => format!(" refresh tokens {other:?}"),
    };
    let RelyingParty { name, title, client_id, redirect_path, pkce, .. } = party;
    let environment = match &party.authority {
        Authority::SuperId(environment) => environment.issuer.clone(),
        Authority::Provider(member) => format!("{member:?}"),
        Authority::WsFederation(trust) => format!("{trust:?}"),
    };
    format!(
        "party {name} {title:?} {environment} {client_id} {redirect_path} {flow} {pkce:?} {tenant}{shown}{approved}{errors}{refresh}{system_user}{webhook}"
    )
}
