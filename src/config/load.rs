//! From a file to settings: everything wrong with it at once, and nothing changed on the way.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::DeTable;

use super::effective::effective;
use super::given::Given;
use super::merge::merge;
use super::provider::AnyProvider;
use super::reading::{Place, Reading};
use super::section::{Named, Section};
use super::sources::Sources;
use super::{
    Admin, AdminPlace, Audit, Host, Key, Problem, Problems, Redis, RelyingParty, Session,
    SessionStore, Settings, Table, Vault, acme, acme_rules, admin, app_pages, assertion, audit,
    certificate, environment, forward_auth, forward_auth_rules, forwarded, header_names, host,
    job_caller, job_listener, job_listener_read, key_ring, legacy, limits, listener, log, overlay,
    people, provider, redis, relying_party, relying_party_read, replicas, route, route_bounds_read,
    route_read, route_rules, session, system_user, traces, upstream, upstream_read, vault, webhook,
    webhook_rules,
};

/// A configuration that holds, and what is doubtful about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub settings: Settings,
    pub warnings: Vec<Problem>,
}

/// A file with a key that the configuration asks for, there or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    pub path: PathBuf,
    pub holds: Holds,
}

/// What is in a key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// 32 bytes that seal, or that let somebody in.
    Bytes,
    /// A private key that signs, in PEM.
    Es256,
}

/// Reads a configuration and the secrets it points to: a file or a folder of files, and over them the
/// variables of this process; see [`Given::read`]. Nothing is opened for writing, bound or called.
///
/// # Errors
/// [`Problems`]: a file cannot be read, or all that is wrong with it.
pub fn load(path: &Path) -> Result<Loaded, Problems> {
    load_given(&Given::read(path)?, &variable)
}

