//! The wire protocol of chatd: frames, requests, replies, events, ids, names and limits.
//!
//! Owns every byte that crosses a connection, and the rules for names. It must not know
//! about sockets, storage or time: everything here is data and pure functions.
//! `docs/PROTOCOL.md` describes the same bytes for people who write clients in other languages.

mod borrowed;
mod channel;
mod code;
mod credential;
mod event;
mod frame;
mod frame_buffer;
mod handshake;
mod ids;
mod invitation;
mod kind;
pub mod limits;
mod link_code;
mod logged;
mod moderation;
mod name;
mod reply;
mod request;
mod request_table;
mod role;
mod ssh;
mod text;
mod text_body;
mod token;
mod wire;

pub use borrowed::{MemberRef, PostedRef, SubscribedRef};
pub use channel::{ALPN, ChannelBinding, EXPORTER_LABEL};
pub use code::{CloseReason, CredentialKind, ErrorCode, GapReason, ProofKind, TextKind};
pub use credential::{Credential, KeyDigest, TokenId};
pub use event::{Close, Gap, LoggedHead, Presence, Probe, Renamed, SubscriptionEnded};
pub use frame::{
    Announced, Frame, FrameCodec, FrameError, FrameRef, HEADER_BYTES, MAGIC, encode_frame,
    frame_end,
};
pub use frame_buffer::FrameBuffer;
pub use handshake::{
    Hello, Limits, LinkDevice, SignIn, SignedIn, Welcome, sign_in_transcript, welcome_transcript,
};
pub use ids::{
    AccountId, AttachmentId, CredentialId, Epoch, EventSeq, InvitationId, LogId, MessageId, Nonce,
    Position, PublicKey, RequestId, RoomId, Seq, SessionId, StreamId, Timestamp,
};
pub use invitation::{InvitationCode, InvitationHash, ParseCodeError};
pub use kind::Kind;
pub use link_code::{LinkCode, LinkCodeHash};
// The module has nothing but the bodies of logged events.
pub use logged::*;
// The module has nothing but bodies and the rule of reasons.
pub use moderation::*;
pub use name::{NameError, Nickname, RoomName, looks, names_collide, spells_like_a_name};
pub use reply::{
    AccountInfo, AccountList, Ack, Device, DeviceList, Done, Error, HistoryPage, InvitationInfo,
    InvitationList, InvitationMade, Member, MemberList, Message, Pong, Reset, RoomInfo, RoomList,
    Subscribed,
};
// The module has nothing but the bodies of requests.
pub use request::*;
pub use request_table::{
    AnyRequest, CommandRequest, QueryRequest, ReplyBody, Request, SubscribeReply, Window,
};
pub use role::{NoRole, Role};
pub use ssh::{
    SSHSIG_NAMESPACE, SshFields, SshKey, SshSignature, is_user_present, put_ssh_string,
    security_key_message, ssh_ed25519_key, sshsig_message,
};
pub use text::{TextError, check_text};
pub use text_body::{Context, TextBody, TextRef};
pub use token::Token;
pub use wire::{Body, List, WireError, Written, decode, decode_known_part};

/// The TCP port of a daemon that was not told another one.
pub const DEFAULT_PORT: u16 = 5018;
