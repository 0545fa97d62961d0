//! What moderators do: kicks, bans, mutes, slow rooms, and reports that reach them.
//!
//! Who may do it is decided by [`super::Access`].

use chat_proto::limits::{SANCTIONS_MAX, SLOW_SECONDS_MAX};
use chat_proto::{AccountId, Role, RoomId, Seq, Timestamp, check_reason};

use super::{Access, Answer, Room, Transition};
use crate::{Content, Moderation, Refusal, SanctionKind};

/// Moderators and owners that a report reaches: those who have been it for longest.
const REPORTED_TO_MAX: usize = 16;

impl<'a> Transition<'a> {
    /// What a moderator asks for, or a member of the moderators.
    pub(super) fn moderate(
        &mut self,
        by: AccountId,
        room: RoomId,
        asked: Moderation,
    ) -> Result<Answer, Refusal> {
        match asked {
            Moderation::Kick { account, reason } => self.kick(by, room, account, reason)?,
            Moderation::Sanction { kind, account, until, reason } => {
                self.sanction(by, room, (kind, account), until, reason)?;
            }
            Moderation::Lift { kind, account } => self.lift(by, room, kind, account)?,
            Moderation::Slow { seconds } => self.set_slow(by, room, seconds)?,
            Moderation::RemoveMessages { account, seconds } => {
                self.remove_messages(by, room, account, seconds)?;
            }
            Moderation::Report { seq, reason } => self.report(by, room, seq, &reason)?,
        }
        Ok(Answer::Done)
    }

    /// What an account may do, as of now.
    pub(super) fn access(&self, account: AccountId) -> Access<'a> {
        self.state.access(account).at(self.now)
    }

    fn kick(
        &mut self,
        by: AccountId,
        room: RoomId,
        account: AccountId,
        reason: String,
    ) -> Result<(), Refusal> {
        let known = self.access(by).can_moderate(room, account)?;
        check_reason(&reason)?;
        if !known.members.contains(account) {
            return Err(Refusal::NoSuchMember { room: known.name.to_string() });
        }
        let told = Content::RoomKicked { room, by, reason: reason.clone() };
        self.end_membership(room, account, Content::Kicked { account, by, reason }, told);
        Ok(())
    }

    fn sanction(
        &mut self,
        by: AccountId,
        room: RoomId,
        (kind, account): (SanctionKind, AccountId),
        until: Timestamp,
        reason: String,
    ) -> Result<(), Refusal> {
        let known = self.access(by).can_moderate(room, account)?;
        check_reason(&reason)?;
        if !self.state.accounts.contains_key(&account) {
            return Err(Refusal::NoSuchMember { room: known.name.to_string() });
        }
        if until != Timestamp(0) && until <= self.now {
            return Err(Refusal::TimeIsOver);
        }
        self.demand_room_for(known, kind, account)?;
        match kind {
            SanctionKind::Mute => {
                self.append(room.into(), Content::Muted { account, by, until, reason });
            }
            SanctionKind::Ban => {
                let was_member = known.members.contains(account);
                let told = Content::RoomBanned { room, by, until, reason: reason.clone() };
                let banned = Content::Banned { account, by, until, reason, was_member };
                if was_member {
                    self.end_membership(room, account, banned, told);
                } else {
                    self.append(room.into(), banned);
                    self.append(account.into(), told);
                }
            }
        }
        Ok(())
    }

    /// One that takes the place of another needs no room of its own.
    fn demand_room_for(
        &self,
        room: &Room,
        kind: SanctionKind,
        account: AccountId,
    ) -> Result<(), Refusal> {
        let in_force = room.sanctions.after(kind, AccountId(0), self.now);
        let others = in_force.filter(|(held, _sanction)| *held != account).count();
        match others < SANCTIONS_MAX {
            true => Ok(()),
            false => Err(Refusal::TooManySanctions { room: room.name.to_string() }),
        }
    }

    fn lift(
        &mut self,
        by: AccountId,
        room: RoomId,
        kind: SanctionKind,
        account: AccountId,
    ) -> Result<(), Refusal> {
        let known = self.access(by).can_moderate(room, account)?;
        if !known.sanctions.holds(kind, account) {
            return Ok(());
        }
        match kind {
            SanctionKind::Mute => self.append(room.into(), Content::Unmuted { account, by }),
            SanctionKind::Ban => {
                self.append(room.into(), Content::Unbanned { account, by });
                self.append(account.into(), Content::RoomUnbanned { room, by });
            }
        }
        Ok(())
    }

    /// Which messages there are, a store knows: the event says whose, and from when on.
    fn remove_messages(
        &mut self,
        by: AccountId,
        room: RoomId,
        account: AccountId,
        seconds: u32,
    ) -> Result<(), Refusal> {
        let known = self.access(by).can_moderate(room, account)?;
        if !self.state.accounts.contains_key(&account) {
            return Err(Refusal::NoSuchMember { room: known.name.to_string() });
        }
        let since = match seconds {
            0 => Timestamp(0),
            seconds => Timestamp(self.now.0.saturating_sub(u64::from(seconds) * 1_000)),
        };
        self.append(room.into(), Content::MessagesRemoved { account, by, since });
        Ok(())
    }

    fn set_slow(&mut self, by: AccountId, room: RoomId, seconds: u32) -> Result<(), Refusal> {
        let known = self.access(by).can_rule(room, Role::Moderator)?;
        if seconds > SLOW_SECONDS_MAX {
            return Err(Refusal::TooSlow);
        }
        if known.sanctions.slow_seconds != seconds {
            self.append(room.into(), Content::SlowSet { by, seconds });
        }
        Ok(())
    }

    /// It says where the message is, and not what it says: moderators read that in the room, with what
    /// came before it; and a text that is taken away there is nowhere else.
    fn report(
        &mut self,
        by: AccountId,
        room: RoomId,
        message: Seq,
        reason: &str,
    ) -> Result<(), Refusal> {
        let known = self.access(by).can_report(room)?;
        check_reason(reason)?;
        if message == Seq::ZERO || message > known.head {
            return Err(Refusal::UnknownEvent { seq: message.0, head: known.head.0 });
        }
        for moderator in known.moderators().take(REPORTED_TO_MAX) {
            let reason = reason.to_owned();
            self.append(moderator.into(), Content::Reported { room, by, message, reason });
        }
        Ok(())
    }
}
