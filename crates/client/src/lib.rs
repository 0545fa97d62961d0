//! The client library of chatd.
//!
//! Owns what every client of the daemon needs, whatever it looks like: [`outbox`], [`send_queue`],
//! [`resume`], [`names`] and [`pages`] are sans-IO and carry the promises; over them a driver
//! connects, signs in, sends, follows and
//! reconnects. It must not know about terminals.
//!
//! [`start`] gives a [`Client`] to ask and send with, and [`Events`] to read.

mod answers;
mod backoff;
mod calls;
mod client;
mod config;
mod connection;
mod devices;
mod driver;
mod event;
mod event_queue;
mod eyeballs;
mod following;
mod identity;
mod invitations;
mod journal;
mod journal_writer;
mod known_servers;
mod link;
mod listed;
mod logged;
mod memberships;
mod moderated;
mod moderating;
pub mod names;
mod online;
pub mod outbox;
mod outbox_dir;
pub mod pages;
mod request;
mod requests;
pub mod resume;
mod room_settings;
pub mod send_queue;
mod sending;
mod start;
mod target;
mod tls;

/// What a person sees of text that somebody else wrote.
pub use chat_inert as sanitize;

pub use answers::{AckFuture, HistoryPage, NoAck, REQUEST_TIMEOUT, RequestError, SendError, Sent};
pub use client::{Client, Events, start};
pub use config::{CONNECT_TIMEOUT, Config, DeviceLink, Name, OutboxKind};
pub use event::{
    Connected, Event, Message, Outgoing, OutgoingState, Refusal, RoomChange, RoomChanged, RoomNews,
    Subscribed,
};
#[doc(hidden)]
pub use identity::is_agent_answer;
pub use identity::{AgentError, Identity, IdentityChoice, IdentityError, PassphraseError};
pub use moderated::{Deed, Moderated, Removed, Reported};
pub use outbox::Destination;
pub use resume::AfterReset;
pub use start::StartError;
pub use target::{Fingerprint, Target, TargetError, TargetUrl};
pub use tls::TlsPolicy;
