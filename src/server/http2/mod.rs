//! The front of HTTP/2: what bounds a client whose frames are right one by one and never end.

mod account;
mod budget;
mod forewarning;
mod frames;
mod passing;
mod reading;
mod refusal;
mod stream;
mod terms;
mod writing;

pub use forewarning::Forewarning;
pub use refusal::{Heard, Notice, Refusal};
pub use stream::Watched;
pub use terms::Http2Terms;

pub(super) use terms::options;
