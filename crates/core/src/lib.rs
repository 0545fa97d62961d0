//! The deterministic heart of chatd: everything that carries a promise, and nothing that does I/O.
//!
//! ```text
//! Frame → Session → Command → State::apply → Store::commit → Tail → Cursor
//! ```
//!
//! No socket, no clock, no random number, no runtime: time, ids and keys come in as data. The
//! daemon drives these types with real sockets and SQLite; the simulator drives the same types
//! with a seeded network and disk.

mod conversation;
mod decision;
mod log;
mod pipeline;

#[cfg(any(test, feature = "conformance"))]
pub use conversation::introduction;
#[cfg(feature = "conformance")]
pub use log::conformance;

pub use conversation::connection::{Connection, Output, Transmit};
pub use conversation::cursor::{Cursor, FrameRun, Read};
pub use conversation::follower::{Follower, RevocationNumber};
pub use conversation::keys::{ServerKey, Signatures};
pub use conversation::pace::WakePace;
pub use conversation::pace_table::{PACE_ENTRIES_MAX, Pace, PaceTable, TooFast};
pub use conversation::presence::PresenceReport;
pub use conversation::rate::{Rate, TokenBucket, TurnTokens};
pub use conversation::reply::{Effect, Opening, Reply, Roster};
pub use conversation::session::{
    Admission, Closing, ReceivedRequest, Request, Session, SessionSeed, Step, WayIn,
};
pub use conversation::subscriptions::{DiskRead, Subscriptions, TailHandle, Work};
pub use conversation::tail::Tail;
pub use decision::admission::{NewInvitation, Registration};
pub use decision::bot_scope::BotScope;
pub use decision::command::{
    AccountChange, AccountOrder, Action, BotOrder, Command, DeviceLink, Moderation, RoomChange,
    SanctionKind, UnreadableCommand,
};
pub use decision::input::{Input, Local, Ordered, Unsequenced};
pub use decision::lone_submitter::LoneSubmitter;
pub use decision::names::{NameKey, NameKeys, NameStem, Named, WishedName};
pub use decision::operator::{
    AccountSummary, Census, OPERATOR, OPERATOR_PAGE, OperatorAnswer, OperatorQuery,
};
pub use decision::order::{OrderDigest, OrderProgress, Place, Submission, SubmitterId};
pub use decision::post::{AfterRefused, BodyDigest, PostBody};
pub use decision::refusal::Refusal;
pub use decision::secret::StoreSecret;
pub use decision::state::{
    AccountRow, Answer, BotRow, CredentialRow, Decision, InvitationRow, LinkRow, RULES,
    RestoreError, RoomRow, Sanction, SanctionRow, Snapshot, State, direct_name,
};
pub use log::event::{
    AccountSetting, Batch, Columns, Content, Event, EventKind, EventRow, InvitationColumns,
    LogOwner, MessageColumns, MissingColumn, RoomSetting, StateChange,
};
pub use log::fanout::{Conn, Fanout, HistoryRead, Origin, Removal, StoreRead};
pub use log::lineage::{Lineage, Witness};
pub use log::lookup::{BoundStream, Lookup, PastSend, StoreError};
pub use log::record::{Genesis, Record};
pub use log::store::{Begun, Store};
pub use pipeline::{AccountPaces, Failed, Pipeline};
