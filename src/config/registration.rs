//! What SuperOffice has to know about us: the exact addresses of each registration.

use super::Settings;

/// One relying party's addresses, in order of host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    pub relying_party: String,
    /// Its environment or provider.
    pub environment: String,
    pub client_id: String,
    pub redirect_urls: Vec<String>,
    pub post_logout_urls: Vec<String>,
    /// Where people are sent when something fails at SuperOffice.
    pub error_urls: Vec<String>,
    /// Where state-change notices are taken.
    pub notice_urls: Vec<String>,
}

/// What to register for each relying party, in order of name. One that no host uses has no
/// addresses.
pub fn registrations(settings: &Settings) -> Vec<Registration> {
    settings
        .relying_parties
        .iter()
        .map(|party| {
            let hosts = || {
                settings.hosts.iter().filter(|host| {
                    host.relying_parties.iter().any(|serving| serving.name == party.name)
                })
            };
            Registration {
                relying_party: party.name.clone(),
                environment: party.authority.name().to_owned(),
                client_id: party.client_id.clone(),
                redirect_urls: hosts()
                    .map(|host| format!("{}{}", host.origin, party.redirect_path))
                    .collect(),
                post_logout_urls: hosts()
                    .map(|host| format!("{}{}", host.origin, host.post_logout_path))
                    .collect(),
                error_urls: hosts()
                    .filter_map(|host| {
                        Some(format!("{}{}", host.origin, party.error_callback_path.as_ref()?))
                    })
                    .collect(),
                notice_urls: hosts()
                    .filter(|_| party.environment().is_some())
                    .filter_map(|host| {
                        Some(format!("{}{}", host.origin, host.notice_path.as_ref()?))
                    })
                    .collect(),
            }
        })
        .collect()
}
