//! The rows of the table of logged events that tell of what is set of rooms, and of conversations of two.
//!
//! It must not know what follows from them.

/// Hands the rows to the table of what moderators do, for another macro, behind those that it is given
/// besides.
#[doc(hidden)]
#[macro_export]
macro_rules! room_events {
    ($made:ident! { $($given:tt)* }) => {
        $crate::moderation_events! { $made! {
            $($given)*
            /// Others know of the room from now on, or not. Logged in a room.
            AccessSet = 0x0311 {
                /// The room in whose log it stands.
                room: RoomId = RoomId(7),
                /// Its place in that log.
                seq: Seq = Seq(1000),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who did it.
                by: AccountId = AccountId(70_000),
                /// Whether only its members, and who is invited, know of it.
                is_private: bool = true,
            }
            /// An account may join the room from now on, or not. Logged in a room.
            InvitationSet = 0x0312 {
                /// The room in whose log it stands.
                room: RoomId = RoomId(7),
                /// Its place in that log.
                seq: Seq = Seq(1000),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who did it.
                by: AccountId = AccountId(70_000),
                /// Who is invited.
                account: AccountId = AccountId(300),
                /// Whether it is invited, or no more.
                is_set: bool = true,
            }
            /// The room is about something else. Logged in a room.
            TopicSet = 0x0313 {
                /// The room in whose log it stands.
                room: RoomId = RoomId(7),
                /// Its place in that log.
                seq: Seq = Seq(1000),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who did it.
                by: AccountId = AccountId(70_000),
                /// What it is about; empty: nothing is said of it.
                topic: String = "who brings what".into(),
            }
            /// Members may post in the room from now on, or not. Logged in a room.
            ReadOnlySet = 0x0314 {
                /// The room in whose log it stands.
                room: RoomId = RoomId(7),
                /// Its place in that log.
                seq: Seq = Seq(1000),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who did it.
                by: AccountId = AccountId(70_000),
                /// Whether only its moderators and owners may.
                is_read_only: bool = true,
            }
            /// The first event of a conversation of two accounts.
            DirectBegun = 0x0315 {
                /// The room in whose log it stands.
                room: RoomId = RoomId(7),
                /// Its place in that log.
                seq: Seq = Seq(1),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// Who did it.
                by: AccountId = AccountId(70_000),
                /// The other.
                account: AccountId = AccountId(300),
            }
            /// The account may join a room that it may not know of otherwise. Logged in its own log.
            RoomInvited = 0x0390 {
                /// The account in whose own log it stands.
                account: AccountId = AccountId(300),
                /// Its place in that log.
                seq: Seq = Seq(2),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// The room that it may join from now on.
                room: RoomId = RoomId(7),
                /// Who invited it.
                by: AccountId = AccountId(70_000),
                /// The room's name, without `#`.
                name: String = "den".into(),
            }
            /// An invitation was taken back. Logged in the account's own log.
            InvitationWithdrawn = 0x0391 {
                /// The account in whose own log it stands.
                account: AccountId = AccountId(300),
                /// Its place in that log.
                seq: Seq = Seq(2),
                /// When it was put there: milliseconds of UTC since 1970, never before the event before it.
                ts: Timestamp = Timestamp(1_767_225_600_000),
                /// The room that it may not join any more.
                room: RoomId = RoomId(7),
            }
        } }
    };
}
