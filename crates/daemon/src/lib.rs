//! chatd, the chat daemon: the core's types wired to sockets, threads and SQLite.
//!
//! Owns configuration, listeners, connections, the sequencer, the fan-out and the store. What any
//! of them may decide is in `chat-core`; what the bytes mean is in `chat-proto`.

mod account_rates;
mod arrival;
mod clock;
pub mod config;
mod conn_number;
pub mod ctl;
mod fair_queue;
mod fanout;
pub mod identity;
mod ip_network;
mod listener;
mod live;
mod liveness;
mod mailbox;
mod memory;
mod memory_return;
mod network_limits;
mod notices;
mod opening;
mod peer;
pub mod protocols;
mod proxy_header;
mod quotas;
mod reactor;
mod reader;
pub mod ready;
mod ready_list;
mod refusals;
mod sequencer;
mod server;
mod socket;
mod start_error;
pub mod store;
#[cfg(all(target_os = "linux", not(feature = "portable")))]
#[path = "system/linux/mod.rs"]
mod system;
#[cfg(any(not(target_os = "linux"), feature = "portable"))]
#[path = "system/portable/mod.rs"]
mod system;
mod tails;
mod timer;
mod tls;
mod transport;
mod vital;
mod wait;

pub use config::Config;
pub use live::MetricsSnapshot;
pub use server::Server;
pub use start_error::StartError;
pub use store::Durability;
pub use tls::{CertificateError, CertificateFiles, TlsCertificate};
pub use vital::VitalPart;
