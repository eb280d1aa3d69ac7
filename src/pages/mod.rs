//! The pages people see when something stands between them and the app: plain, escaped, scriptless but
//! for two that keep what a sign-in would lose.

mod chooser;
mod fragment;
mod installing;
mod keeping;
mod layout;
mod onward;
mod signed_out;
mod trouble;
mod words;

pub use chooser::{Choice, chooser};
pub use fragment::{fragment, fragment_policy};
pub use installing::{Company, Installation, installed, uninstall, uninstalled};
pub use keeping::{keep_fragment, keep_fragment_policy, resend, resend_body, resend_policy};
pub use layout::{Footing, Page, content_security_policy};
pub use onward::onward;
pub use signed_out::signed_out;
pub use trouble::{LoopHint, NoSignIn, NotAllowed, NotSent, Trouble, trouble};
