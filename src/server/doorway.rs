//! Where connections come in, as the configuration has it: for people, and for background jobs.

use std::path::PathBuf;

use crate::config::{JobListener, ListenAddress, Listener, Serves, Settings, Tls};
use crate::web::Proxies;

/// One place to listen at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Doorway {
    /// What its socket is called: the listener's name, behind `job:` for background jobs.
    pub(super) name: String,
    pub(super) address: ListenAddress,
    pub(super) tls: Option<Tls>,
    /// The authorities whose client certificates are asked for.
    pub(super) client_ca: Option<PathBuf>,
    /// The name of the job listener it is.
    pub(super) jobs: Option<String>,
    pub(super) serves: Serves,
    /// Who says whose each connection is, where somebody does.
    pub(super) introduced_by: Option<Proxies>,
}

/// All of a configuration's.
pub(super) fn doorways(settings: &Settings) -> impl Iterator<Item = Doorway> {
    let people = settings.listeners.iter().map(Doorway::for_people);
    let jobs = settings.job_listeners.iter().map(|listener| Doorway::for_jobs(listener));
    people.chain(jobs)
}

impl Doorway {
    fn for_people(listener: &Listener) -> Self {
        Self {
            name: listener.name.clone(),
            address: listener.address.clone(),
            tls: listener.tls.clone(),
            client_ca: None,
            jobs: None,
            serves: listener.serves.clone(),
            introduced_by: listener.introduced_by.clone(),
        }
    }

    fn for_jobs(listener: &JobListener) -> Self {
        Self {
            name: format!("job:{}", listener.name),
            address: listener.address.clone(),
            tls: listener.tls.clone(),
            client_ca: listener.client_ca.clone(),
            jobs: Some(listener.name.clone()),
            serves: Serves::Everything,
            introduced_by: listener.introduced_by.clone(),
        }
    }
}
