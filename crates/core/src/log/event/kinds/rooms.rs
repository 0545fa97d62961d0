//! The rows of the table of kinds that tell of what is set of rooms, and of conversations of two.
//!
//! It must not know who may do it.

/// Hands the rows, behind those that it is given, to the next macro, for the one that makes something of
/// them.
macro_rules! room_kinds {
    ($next:ident! $($made:ident!)+ { $($given:tt)* }) => {
        $next! { $($made!)+ {
            $($given)*

            /// In an account's log: it may join a room.
            RoomInvited = "room_invited" of Account {
                /// The room.
                room: RoomId,
                /// Who invited it.
                by: AccountId,
                /// The room's name, of which the account may hear nowhere else.
                name: RoomName,
            }
            row(log) Columns {
                account: Some(AccountId(log.0)),
                by: Some(*by),
                room: Some(*room),
                words: Some(name.as_str()),
                ..Columns::default()
            };
            frame(row) RoomInvited {
                account: row.own_account(), seq: row.seq, ts: row.ts,
                room: row.columns.room()?,
                by: row.columns.by()?,
                name: row.columns.words()?.to_owned(),
            };
            // The event in the room's log does.
            change StateChange::Nothing;

            /// In an account's log: an invitation was taken back.
            InvitationWithdrawn = "invitation_withdrawn" of Account {
                /// The room.
                room: RoomId,
            }
            row(log) Columns {
                account: Some(AccountId(log.0)),
                room: Some(*room),
                ..Columns::default()
            };
            frame(row) InvitationWithdrawn {
                account: row.own_account(), seq: row.seq, ts: row.ts,
                room: row.columns.room()?,
            };
            // The event in the room's log does.
            change StateChange::Nothing;

            /// In a room's log: others know of the room from now on, or not.
            AccessSet = "access_set" of Room {
                /// Who did it.
                by: AccountId,
                /// Whether only its members, and who is invited, know of it.
                is_private: bool,
            }
            row(log) Columns { by: Some(*by), number: Some(u64::from(*is_private)), ..Columns::default() };
            frame(row) AccessSet {
                room: row.own_room(), seq: row.seq, ts: row.ts,
                by: row.columns.by()?,
                is_private: row.columns.flag()?,
            };
            change StateChange::RoomSet(RoomSetting::Access { is_private: *is_private });

            /// In a room's log: an account may join it from now on, or not.
            InvitationSet = "invitation_set" of Room {
                /// Who did it.
                by: AccountId,
                /// Who is invited.
                account: AccountId,
                /// Whether it is invited, or no more.
                is_set: bool,
            }
            row(log) Columns { account: Some(*account), by: Some(*by), number: Some(u64::from(*is_set)), ..Columns::default() };
            frame(row) InvitationSet {
                room: row.own_room(), seq: row.seq, ts: row.ts,
                by: row.columns.by()?,
                account: row.columns.account()?,
                is_set: row.columns.flag()?,
            };
            change StateChange::RoomSet(RoomSetting::Invitation { account: *account, is_set: *is_set });

            /// In a room's log: it is about something else.
            TopicSet = "topic_set" of Room {
                /// Who did it.
                by: AccountId,
                /// What it is about; empty: nothing is said of it.
                topic: String,
            }
            row(log) Columns { by: Some(*by), words: Some(topic), ..Columns::default() };
            frame(row) TopicSet {
                room: row.own_room(), seq: row.seq, ts: row.ts,
                by: row.columns.by()?,
                // A row has no empty name.
                topic: row.columns.words.unwrap_or_default().to_owned(),
            };
            change StateChange::RoomSet(RoomSetting::Topic(topic));

            /// In a room's log: members may post in it from now on, or not.
            ReadOnlySet = "read_only_set" of Room {
                /// Who did it.
                by: AccountId,
                /// Whether only its moderators and owners may.
                is_read_only: bool,
            }
            row(log) Columns { by: Some(*by), number: Some(u64::from(*is_read_only)), ..Columns::default() };
            frame(row) ReadOnlySet {
                room: row.own_room(), seq: row.seq, ts: row.ts,
                by: row.columns.by()?,
                is_read_only: row.columns.flag()?,
            };
            change StateChange::RoomSet(RoomSetting::ReadOnly { is_read_only: *is_read_only });

            /// The first event of a conversation of two accounts.
            DirectBegun = "direct_begun" of Room {
                /// Who began it.
                by: AccountId,
                /// The other.
                account: AccountId,
            }
            row(log) Columns { account: Some(*account), by: Some(*by), ..Columns::default() };
            frame(row) DirectBegun {
                room: row.own_room(), seq: row.seq, ts: row.ts,
                by: row.columns.by()?,
                account: row.columns.account()?,
            };
            change StateChange::DirectBegins { between: [*by, *account] };
        } }
    };
}
pub(super) use room_kinds;
