//! Reads `[job_listener.NAME]`, and what must hold between it and its callers.

use std::sync::Arc;

use super::certificate::{existing_file, has_tls, tls};
use super::job_listener::TABLE;
use super::listener::introduced_by;
use super::route_bounds_read::rate;
use super::section::{Named, Section};
use super::unix_socket::{listen_address, refuse_tls};
use super::url_path::host_and_port;
use super::{
    JobBounds, JobCaller, JobListener, ListenAddress, Listener, LocalUsers, Patience, Proof,
    RelyingParty, SoapCredentials, TlsFiles,
};

/// Reads every job listener.
pub(super) fn job_listeners(
    root: &Section,
    parties: &Named<RelyingParty>,
    callers: &Named<JobCaller>,
    (listeners, further): (&[Listener], &Named<TlsFiles>),
) -> Option<Vec<Arc<JobListener>>> {
    let mut taken: Vec<(ListenAddress, String)> = listeners
        .iter()
        .map(|listener| (listener.address.clone(), format!("listener.{}", listener.name)))
        .collect();
    let mut read = Vec::new();
    for (name, section) in root.named("job_listener", TABLE.keys) {
        let listener = job_listener(name, &section, (parties, callers), further);
        if let Some(listener) = &listener {
            refuse_taken(listener, &section, &taken);
            refuse_without_system_user(root, listener, &section);
            refuse_open_secrets(listener, &section);
            refuse_useless_callers(listener, &section);
            refuse_same_users(listener, &section);
            let header = format!("job_listener.{}", listener.name);
            taken.push((listener.address.clone(), header));
        }
        read.push(listener.map(Arc::new));
    }
    read.into_iter().collect()
}

fn job_listener(
    name: String,
    section: &Section,
    (parties, callers): (&Named<RelyingParty>, &Named<JobCaller>),
    further: &Named<TlsFiles>,
) -> Option<JobListener> {
    let address = listen_address(section, "jobs");
    let tls = tls(section, further);
    let client_ca = section.optional("client_ca", existing_file);
    if section.has("client_ca") && !has_tls(section) {
        section.reading.problem(
            &section.place("client_ca"),
            "means nothing without TLS",
            "write certificate and key too",
        );
    }
    if let Some(ListenAddress::Unix(_)) = address {
        refuse_tls(section);
    }
    let relying_party = relying_party(section, parties);
    let callers = match section.has("callers") {
        true => section.optional("callers", |value| callers.find_each(value)),
        false => callers.all(),
    };
    let hosts = section.read("hosts", |value| value.distinct(host_and_port));
    let bounds = bounds(section);
    let soap_credentials = section.read("soap_credentials", |value| {
        value
            .choice(&[("header", SoapCredentials::Header), ("envelope", SoapCredentials::Envelope)])
    });
    let address = address?;
    Some(JobListener {
        name,
        introduced_by: introduced_by(section, &address)?,
        address,
        tls: tls?,
        client_ca,
        relying_party: relying_party?,
        callers: callers?,
        hosts: hosts?,
        bounds: bounds?,
        soap_credentials: soap_credentials?,
    })
}

/// The one named, or the only one there is.
fn relying_party(section: &Section, parties: &Named<RelyingParty>) -> Option<Arc<RelyingParty>> {
    if section.has("relying_party") {
        return section.optional("relying_party", |value| parties.find(value));
    }
    let all = parties.all()?;
    if let [only] = all.as_slice() {
        return Some(only.clone());
    }
    section.reading.problem(
        &section.place("relying_party"),
        format!("is missing, and there are {} to choose from", all.len()),
        "write relying_party = \"main\", the one whose system users make the calls",
    );
    None
}

fn bounds(section: &Section) -> Option<JobBounds> {
    let connect_timeout = section.read("connect_timeout", |value| value.duration(1, 60));
    let read_timeout = section.read("read_timeout", |value| value.duration(1, 86_400));
    let body_bytes = section.read("body_bytes", |value| value.bytes(1 << 10, 64 << 30));
    let max_requests = section.read("max_requests", |value| value.count(1, 1_000_000));
    let tenant_requests = section.read("tenant_requests", |value| value.count(1, 100_000));
    let tenant_rate = match section.has("tenant_rate") {
        true => Some(section.optional("tenant_rate", rate)?),
        false => None,
    };
    let tenant_queue = section.read("tenant_queue", |value| value.count(0, 1_000_000));
    let queue_timeout = section.read("queue_timeout", |value| value.duration(1, 3_600));
    Some(JobBounds {
        patience: Patience { connect: connect_timeout?, read: read_timeout? },
        body_bytes: body_bytes?,
        max_requests: max_requests?,
        tenant_requests: tenant_requests?,
        tenant_rate,
        tenant_queue: tenant_queue?,
        queue_timeout: queue_timeout?,
    })
}

