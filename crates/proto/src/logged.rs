//! The table of logged events: for each its number, its fields, and the value that the golden bytes
//! are of. Structs, [`crate::Kind`] and the tests of the wire are made from it, and know no event
//! one by one.
//!
//! It must not know what follows from an event. Each begins with the fields of [`crate::LoggedHead`].

mod moderation;
mod rooms;

use crate::wire::{Decode, Encode, body};
use crate::{
    AccountId, CredentialId, InvitationId, LogId, MessageId, RoomId, Seq, TextBody, Timestamp,
};

/// Hands the table to another macro, behind what that one is given besides. What stands behind the
/// `=` of a field is for `tests/wire/samples.rs` alone.
#[doc(hidden)]
#[macro_export]
macro_rules! logged_events {
    ($made:ident! { $($given:tt)* }) => {
        // What is set of rooms, and what moderators do, stand in files of their own, and come last.
        $crate::room_events! { $made! {
            $($given)*
            /// A message. Logged in a room.
            Posted = 0x0301 {
                /// The room in whose log it stands.
                room: RoomId = RoomId(7),
                /// Its place in that log.
                seq: Seq = Seq(1000),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who said it.
                from: AccountId = AccountId(300),
                /// Its id, made of the sender's credential and the nonce.
                id: MessageId = message_id(),
                /// What is said.
                body: TextBody = full_text(),
            }
            /// An account became a member. Logged in a room.
            Joined = 0x0302 {
                /// The room in whose log it stands.
                room: RoomId = RoomId(7),
                /// Its place in that log.
                seq: Seq = Seq(1000),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// The account that is a member from now on.
                account: AccountId = AccountId(300),
            }
            /// A membership ended. Logged in a room.
            Left = 0x0303 {
                /// The room in whose log it stands.
                room: RoomId = RoomId(7),
                /// Its place in that log.
                seq: Seq = Seq(1000),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// The account that is none any more.
                account: AccountId = AccountId(300),
            }
            /// The first event of a room.
            RoomCreated = 0x0304 {
                /// The room, whose log begins here.
                room: RoomId = RoomId(7),
                /// Its place in that log: 1.
                seq: Seq = Seq(1),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who made it; 0: the daemon.
                by: AccountId = AccountId(0),
                /// Its first name, without `#`.
                name: String = "lobby".into(),
            }
            /// The last event of a room: nobody is in it any more, and nothing was ever said there. Nothing
            /// of it is kept.
            RoomRemoved = 0x0308 {
                /// The room, whose log ends here.
                room: RoomId = RoomId(7),
                /// Its place in that log.
                seq: Seq = Seq(4),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
            }
            /// A member of the room has another role. Logged in a room.
            RoleSet = 0x0310 {
                /// The room in whose log it stands.
                room: RoomId = RoomId(7),
                /// Its place in that log.
                seq: Seq = Seq(1000),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who gave it; 0: the daemon, as the last owner has gone.
                by: AccountId = AccountId(70_000),
                /// Whose it is.
                account: AccountId = AccountId(300),
                /// The number of the [`crate::Role`] from now on.
                role: u16 = 2,
            }
            /// The first event of an account's own log.
            AccountCreated = 0x0381 {
                /// The account in whose own log it stands.
                account: AccountId = AccountId(300),
                /// Its place in that log: 1.
                seq: Seq = Seq(1),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// The first nickname.
                name: String = "ada".into(),
            }
            /// The account has another nickname. Logged in its own log.
            AccountRenamed = 0x0382 {
                /// The account in whose own log it stands.
                account: AccountId = AccountId(300),
                /// Its place in that log.
                seq: Seq = Seq(2),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who did it: the account itself, or 0, whoever runs the server.
                by: AccountId = AccountId(300),
                /// The nickname from now on.
                name: String = "ada-2".into(),
            }
            /// The account became a member of a room. Logged in its own log.
            RoomJoined = 0x0383 {
                /// The account in whose own log it stands.
                account: AccountId = AccountId(300),
                /// Its place in that log.
                seq: Seq = Seq(2),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// The room that it is a member of from now on.
                room: RoomId = RoomId(7),
            }
            /// The account's membership of a room ended. Logged in its own log.
            RoomLeft = 0x0384 {
                /// The account in whose own log it stands.
                account: AccountId = AccountId(300),
                /// Its place in that log.
                seq: Seq = Seq(2),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// The room that it is no member of any more.
                room: RoomId = RoomId(7),
            }
            /// Nobody signs in to the account from now on, and whoever has is signed out. Logged in its own log.
            AccountDisabled = 0x0398 {
                /// The account in whose own log it stands.
                account: AccountId = AccountId(300),
                /// Its place in that log.
                seq: Seq = Seq(2),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who did it; 0: whoever runs the server.
                by: AccountId = AccountId(0),
                /// Why, in words for whoever has its key; may be empty.
                reason: String = "left".into(),
            }
            /// The account may be signed in to again. Logged in its own log.
            AccountEnabled = 0x0399 {
                /// The account in whose own log it stands.
                account: AccountId = AccountId(300),
                /// Its place in that log.
                seq: Seq = Seq(2),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who did it; 0: whoever runs the server.
                by: AccountId = AccountId(0),
            }
            /// The account is an administrator of the server from now on, or is none any more. Logged in its own log.
            AdministratorSet = 0x039A {
                /// The account in whose own log it stands.
                account: AccountId = AccountId(300),
                /// Its place in that log.
                seq: Seq = Seq(2),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who did it; 0: whoever runs the server.
                by: AccountId = AccountId(0),
                /// Whether it is one.
                is_set: bool = true,
            }
            /// Somebody else than its owner has given the account a key. Logged in its own log.
            KeySet = 0x039B {
                /// The account in whose own log it stands.
                account: AccountId = AccountId(300),
                /// Its place in that log.
                seq: Seq = Seq(2),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who did it; 0: whoever runs the server.
                by: AccountId = AccountId(0),
                /// What people compare, as `ssh-keygen -l` shows it.
                fingerprint: String = "SHA256:abc".into(),
            }
            /// Another credential signs in to the account. Logged in its own log.
            CredentialAdded = 0x039C {
                /// The account in whose own log it stands.
                account: AccountId = AccountId(300),
                /// Its place in that log.
                seq: Seq = Seq(2),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Which one.
                credential: CredentialId = credential_id(),
                /// What the device calls itself.
                label: String = "laptop".into(),
            }
            /// A credential signs in to the account no more. Logged in its own log.
            CredentialRemoved = 0x039D {
                /// The account in whose own log it stands.
                account: AccountId = AccountId(300),
                /// Its place in that log.
                seq: Seq = Seq(2),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Which one.
                credential: CredentialId = credential_id(),
            }
            /// The account is a program's, which signs in with a token. Logged in its own log, behind its first
            /// event.
            BotCreated = 0x039F {
                /// The account in whose own log it stands.
                account: AccountId = AccountId(300),
                /// Its place in that log.
                seq: Seq = Seq(2),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who made it; 0: whoever runs the server.
                by: AccountId = AccountId(0),
                /// What its token is for: words, with commas between.
                can: String = "send,read".into(),
                /// From when on the token is good for nothing; 0: never.
                expires: Timestamp = Timestamp(1_767_225_600_000),
            }
            /// One device more may sign in to the account, with a code, in the next ten minutes. Logged in
            /// its own log.
            LinkOpened = 0x039E {
                /// The account in whose own log it stands.
                account: AccountId = AccountId(300),
                /// Its place in that log.
                seq: Seq = Seq(2),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
            }
            /// Somebody may come in with a code. Logged in the server's own log.
            InvitationCreated = 0x03C0 {
                /// The server's own log, in which it stands.
                log: LogId = LogId::SERVER,
                /// Its place in that log.
                seq: Seq = Seq(1000),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Names the invitation.
                invitation: InvitationId = InvitationId(90_210),
                /// Who has made it; 0: whoever runs the server.
                by: AccountId = AccountId(300),
                /// How many accounts may be made with it.
                uses: u32 = 20,
                /// It is good before this time.
                expires: Timestamp = Timestamp(1_767_830_400_000),
                /// For whom it is, as it was said; may be empty.
                name: String = "ada".into(),
            }
            /// An account was made with an invitation. Logged in the server's own log.
            InvitationUsed = 0x03C1 {
                /// The server's own log, in which it stands.
                log: LogId = LogId::SERVER,
                /// Its place in that log.
                seq: Seq = Seq(1000),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Names the invitation.
                invitation: InvitationId = InvitationId(90_210),
                /// Who has come in.
                account: AccountId = AccountId(301),
            }
            /// An invitation is good for nothing any more. Logged in the server's own log.
            InvitationRevoked = 0x03C2 {
                /// The server's own log, in which it stands.
                log: LogId = LogId::SERVER,
                /// Its place in that log.
                seq: Seq = Seq(1000),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Names the invitation.
                invitation: InvitationId = InvitationId(90_210),
                /// Who has ended it; 0: whoever runs the server.
                by: AccountId = AccountId(300),
            }
        } }
    };
}

macro_rules! bodies {
    ($(
        $(#[$doc:meta])*
        $name:ident = $number:literal {
            $($(#[$field_doc:meta])* $field:ident: $type:ty = $sample:expr,)*
        }
    )*) => {
        $(body! {
            $(#[$doc])*
            $name {
                $($(#[$field_doc])* $field: $type,)*
            }
        })*
    };
}

logged_events!(bodies! {});
