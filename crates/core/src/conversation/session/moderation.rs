//! What moderators ask for, as actions. Nothing in it can be malformed: the state judges it all.

use chat_proto::{AccountId, Ban, Kick, Mute, RemoveMessages, Report, SetSlow, Unban, Unmute};

use crate::{Action, Moderation, SanctionKind};

/// A request of a moderator.
pub(super) trait ModerationRequest {
    /// What it asks of the state, in the name of an account.
    fn into_action(self, account: AccountId) -> Action;
}

macro_rules! moderation_requests {
    ($($name:ident { $($field:ident),* } => $asked:expr;)*) => {
        $(impl ModerationRequest for $name {
            fn into_action(self, by: AccountId) -> Action {
                let Self { room, $($field),* } = self;
                Action::Moderate { account: by, room, asked: $asked }
            }
        })*
    };
}

moderation_requests! {
    Kick { account, reason } => Moderation::Kick { account, reason };
    Ban { account, until, reason } =>
        Moderation::Sanction { kind: SanctionKind::Ban, account, until, reason };
    Unban { account } => Moderation::Lift { kind: SanctionKind::Ban, account };
    Mute { account, until, reason } =>
        Moderation::Sanction { kind: SanctionKind::Mute, account, until, reason };
    Unmute { account } => Moderation::Lift { kind: SanctionKind::Mute, account };
    SetSlow { seconds } => Moderation::Slow { seconds };
    RemoveMessages { account, seconds } => Moderation::RemoveMessages { account, seconds };
    Report { seq, reason } => Moderation::Report { seq, reason };
}
