//! The rows of the table of logged events that tell of what moderators do.
//!
//! It must not know what follows from them.

/// Hands the rows to another macro, behind those that it is given besides.
#[doc(hidden)]
#[macro_export]
macro_rules! moderation_events {
    ($made:ident! { $($given:tt)* }) => {
        $made! {
            $($given)*
            /// A moderator has ended a membership. Logged in a room.
            Kicked = 0x0318 {
                /// The room in whose log it stands.
                room: RoomId = RoomId(7),
                /// Its place in that log.
                seq: Seq = Seq(1000),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// The account that is no member any more.
                account: AccountId = AccountId(301),
                /// Who ended it.
                by: AccountId = AccountId(300),
                /// Why; may be empty.
                reason: String = "spam".into(),
            }
            /// An account is kept out: it is no member (any more), and reads nothing here. Logged in a room.
            Banned = 0x0319 {
                /// The room in whose log it stands.
                room: RoomId = RoomId(7),
                /// Its place in that log.
                seq: Seq = Seq(1000),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who is kept out.
                account: AccountId = AccountId(301),
                /// Who did it.
                by: AccountId = AccountId(300),
                /// When that ends; 0: not by itself.
                until: Timestamp = Timestamp(1_767_312_000_000),
                /// Why; may be empty.
                reason: String = "spam".into(),
            }
            /// An account is kept out no longer. Logged in a room.
            Unbanned = 0x031A {
                /// The room in whose log it stands.
                room: RoomId = RoomId(7),
                /// Its place in that log.
                seq: Seq = Seq(1000),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who was kept out.
                account: AccountId = AccountId(301),
                /// Who ended it.
                by: AccountId = AccountId(300),
            }
            /// An account says nothing from now on. Logged in a room.
            Muted = 0x031B {
                /// The room in whose log it stands.
                room: RoomId = RoomId(7),
                /// Its place in that log.
                seq: Seq = Seq(1000),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who is mute.
                account: AccountId = AccountId(301),
                /// Who did it.
                by: AccountId = AccountId(300),
                /// When that ends; 0: not by itself.
                until: Timestamp = Timestamp(1_767_312_000_000),
                /// Why; may be empty.
                reason: String = "spam".into(),
            }
            /// An account may speak again. Logged in a room.
            Unmuted = 0x031C {
                /// The room in whose log it stands.
                room: RoomId = RoomId(7),
                /// Its place in that log.
                seq: Seq = Seq(1000),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who was mute.
                account: AccountId = AccountId(301),
                /// Who ended it.
                by: AccountId = AccountId(300),
            }
            /// From now on a member says at most one thing in so many seconds. Logged in a room.
            SlowSet = 0x031D {
                /// The room in whose log it stands.
                room: RoomId = RoomId(7),
                /// Its place in that log.
                seq: Seq = Seq(1000),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who did it.
                by: AccountId = AccountId(300),
                /// How long a member waits behind each message; 0: not at all.
                seconds: u32 = 300,
            }
            /// What an account has said is taken away: its texts are nowhere any more. Logged in a room.
            MessagesRemoved = 0x031E {
                /// The room in whose log it stands.
                room: RoomId = RoomId(7),
                /// Its place in that log. It is about what stands before it.
                seq: Seq = Seq(1000),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who said it.
                account: AccountId = AccountId(301),
                /// Who took it away.
                by: AccountId = AccountId(300),
                /// From this time on; 0: whatever was said ever.
                since: Timestamp = Timestamp(1_767_222_000_000),
            }
            /// A moderator has ended the account's membership of a room. Logged in its own log.
            RoomKicked = 0x0394 {
                /// The account in whose own log it stands.
                account: AccountId = AccountId(300),
                /// Its place in that log.
                seq: Seq = Seq(2),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// The room that it is no member of any more.
                room: RoomId = RoomId(7),
                /// Who ended it.
                by: AccountId = AccountId(301),
                /// Why; may be empty.
                reason: String = "spam".into(),
            }
            /// The account is kept out of a room, and is no member of it (any more). Logged in its own log.
            RoomBanned = 0x0395 {
                /// The account in whose own log it stands.
                account: AccountId = AccountId(300),
                /// Its place in that log.
                seq: Seq = Seq(2),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// The room.
                room: RoomId = RoomId(7),
                /// Who did it.
                by: AccountId = AccountId(301),
                /// When that ends; 0: not by itself.
                until: Timestamp = Timestamp(1_767_312_000_000),
                /// Why; may be empty.
                reason: String = "spam".into(),
            }
            /// The account is kept out of a room no longer. Logged in its own log.
            RoomUnbanned = 0x0396 {
                /// The account in whose own log it stands.
                account: AccountId = AccountId(300),
                /// Its place in that log.
                seq: Seq = Seq(2),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// The room.
                room: RoomId = RoomId(7),
                /// Who ended it.
                by: AccountId = AccountId(301),
            }
            /// Somebody shows a message to those who moderate its room, of whom the account is one. Logged in its
            /// own log.
            Reported = 0x0397 {
                /// The account in whose own log it stands.
                account: AccountId = AccountId(300),
                /// Its place in that log.
                seq: Seq = Seq(2),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// The room.
                room: RoomId = RoomId(7),
                /// Who shows it.
                by: AccountId = AccountId(301),
                /// The message's place in the room's log.
                message: Seq = Seq(300),
                /// Why; may be empty.
                reason: String = "spam".into(),
            }
        }
    };
}
