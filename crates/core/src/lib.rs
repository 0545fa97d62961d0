//! The deterministic heart of chatd: everything that carries a promise, and nothing that does I/O.
//!
//! ```text
//! Frame → Session → Command → State::apply → Store::commit → Tail → Cursor
//! ```
//!
//! No socket, no clock, no random number, no runtime: time, ids and keys come in as data. The
//! daemon drives these types with real sockets and SQLite; the simulator drives the same types
//! with a seeded network and disk.

mod command;
#[cfg(feature = "conformance")]
pub mod conformance;
mod connection;
mod cursor;
mod event;
mod fanout;
mod feed;
mod idset;
mod input;
#[cfg(any(test, feature = "conformance"))]
pub mod introduction;
mod keys;
mod lineage;
mod names;
mod order;
mod pace;
mod permutation;
mod pipeline;
mod post;
mod presence;
mod rate;
mod refusal;
mod secret;
mod session;
mod state;
mod store;
mod tail;

pub use command::{Action, Command, UnreadableCommand};
pub use connection::{Connection, Output, Parcel};
pub use cursor::{Cursor, Read, Run};
pub use event::{
    Batch, Columns, Content, Event, EventKind, EventRow, LogOwner, MessageColumns, MissingColumn,
    StateChange,
};
pub use fanout::{Conn, Effect, Fanout, HistoryRead, Origin, Reply, StoreRead};
pub use feed::{DiskRead, Feed, TailHandle, Work};
pub use input::{Input, Local, Ordered, Unsequenced};
pub use keys::{Ed25519, ServerKey};
pub use lineage::{Lineage, Witness};
pub use order::{LoneSubmitter, OrderDigest, OrderProgress, Place, Submission, SubmitterId};
pub use pace::WakePace;
pub use pipeline::{Failed, Pipeline};
pub use post::{BodyDigest, PostBody};
pub use presence::PresenceReport;
pub use rate::{Rate, TokenBucket};
pub use refusal::Refusal;
pub use secret::StoreSecret;
pub use session::{Admission, Closing, ReceivedRequest, Request, Session, SessionSeed, Step};
pub use state::{AccountRow, Answer, Decision, RULES, RestoreError, RoomRow, State};
pub use store::{
    Begun, BoundStream, Genesis, Lookup, PastSend, Record, RefusedSend, Snapshot, Store, StoreError,
};
pub use tail::Tail;