/// Calls are made by a system user, whose token is in the vault.
fn refuse_without_system_user(root: &Section, listener: &JobListener, section: &Section) {
    let party = &listener.relying_party;
    if party.system_user.is_none() {
        section.reading.problem(
            &section.place("relying_party"),
            format!("[relying_party.{}] has no system user to call with", party.name),
            format!("add [relying_party.{}.system_user] with its key", party.name),
        );
    }
    if !root.has("vault") {
        section.reading.problem(
            &section.header,
            "needs a vault for the system user tokens of tenants",
            "add [vault] with keys = [{ file = \"vault.key\" }]",
        );
    }
}

fn refuse_taken(listener: &JobListener, section: &Section, taken: &[(ListenAddress, String)]) {
    let address = &listener.address;
    if let Some((_, other)) = taken.iter().find(|(other, _)| other.collides(address)) {
        section.reading.problem(
            &section.place("address"),
            format!("{address} is taken by [{other}]"),
            address.instead(),
        );
    }
}

/// Passwords and tokens do not cross a network in the clear, and nobody is trusted for being on
/// this machine where others can connect.
fn refuse_open_secrets(listener: &JobListener, section: &Section) {
    let secret =
        |caller: &&Arc<JobCaller>| matches!(caller.proof, Proof::Password(_) | Proof::Token(_));
    let beyond = !listener.address.is_local();
    if let (true, None, Some(caller)) =
        (beyond, &listener.tls, listener.callers.iter().find(secret))
    {
        section.reading.problem(
            &section.place("address"),
            format!(
                "is plain http beyond this machine, and [job_caller.{}] would send its secret over it",
                caller.name
            ),
            "write certificate and key, or an address such as \"127.0.0.1:8090\"",
        );
    }
}

/// A caller that could not prove itself here, and a listener nobody can call.
fn refuse_useless_callers(listener: &JobListener, section: &Section) {
    if listener.callers.is_empty() {
        section.reading.problem(
            &section.place("callers"),
            "names nobody: every call would be refused",
            "add [job_caller.NAME] with a password, a token, certificate_name, loopback = true or unix_user",
        );
    }
    for caller in &listener.callers {
        let lacking = match &caller.proof {
            Proof::CertificateName(_) if listener.client_ca.is_none() => (
                "client_ca",
                "proves itself by certificate",
                "write client_ca = \"callers-ca.pem\"",
            ),
            Proof::Loopback | Proof::LocalUser(_) if listener.introduced_by.is_some() => (
                "proxy_protocol_from",
                "is trusted for where it is, which others would say here",
                "leave it out, or add a listener for those others",
            ),
            Proof::Loopback if !on_loopback(listener) => {
                ("address", "is trusted on this machine alone", "write \"127.0.0.1:8090\"")
            }
            Proof::LocalUser(_) if listener.address.network().is_some() => (
                "address",
                "is trusted for the user it runs as",
                "write \"unix:/run/superid-gateway/jobs.sock\"",
            ),
            Proof::Loopback if listener.hosts.is_empty() => {
                ("hosts", "is trusted for where it is", "write hosts = [\"localhost:8090\"]")
            }
            _ => continue,
        };
        let (key, why, instead) = lacking;
        section.reading.problem(
            &section.place(key),
            format!("does not serve [job_caller.{}], which {why}", caller.name),
            instead,
        );
    }
}

fn on_loopback(listener: &JobListener) -> bool {
    listener.address.network().is_some_and(|address| address.ip().is_loopback())
}

/// Who calls is told by the user, so no two callers are the same.
fn refuse_same_users(listener: &JobListener, section: &Section) {
    let local: Vec<(&str, &LocalUsers)> = listener
        .callers
        .iter()
        .filter_map(|caller| match &caller.proof {
            Proof::LocalUser(users) => Some((caller.name.as_str(), users)),
            Proof::CertificateName(_) | Proof::Loopback | Proof::Password(_) | Proof::Token(_) => {
                None
            }
        })
        .collect();
    for (index, (name, users)) in local.iter().enumerate() {
        if let Some((other, _)) = local[..index].iter().find(|(_, other)| other.meet(users)) {
            section.reading.problem(
                &section.place("callers"),
                format!("{other} and {name} could be the same user: which calls cannot be told"),
                "give each caller users of its own",
            );
        }
    }
}
