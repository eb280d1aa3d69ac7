//! Signed-in state, and the stores that keep it.

mod chunks;
mod ended;
mod handle;
mod heirs;
mod lately;
mod lifetimes;
mod marks;
mod memory;
mod opened;
mod record;
mod records;
mod remembered;
mod revocations;
mod sessions;
mod shared_records;
mod state;
mod store;
mod what;

pub use chunks::{Chunked, TooLong};
pub use heirs::{Kind, Note};
pub use lifetimes::Lifetimes;
pub use marks::Source;
pub use memory::Memory;
pub use record::Record;
pub use records::Records;
pub use remembered::{Full, Remembered};
pub use revocations::{NotSpread, Revocations};
pub use sessions::{Loaded, Made, Question, Sessions};
pub use shared_records::SharedRecords;
pub use state::{SessionId, SessionState};
pub use store::{NotKept, Store};
pub use what::What;
