//! The configuration: what is accepted, what is refused and in which words, and what is documented.

mod commands;
mod examples;
mod golden;
mod hostile;
mod reference;
mod scratch;
