//! From "not signed in" to a session: attempts, callbacks, posted claims, and the way out.

mod attempt;
mod begin;
mod binding;
mod callback;
mod consent;
mod desk;
mod failure;
mod kept_post;
mod posted;
mod shelf;
mod sign_out;
mod target;

pub use begin::Wish;
pub use consent::{Consent, Consents};
pub use desk::{Counter, Desk};
pub use failure::{Failed, Failure, Outcome};
pub use kept_post::{KeptPost, Post, Waiting};
pub use shelf::ShelfFull;