/// The same from text: `file` is what problems call it, relative paths begin at `base`, and
/// `environment` answers for environment variables.
///
/// # Errors
/// [`Problems::Found`] with all that is wrong.
pub fn load_text(
    text: &str,
    file: &str,
    base: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Loaded, Problems> {
    load_given(&Given::text(text, file, base), environment)
}

/// The same from texts of any number; `environment` answers for variables that values point to.
///
/// # Errors
/// [`Problems::Found`] with all that is wrong.
pub fn load_given(
    given: &Given,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Loaded, Problems> {
    let sources = Sources::new(given);
    let reading = Reading::new(given, &sources, environment);
    let settings = document(&reading).and_then(|document| resolve(&reading, &document));
    let (problems, warnings) = reading.findings();
    match settings {
        Some(settings) if problems.is_empty() => Ok(Loaded { settings, warnings }),
        _ => Err(Problems::Found { problems, warnings }),
    }
}

/// The key files `[session]`, `[vault]`, `[assertion]` and `[admin]` ask for, each once, in the order of the lists. Nothing
/// else in the file has to hold yet.
///
/// # Errors
/// [`Problems`]: the file cannot be read, is not TOML, or one of them is no list of secrets.
pub fn key_files(path: &Path) -> Result<Vec<KeyFile>, Problems> {
    let given = Given::read(path)?;
    let sources = Sources::new(&given);
    let reading = Reading::new(&given, &sources, &|_| None);
    let files = document(&reading).and_then(|document| {
        let root = root(&reading, &document);
        let named = |header, keys| root.section(header, keys).read("keys", key_ring::files);
        let sealing = |paths: Vec<PathBuf>| {
            paths.into_iter().map(|path| KeyFile { path, holds: Holds::Bytes })
        };
        let mut files = Vec::new();
        // Where nobody signs in there is no session, and its keys are not asked for.
        if root.has("session") || !root.has("vault") {
            files.extend(sealing(named("session", session::TABLE.keys)?));
        }
        if root.has("vault") {
            files.extend(sealing(named("vault", vault::TABLE.keys)?));
        }
        if root.has("assertion") {
            let named = named("assertion", assertion::TABLE.keys)?;
            files.extend(named.into_iter().map(|path| KeyFile { path, holds: Holds::Es256 }));
        }
        let admin = root.section("admin", admin::TABLE.keys);
        if admin.has("tokens") {
            files.extend(sealing(admin.optional("tokens", key_ring::files)?));
        }
        Some(files)
    });
    let (problems, warnings) = reading.findings();
    let mut each: Vec<KeyFile> = Vec::new();
    for file in files.into_iter().flatten() {
        if !each.iter().any(|known| known.path == file.path) {
            each.push(file);
        }
    }
    let ours = ["session.keys", "vault.keys", "assertion.keys", "admin.tokens", "toml"];
    let stands_in_the_way = |problem: &Problem| ours.iter().any(|key| problem.key.starts_with(key));
    match problems.iter().any(stands_in_the_way) {
        false => Ok(each),
        true => Err(Problems::Found { problems, warnings }),
    }
}

/// What a rotation of the session keys has to know. Nothing else in the file has to hold yet.
///
/// # Errors
/// [`Problems`]: the file cannot be read, is not TOML, or `[session]` does not say it.
pub fn key_rotation(path: &Path) -> Result<session::Rotation, Problems> {
    let given = Given::read(path)?;
    let sources = Sources::new(&given);
    let reading = Reading::new(&given, &sources, &|_| None);
    let rotation =
        document(&reading).and_then(|document| session::rotation(&root(&reading, &document)));
    let (problems, warnings) = reading.findings();
    rotation.ok_or(Problems::Found { problems, warnings })
}

/// `[vault]` alone, with `[redis]` where it lies there, for commands that need nothing else of the
/// file; `None` when it is not written.
///
/// # Errors
/// [`Problems`]: the file cannot be read, is not TOML, or the table does not hold.
pub fn load_vault(path: &Path) -> Result<Option<Vault>, Problems> {
    alone(path, &["vault", "redis"], |root| match root.has("vault") {
        true => vault::vault(root, redis::redis(root).as_ref()).map(Some),
        false => Some(None),
    })
}

/// `[audit]` alone, for commands that change a vault.
///
/// # Errors
/// As [`load_vault`].
pub fn load_audit(path: &Path) -> Result<Audit, Problems> {
    alone(path, &["audit"], audit::audit)
}

/// `[admin]` alone without its credentials, for commands that ask a running gateway how it is.
///
/// # Errors
/// As [`load_vault`].
pub fn load_listening(path: &Path) -> Result<AdminPlace, Problems> {
    alone(path, &["admin"], admin::listening)
}

/// `[admin]` alone, for commands that use the admin API.
///
/// # Errors
/// As [`load_vault`].
pub fn load_admin(path: &Path) -> Result<Admin, Problems> {
    alone(path, &["admin"], admin::admin)
}

/// What `read` makes of the first of these tables. Problems elsewhere are passed over; those of the
/// others count where it comes to nothing.
fn alone<T>(
    path: &Path,
    tables: &[&str],
    read: impl FnOnce(&Section) -> Option<T>,
) -> Result<T, Problems> {
    let given = Given::read(path)?;
    let sources = Sources::new(&given);
    let reading = Reading::new(&given, &sources, &variable);
    let written = document(&reading).and_then(|document| read(&root(&reading, &document)));
    let (mut problems, warnings) = reading.findings();
    let needed = if written.is_some() { &tables[..1] } else { tables };
    let counts = |key: &str| key == "toml" || needed.iter().any(|table| key.starts_with(table));
    problems.retain(|problem| counts(&problem.key));
    match written {
        Some(written) if problems.is_empty() => Ok(written),
        _ => Err(Problems::Found { problems, warnings }),
    }
}

/// A configuration that holds, as TOML, with where each line comes from and without secrets.
///
/// # Errors
/// [`Problems`]: those of [`load_given`].
pub fn show(
    given: &Given,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<String, Problems> {
    let Loaded { settings, .. } = load_given(given, environment)?;
    let sources = Sources::new(given);
    let reading = Reading::new(given, &sources, environment);
    let mut document = document(&reading).unwrap_or_default();
    if !settings.listeners.is_empty() && !document.contains_key("listener") {
        overlay::put_table(&mut document, &["listener", "web"]);
    }
    Ok(effective(&reading, &document, &tables()))
}

/// Every table a configuration may have, and every key in it.
pub fn tables() -> Vec<Table> {
    vec![
        listener::TABLE,
        forward_auth::TABLE,
        certificate::TABLE,
        acme::TABLE,
        host::TABLE,
        app_pages::TABLE,
        host::HSTS_TABLE,
        relying_party::TABLE,
        legacy::LEGACY_TABLE,
        legacy::SAML_TABLE,
        system_user::TABLE,
        people::TABLE,
        webhook::TABLE,
        environment::TABLE,
        provider::TABLE,
        route::TABLE,
        header_names::TABLE,
        upstream::TABLE,
        route_bounds_read::RATE_TABLE,
        job_listener::TABLE,
        job_caller::TABLE,
        session::TABLE,
        vault::TABLE,
        assertion::TABLE,
        forwarded::TABLE,
        admin::TABLE,
        log::TABLE,
        audit::TABLE,
        traces::TABLE,
        limits::TABLE,
        redis::TABLE,
    ]
}

fn resolve(reading: &Reading, document: &DeTable) -> Option<Settings> {
    let root = root(reading, document);
    let accounts = acme::accounts(&root);
    let further = certificate::certificates(&root, &accounts);
    let listeners = listener::listeners(&root, &further);
    let admin = admin::admin(&root);
    let audit = audit::audit(&root);
    let forwarded = forwarded::forwarded(&root);
    let limits = limits::limits(&root);
    let log = log::log(&root);
    let redis = redis::redis(&root);
    let session = session::bounded(&root);
    let traces = traces::traces(&root);
    let vault = root.has("vault").then(|| vault::vault(&root, redis.as_ref()));
    let (providers, parties) = who_vouches(&root);
    let hosts = host::hosts(&root, &parties);
    let (upstreams, places) = upstream_read::upstreams(&root);
    let routes = route_read::routes(&root, (&hosts, &parties), &upstreams);
    route_rules::warn_unused(reading, &places, &routes);
    let assertion = assertion::assertion(&root, &routes);
    let callers = job_caller::job_callers(&root);
    let job_listeners = job_listener_read::job_listeners(
        &root,
        &parties,
        &callers,
        (listeners.as_deref().unwrap_or_default(), &further),
    );
    warn_of_idle_tables(&root, &parties.sound(), session.as_ref());
    webhook_rules::check(&root, &parties.sound(), vault.as_ref().and_then(Option::as_ref));
    let open = listeners.as_deref().unwrap_or_default();
    route_rules::check(&routes, (open, job_listeners.as_deref().unwrap_or_default()));
    forward_auth_rules::check(&root, (open, &hosts.sound()), forwarded.as_ref(), &routes);
    check_session(&root, session.as_ref(), (&hosts.sound(), &parties.sound()), redis.as_ref());
    session
        .iter()
        .for_each(|session| replicas::refuse_kept_posts(&routes, session, redis.as_ref()));
    admin.iter().for_each(|admin| admin::refuse_taken(&root, admin, open));
    let ordered = acme_rules::ordered(&root, &accounts, &further, open);
    accounts.all()?;
    providers.all()?;
    Some(Settings {
        admin: admin?,
        assertion: assertion?,
        audit: audit?,
        forwarded: forwarded?,
        hosts: hosts.all()?,
        job_listeners: job_listeners?,
        limits: limits?,
        listeners: listeners?,
        log: log?,
        ordered: ordered?,
        redis: redis?,
        relying_parties: parties.all()?,
        upstreams: upstreams.all()?,
        routes: routes.into_iter().map(|read| read.route).collect(),
        session: session?,
        traces: traces?,
        vault: vault.map_or(Some(None), |read| read.map(Some))?,
    })
}

/// The providers that are not SuperID, and everybody who signs people in somewhere.
fn who_vouches(root: &Section) -> (Named<AnyProvider>, Named<RelyingParty>) {
    let environments = environment::environments(root);
    let providers = provider::providers(root, &environments);
    let parties = relying_party_read::relying_parties(root, (&environments, &providers));
    (providers, parties)
}

fn check_session(
    root: &Section,
    session: Option<&Session>,
    (hosts, parties): (&[Arc<Host>], &[Arc<RelyingParty>]),
    redis: Option<&Option<Redis>>,
) {
    let Some(session) = session else { return };
    session::refuse_none_on_http(root, session, hosts);
    session::warn_of_fragments_in_frames(root, session, parties);
    replicas::check(root, parties, session, redis);
}

fn warn_of_idle_tables(root: &Section, parties: &[Arc<RelyingParty>], session: Option<&Session>) {
    warn_without_vault(root, parties, session);
    warn_of_unused_certificates(root);
}

/// What no listener shows, nobody sees.
fn warn_of_unused_certificates(root: &Section) {
    let listeners = root.named("listener", listener::TABLE.keys);
    let jobs = root.named("job_listener", job_listener::TABLE.keys);
    let mut all = listeners.iter().chain(&jobs);
    if root.has("certificate") && !all.any(|(_, section)| certificate::has_tls(section)) {
        let wrong = "no listener has TLS, so nobody is shown one of these";
        let instead = "give a listener a certificate and key of its own, or named_certificate";
        root.reading.warn(&root.place("certificate"), wrong, instead);
    }
}

/// What nobody keeps is lost.
fn warn_without_vault(root: &Section, parties: &[Arc<RelyingParty>], session: Option<&Session>) {
    if root.has("vault") {
        return;
    }
    let instead = "add [vault] with keys = [{ file = \"vault.key\" }]";
    if let Some(party) = parties.iter().find(|party| party.system_user.is_some()) {
        root.reading.warn(
            &root.place("relying_party"),
            format!("{} has a system user, and there is no vault for its tokens", party.name),
            instead,
        );
    }
    let remembers = parties.iter().any(|party| party.brings_tokens_alone());
    let keeps = session.is_some_and(|session| session.store == SessionStore::Redis);
    let posts = root.named("route", route::TABLE.keys);
    let keeps = keeps || posts.iter().any(|(_, section)| section.has("keep_post"));
    if root.has("redis") && !remembers && !keeps && !root.has("host") {
        let wrong = "shares tickets of system users, and without a vault there are none";
        root.reading.warn(&root.place("redis"), wrong, instead);
    }
}

fn root<'d>(reading: &'d Reading<'d>, document: &'d DeTable<'d>) -> Section<'d> {
    Section::open(reading, Place { offset: 0, key: String::new() }, document, ROOT)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// All files as one, and the variables over them.
fn document<'t>(reading: &Reading<'t>) -> Option<DeTable<'t>> {
    let mut whole = Some(DeTable::new());
    for source in reading.sources().files() {
        let parsed = reading.parse(source);
        match (&mut whole, parsed) {
            (Some(whole), Some(parsed)) => merge(reading, whole, parsed.into_inner(), ""),
            _ => whole = None,
        }
    }
    let mut whole = whole?;
    overlay::lay(reading, &mut whole, &tables());
    Some(whole)
}

const ROOT: &[Key] = &[
    Key::optional("listener", "{}"),
    Key::optional("certificate", "{}"),
    Key::optional("acme", "{}"),
    Key::optional("host", "{}"),
    Key::optional("relying_party", "{}"),
    Key::optional("environment", "{}"),
    Key::optional("provider", "{}"),
    Key::optional("route", "{}"),
    Key::optional("upstream", "{}"),
    Key::optional("job_listener", "{}"),
    Key::optional("job_caller", "{}"),
    Key::optional("session", "{}"),
    Key::optional("vault", "{}"),
    Key::optional("assertion", "{}"),
    Key::optional("forwarded", "{}"),
    Key::optional("admin", "{}"),
    Key::optional("log", "{}"),
    Key::optional("audit", "{}"),
    Key::optional("traces", "{}"),
    Key::optional("limits", "{}"),
    Key::optional("redis", "{}"),
];
