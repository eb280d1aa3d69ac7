//! Sign-in with any OpenID provider: discovery, tokens, and who of a provider's people may in.

mod admission;
mod client_proof;
mod document;
mod failure;
mod id_token;
mod known;
mod logout_token;
mod providers;
mod pushed;
mod tokens;
mod userinfo;
mod vouched;

pub use failure::ProviderFailed;
pub use logout_token::{Farewell, Whose};
pub use providers::{Answerer, FrontChannel, Providers, Redeemed};
pub use vouched::Vouched;
