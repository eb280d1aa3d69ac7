//! The pages people see when something stands between them and the app: plain, escaped, scriptless.

mod chooser;
mod fragment;
mod installing;
mod layout;
mod onward;
mod signed_out;
mod trouble;
mod words;

pub use chooser::{Choice, chooser};
pub use fragment::{fragment, fragment_policy};
pub use installing::{Company, Installation, installed, uninstall, uninstalled};
pub use layout::{Footing, Page, content_security_policy};
pub use onward::onward;
pub use signed_out::signed_out;
pub use trouble::{LoopHint, NotAllowed, Trouble, trouble};
