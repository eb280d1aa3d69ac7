//! Listeners, workers and their end: what carries the gateway.

mod admin;
mod admin_state;
mod api;
mod assemble;
mod certificates;
mod connection;
mod doors;
mod doorway;
mod drain;
mod guard;
mod handshake;
mod http2;
mod introduction;
mod listener;
mod noting;
mod reception;
mod renewals;
mod report;
mod run;
mod seldom;
mod socket;
mod sockets;
mod status;
mod streams;
mod teller;
mod unix_socket;
mod worker;

pub use assemble::{Options, StartFailed};
pub use guard::{Farewell, Fault, Guard, Head, HeadScan, Opening, Parted, Terms, WayBack};
pub use http2::{Forewarning, Heard, Http2Terms, Notice, Refusal, Watched};
pub use report::{Changed, Wanted};
pub use run::Running;
pub use socket::Listening;
pub use sockets::{Sockets, passed_name};
pub use unix_socket::SocketFailed;
