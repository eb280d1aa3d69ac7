//! What is counted across requests: places that are taken, and turns that come again with time.

mod crowds;
mod failures;
mod house;
mod ledger;
mod lines;
mod places;
mod turns;

pub use crowds::{Crowds, Member};
pub use failures::Failures;
pub use house::{Guest, House};
pub use lines::{LineBounds, LineFull, Lines, Turn};
pub use places::{Place, Places};
pub use turns::{Standing, Turns};
