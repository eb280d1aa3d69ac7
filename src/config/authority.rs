//! Who vouches for the people of a relying party: a SuperID, or somebody else's identity provider.

use std::sync::Arc;

use super::{ClientAuthentication, Environment, Federation, People, Provider};

/// Where a relying party sends people to sign in.
#[derive(Clone, Debug)]
pub enum Authority {
    /// SuperOffice's own.
    SuperId(Arc<Environment>),
    /// Somebody else's, where SuperOffice runs on site.
    Provider(Arc<Membership>),
    /// Somebody else's too, by WS-Federation.
    WsFederation(Arc<Trust>),
}

/// How one registration of ours stands with a provider.
#[derive(Clone, Debug)]
pub struct Membership {
    pub provider: Arc<Provider>,
    /// How calls to it prove that they are ours.
    pub client: ClientAuthentication,
    /// Who of its people may in.
    pub people: People,
}

/// How one registration of ours stands with a provider of WS-Federation, which calls it a trust. Our
/// client id is the realm; nothing else proves that it is us, because the provider posts its tokens
/// to our redirect URL alone.
#[derive(Clone, Debug)]
pub struct Trust {
    pub federation: Arc<Federation>,
    /// Who of its people may in.
    pub people: People,
}

impl Authority {
    /// The name of its table. Environments and providers share no name, so it names one alone.
    pub fn name(&self) -> &str {
        match self {
            Self::SuperId(environment) => &environment.name,
            Self::Provider(member) => &member.provider.name,
            Self::WsFederation(trust) => &trust.federation.name,
        }
    }
}
