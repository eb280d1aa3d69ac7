//! The pages people see when something stands between them and the app: plain, escaped, scriptless but
//! for two that keep what a sign-in would lose, one that reads an answer behind the `#`, and one that tells
//! another page of a sign-in.

mod chooser;
mod fragment;
mod installing;
mod keeping;
mod layout;
mod onward;
mod renewed;
mod signed_out;
mod trouble;
mod words;
mod words_of_posts;

pub use chooser::{Choice, chooser};
pub use fragment::{fragment, fragment_policy};
pub use installing::{Company, Installation, installed, uninstall, uninstalled};
pub use keeping::{keep_fragment, keep_fragment_policy, resend, resend_body, resend_policy};
pub use layout::{Footing, Page, content_security_policy};
pub use onward::onward;
pub use renewed::{renew_script, renewed, renewed_policy};
pub use signed_out::signed_out;
pub use trouble::{LoopHint, NoSignIn, NotAllowed, NotSent, Trouble, trouble};
