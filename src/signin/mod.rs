//! From "not signed in" to a session: attempts, callbacks, posted claims, and the way out.

mod answer;
mod attempt;
mod begin;
mod binding;
mod callback;
mod consent;
mod desk;
mod failure;
mod handover;
mod held;
mod not_believed;
mod posted;
mod said;
mod sign_out;
mod target;
mod used;

pub use answer::is_answer;
pub use begin::Wish;
pub use consent::{Consent, Consents};
pub use desk::{Counter, Desk};
pub use failure::{Failed, Failure, Outcome};
pub use held::provider_origin;
pub use posted::takes_address;
