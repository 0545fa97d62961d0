//! Whether what has happened might: who has posted, come in, and kept order.
//!
//! An event's time is that of its command, or a later one: what ends by itself may be over at it, and not
//! the other way round.

use chat_core::{Content, Event, OPERATOR};
use chat_proto::{AccountId, Role, RoomId, Timestamp};

use super::{Rights, RoomRights, is_in_force};

impl Rights {
    /// What is wrong with an event, before it has changed anything.
    #[expect(clippy::wildcard_enum_match_arm, reason = "others are judged by who did them")]
    pub(super) fn judge(&self, event: &Event) -> Option<String> {
        let room = self.rooms.get(&RoomId(event.log.0))?;
        let wrong = match &event.content {
            Content::Posted { from, .. } if self.disabled.contains(from) => {
                Some(format!("{from} is disabled"))
            }
            Content::Posted { from, .. } => room.judge_post(*from, event.ts),
            Content::Joined { account } => room.judge_join(*account, event.ts),
            _ => None,
        };
        wrong.or_else(|| room.judge_order(&event.content))
    }
}

impl RoomRights {
    fn judge_post(&self, from: AccountId, ts: Timestamp) -> Option<String> {
        let role = self.role_of(from);
        if role.is_none() {
            return Some(format!("{from} is no member"));
        }
        if is_in_force(self.mutes.get(&from), ts) {
            return Some(format!("{from} is mute"));
        }
        if self.is_read_only && role == Some(Role::Member) {
            return Some(format!("{from} may only read"));
        }
        // A clock that was set back makes nobody wait, and the time is then that of the event before.
        let waited_ms = ts.0.checked_sub(self.last_posts.get(&from)?.0);
        let is_timed = ts > self.newest_ts && role == Some(Role::Member);
        let too_soon = waited_ms.is_some_and(|ms| ms < u64::from(self.slow_seconds) * 1_000);
        (is_timed && too_soon).then(|| format!("{from} has not waited"))
    }

    fn judge_join(&self, account: AccountId, ts: Timestamp) -> Option<String> {
        if is_in_force(self.bans.get(&account), ts) {
            return Some(format!("{account} is banned"));
        }
        let may_come = !self.is_private
            || !self.had_members
            || self.invited.contains(&account)
            || self.between.is_some_and(|between| between.contains(&account));
        (!may_come).then(|| format!("nobody has invited {account}"))
    }

    /// Who keeps order, and above whom.
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other event is a moderator's")]
    fn judge_order(&self, content: &Content) -> Option<String> {
        let (by, whom, least) = match content {
            Content::Kicked { by, account, .. }
            | Content::Banned { by, account, .. }
            | Content::Unbanned { by, account }
            | Content::Muted { by, account, .. }
            | Content::Unmuted { by, account } => (*by, Some(*account), Role::Moderator),
            Content::SlowSet { by, .. }
            | Content::TopicSet { by, .. }
            | Content::ReadOnlySet { by, .. } => (*by, None, Role::Moderator),
            // Whoever is invited may decline.
            Content::InvitationSet { by, account, is_set } if *is_set || by != account => {
                (*by, None, Role::Moderator)
            }
            Content::AccessSet { by, .. } => (*by, None, Role::Owner),
            Content::RoleSet { by: Some(by), account, role } if by != account => {
                let is_raised = *role > Role::Member;
                (*by, Some(*account), if is_raised { Role::Owner } else { Role::Moderator })
            }
            Content::RoleSet { by: Some(by), role, .. } => (*by, None, *role),
            _ => return None,
        };
        let own = self.role_of(by);
        let is_above = whom
            .is_none_or(|whom| own > self.role_of(whom) || own == Some(Role::Owner) && whom != by);
        let may = by == OPERATOR || own >= Some(least) && is_above;
        (!may).then(|| format!("{by} is {own:?} there"))
    }
}
