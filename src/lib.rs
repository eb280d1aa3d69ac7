//! Signs people in with SuperOffice's SuperID in front of any web app.

#[cfg(feature = "emulator")]
pub mod emulator;
