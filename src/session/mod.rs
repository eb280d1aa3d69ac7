//! Signed-in state, and the stores that keep it.

mod chunks;
mod handle;
mod heirs;
mod lately;
mod lifetimes;
mod memory;
mod newer;
mod opened;
mod record;
mod records;
mod refresh;
mod refreshing;
mod remembered;
mod sessions;
mod shared_records;
mod state;
mod store;

pub use chunks::{Chunked, TooLong};
pub use heirs::{Kind, Note};
pub use lifetimes::Lifetimes;
pub use memory::Memory;
pub use newer::Newer;
pub use record::Record;
pub use records::Records;
pub use refresh::{Given, Refresh};
pub use refreshing::Newest;
pub use remembered::{Ended, Full, Remembered};
pub use sessions::{Loaded, Made, Question, Sessions};
pub use shared_records::SharedRecords;
pub use state::{SessionId, SessionState};
pub use store::{NotKept, Store};
