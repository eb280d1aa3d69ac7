//! Signed-in state, and the sealed cookie that carries it.

mod chunks;
mod heirs;
mod memory;
mod opened;
mod remembered;
mod sealed_cookie;
mod state;

pub use chunks::{Chunked, TooLong};
pub use heirs::{Kind, Note};
pub use memory::Memory;
pub use remembered::{Ended, Full, Remembered};
pub use sealed_cookie::{Loaded, SealedCookie};
pub use state::{SessionId, SessionState};
