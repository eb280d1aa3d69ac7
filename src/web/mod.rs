//! Requests and replies as HTTP has them, before anything of SuperID.

mod client;
mod cookie;
mod form;
mod headers;
mod inbound;
mod job_door;
mod method;
mod navigation;
mod origin;
mod path;
mod peer;
mod proxy_block;
mod proxy_header;
mod proxy_line;
mod proxy_protocol;
mod refusal;
mod reply;
mod return_to;
mod server_name;
mod singles;

pub use client::{Client, Proxies, ProxyPlace, Subscriber, Transport};
pub use cookie::{CookieAttributes, CookieNames, Cookies, SetCookie};
pub use form::{DuplicateField, Fields};
pub use headers::{Cleaned, HeaderBag, Spoofable, normal_form};
pub use inbound::{Bounds, Inbound};
pub use job_door::{JobDoor, Shown};
pub use method::is_served;
pub use navigation::Asking;
pub use origin::{InvalidOrigin, PublicOrigin};
pub use path::{PathProblem, Slashes, canonical, canonical_but_for_slashes, with_plain_slashes};
pub use peer::{LocalUser, Peer};
pub use proxy_header::{BadHeader, HeaderSoFar, ProxyHeader, ProxyVersion};
pub use refusal::Refusal;
pub use reply::Reply;
pub use return_to::ReturnTo;
pub use server_name::{NamedInTls, ServerName};
