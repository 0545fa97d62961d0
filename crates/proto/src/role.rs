//! What an account is in a room: the ranks, and their numbers on the wire.
//!
//! It must not know what a role allows: the daemon's core does.

/// What a member of a room is there. A greater one ranks above a smaller one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u16)]
pub enum Role {
    /// Reads and posts.
    Member = 1,
    /// Keeps order among members.
    Moderator = 2,
    /// Rules the room: who makes it, and whom another owner makes one.
    Owner = 3,
}

impl Role {
    /// Every role, rising.
    pub const ALL: &'static [Self] = &[Self::Member, Self::Moderator, Self::Owner];

    /// What a number means, when this version knows it.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| *role as u16 == number)
    }

    /// The word for it, as people type and read it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Moderator => "moderator",
            Self::Owner => "owner",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

impl std::str::FromStr for Role {
    type Err = NoRole;

    fn from_str(word: &str) -> Result<Self, NoRole> {
        Self::ALL.iter().copied().find(|role| role.word() == word).ok_or(NoRole)
    }
}

/// A word is no role.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a role is one of: owner, moderator, member")]
pub struct NoRole;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_have_an_order_numbers_and_words() {
        assert!(Role::ALL.is_sorted());
        for role in Role::ALL {
            assert_eq!(Role::from_number(*role as u16), Some(*role));
            assert_eq!(role.to_string().parse(), Ok(*role));
        }
        assert_eq!((Role::from_number(0), Role::from_number(4)), (None, None));
        assert_eq!("Owner".parse::<Role>(), Err(NoRole));
    }
}
