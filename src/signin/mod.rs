//! From "not signed in" to a session: attempts, callbacks, posted claims, and the way out.

mod answer;
mod attempt;
mod begin;
mod binding;
mod callback;
mod consent;
mod desk;
mod elsewhere;
mod ended_elsewhere;
mod failure;
mod federated;
mod form_origin;
mod handover;
mod held;
mod kept_post;
mod not_believed;
mod posted;
mod posts;
mod queries;
mod said;
mod shelf;
mod sign_out;
mod target;
mod used;

pub use answer::is_answer;
pub use begin::Wish;
pub use consent::{Consent, Consents};
pub use desk::{Counter, Desk};
pub use ended_elsewhere::{EndedElsewhere, NotEnded};
pub use failure::{Failed, Failure, Outcome};
pub use federated::asks_to_clean_up;
pub use kept_post::{HandedOut, KeptPost, Post, Waiting};
pub use posted::takes_address;
pub use posts::PostNotKept;
