//! The rows of the table of kinds that tell of what moderators do.
//!
//! It must not know who may do it.

/// Hands the rows to another macro, behind those that it is given.
macro_rules! moderation_kinds {
    ($made:ident! { $($given:tt)* }) => {
        $made! {
            $($given)*

            /// In a room's log: a moderator has ended a membership.
            Kicked = "kicked" of Room {
                /// Whom it is about.
                account: AccountId,
                /// Who did it.
                by: AccountId,
                /// Why, as it was typed.
                reason: String,
            }
            row(log) Columns {
                account: Some(*account),
                by: Some(*by),
                words: Some(reason),
                ..Columns::default()
            };
            frame(row) Kicked {
                room: row.own_room(),
                seq: row.seq,
                ts: row.ts,
                account: row.columns.account()?,
                by: row.columns.by()?,
                reason: row.columns.reason(),
            };
            change StateChange::MemberLeft { account: *account };

            /// In a room's log: an account is kept out.
            Banned = "banned" of Room {
                /// Whom it is about.
                account: AccountId,
                /// Who did it.
                by: AccountId,
                /// When that ends; 0: not by itself.
                until: Timestamp,
                /// Why, as it was typed.
                reason: String,
                /// Whether it was a member, and is none any more. No row says it.
                was_member: bool,
            }
            row(log) Columns {
                account: Some(*account),
                by: Some(*by),
                number: Some(until.0),
                words: Some(reason),
                ..Columns::default()
            };
            frame(row) Banned {
                room: row.own_room(),
                seq: row.seq,
                ts: row.ts,
                account: row.columns.account()?,
                by: row.columns.by()?,
                until: Timestamp(row.columns.number()?),
                reason: row.columns.reason(),
            };
            change StateChange::Banned {
                account: *account,
                by: *by,
                until: *until,
                reason,
                was_member: *was_member,
            };

            /// In a room's log: an account is kept out no longer.
            Unbanned = "unbanned" of Room {
                /// Whom it is about.
                account: AccountId,
                /// Who did it.
                by: AccountId,
            }
            row(log) Columns {
                account: Some(*account),
                by: Some(*by),
                ..Columns::default()
            };
            frame(row) Unbanned {
                room: row.own_room(),
                seq: row.seq,
                ts: row.ts,
                account: row.columns.account()?,
                by: row.columns.by()?,
            };
            change StateChange::SanctionLifted { kind: SanctionKind::Ban, account: *account };

            /// In a room's log: an account is mute.
            Muted = "muted" of Room {
                /// Whom it is about.
                account: AccountId,
                /// Who did it.
                by: AccountId,
                /// When that ends; 0: not by itself.
                until: Timestamp,
                /// Why, as it was typed.
                reason: String,
            }
            row(log) Columns {
                account: Some(*account),
                by: Some(*by),
                number: Some(until.0),
                words: Some(reason),
                ..Columns::default()
            };
            frame(row) Muted {
                room: row.own_room(),
                seq: row.seq,
                ts: row.ts,
                account: row.columns.account()?,
                by: row.columns.by()?,
                until: Timestamp(row.columns.number()?),
                reason: row.columns.reason(),
            };
            change StateChange::Muted { account: *account, by: *by, until: *until, reason };

            /// In a room's log: an account may speak again.
            Unmuted = "unmuted" of Room {
                /// Whom it is about.
                account: AccountId,
                /// Who did it.
                by: AccountId,
            }
            row(log) Columns {
                account: Some(*account),
                by: Some(*by),
                ..Columns::default()
            };
            frame(row) Unmuted {
                room: row.own_room(),
                seq: row.seq,
                ts: row.ts,
                account: row.columns.account()?,
                by: row.columns.by()?,
            };
            change StateChange::SanctionLifted { kind: SanctionKind::Mute, account: *account };

            /// In a room's log: how long a member waits behind each message.
            SlowSet = "slow_set" of Room {
                /// Who did it.
                by: AccountId,
                /// 0: not at all.
                seconds: u32,
            }
            row(log) Columns {
                by: Some(*by),
                number: Some(u64::from(*seconds)),
                ..Columns::default()
            };
            frame(row) SlowSet {
                room: row.own_room(),
                seq: row.seq,
                ts: row.ts,
                by: row.columns.by()?,
                seconds: row.columns.seconds()?,
            };
            change StateChange::SlowSet { seconds: *seconds };

            /// In a room's log: what an account has said before is taken away.
            MessagesRemoved = "messages_removed" of Room {
                /// Whose messages.
                account: AccountId,
                /// Who did it.
                by: AccountId,
                /// From this time on; 0: all.
                since: Timestamp,
            }
            row(log) Columns {
                account: Some(*account),
                by: Some(*by),
                number: Some(since.0),
                ..Columns::default()
            };
            frame(row) MessagesRemoved {
                room: row.own_room(),
                seq: row.seq,
                ts: row.ts,
                account: row.columns.account()?,
                by: row.columns.by()?,
                since: Timestamp(row.columns.number()?),
            };
            change StateChange::MessagesRemoved { account: *account, since: *since };

            /// In an account's log: a moderator has ended its membership of a room.
            RoomKicked = "room_kicked" of Account {
                /// Where.
                room: RoomId,
                /// Who did it.
                by: AccountId,
                /// Why, as it was typed.
                reason: String,
            }
            row(log) Columns {
                account: Some(AccountId(log.0)),
                by: Some(*by),
                room: Some(*room),
                words: Some(reason),
                ..Columns::default()
            };
            frame(row) RoomKicked {
                account: row.own_account(),
                seq: row.seq,
                ts: row.ts,
                room: row.columns.room()?,
                by: row.columns.by()?,
                reason: row.columns.reason(),
            };
            // The event in the room's log does.
            change StateChange::Nothing;

            /// In an account's log: it is kept out of a room.
            RoomBanned = "room_banned" of Account {
                /// Where.
                room: RoomId,
                /// Who did it.
                by: AccountId,
                /// When that ends; 0: not by itself.
                until: Timestamp,
                /// Why, as it was typed.
                reason: String,
            }
            row(log) Columns {
                account: Some(AccountId(log.0)),
                by: Some(*by),
                room: Some(*room),
                number: Some(until.0),
                words: Some(reason),
                ..Columns::default()
            };
            frame(row) RoomBanned {
                account: row.own_account(),
                seq: row.seq,
                ts: row.ts,
                room: row.columns.room()?,
                by: row.columns.by()?,
                until: Timestamp(row.columns.number()?),
                reason: row.columns.reason(),
            };
            // The event in the room's log does.
            change StateChange::Nothing;

            /// In an account's log: it is kept out of a room no longer.
            RoomUnbanned = "room_unbanned" of Account {
                /// Where.
                room: RoomId,
                /// Who did it.
                by: AccountId,
            }
            row(log) Columns {
                account: Some(AccountId(log.0)),
                by: Some(*by),
                room: Some(*room),
                ..Columns::default()
            };
            frame(row) RoomUnbanned {
                account: row.own_account(),
                seq: row.seq,
                ts: row.ts,
                room: row.columns.room()?,
                by: row.columns.by()?,
            };
            // The event in the room's log does.
            change StateChange::Nothing;

            /// In a moderator's own log: somebody shows a message.
            Reported = "reported" of Account {
                /// The room of the message.
                room: RoomId,
                /// Who shows it.
                by: AccountId,
                /// The message's place in the room's log.
                message: Seq,
                /// Why, as it was typed.
                reason: String,
            }
            row(log) Columns {
                account: Some(AccountId(log.0)),
                by: Some(*by),
                room: Some(*room),
                number: Some(message.0),
                words: Some(reason),
                ..Columns::default()
            };
            frame(row) Reported {
                account: row.own_account(),
                seq: row.seq,
                ts: row.ts,
                room: row.columns.room()?,
                by: row.columns.by()?,
                message: Seq(row.columns.number()?),
                reason: row.columns.reason(),
            };
            change StateChange::Nothing;
        }
    };
}
pub(super) use moderation_kinds;
