//! What a program's token is for, and who makes one.

use super::Access;
use crate::{BotScope, OPERATOR, Refusal};

impl Access<'_> {
    /// Whether the account may make accounts for programs: the operator alone.
    pub(crate) fn can_make_bots(self) -> Result<(), Refusal> {
        match self.account == OPERATOR {
            true => Ok(()),
            false => Err(Refusal::OutOfScope { what: "make tokens" }),
        }
    }

    /// Whether the account may change its name and what signs in to it: a program's may not.
    pub(crate) fn can_change_itself(self) -> Result<(), Refusal> {
        self.within_scope("change its name, or link or revoke a device", |_scope| false)
    }

    pub(super) fn may_send(self) -> Result<(), Refusal> {
        self.within_scope("send", |scope| scope.can_send)
    }

    pub(super) fn may_read(self) -> bool {
        self.within_scope("read", |scope| scope.can_read).is_ok()
    }

    pub(super) fn may_join(self) -> Result<(), Refusal> {
        self.within_scope("join rooms", |scope| scope.can_join)
    }

    /// Whether it is somebody, or a program whose token is for that.
    pub(super) fn within_scope(
        self,
        what: &'static str,
        is_for: impl FnOnce(&BotScope) -> bool,
    ) -> Result<(), Refusal> {
        match self.state.bots.get(&self.account).is_none_or(is_for) {
            true => Ok(()),
            false => Err(Refusal::OutOfScope { what }),
        }
    }
}
