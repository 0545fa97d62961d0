//! What a program's token is for.

use chat_proto::Timestamp;

/// What a program may do, and until when.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct BotScope {
    /// Whether it may send.
    pub can_send: bool,
    /// Whether it may read what others say.
    pub can_read: bool,
    /// Whether it may join rooms; else it knows of none but those that it was put into.
    pub can_join: bool,
    /// From when on it may do nothing; 0: never.
    pub expires: Timestamp,
}

impl BotScope {
    /// What it may do, in words with commas between.
    #[must_use]
    pub fn words(&self) -> &'static str {
        match (self.can_send, self.can_read, self.can_join) {
            (true, true, true) => "send,read,join",
            (true, true, false) => "send,read",
            (true, false, true) => "send,join",
            (true, false, false) => "send",
            (false, true, true) => "read,join",
            (false, true, false) => "read",
            (false, false, true) => "join",
            (false, false, false) => "nothing",
        }
    }

    /// What these words say; `None` when one of them is none.
    #[must_use]
    pub fn of_words(words: &str, expires: Timestamp) -> Option<Self> {
        let nothing = Self { can_send: false, can_read: false, can_join: false, expires };
        if words == nothing.words() {
            return Some(nothing);
        }
        words.split(',').try_fold(nothing, |scope, word| match word.trim() {
            "send" => Some(Self { can_send: true, ..scope }),
            "read" => Some(Self { can_read: true, ..scope }),
            "join" => Some(Self { can_join: true, ..scope }),
            _ => None,
        })
    }

    /// Whether it may do nothing any more.
    #[must_use]
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.expires != Timestamp(0) && now >= self.expires
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_from_its_words() {
        for bits in 0..8 {
            let [can_send, can_read, can_join] = [1, 2, 4].map(|bit| bits & bit != 0);
            let scope = BotScope { can_send, can_read, can_join, expires: Timestamp(7) };
            assert_eq!(BotScope::of_words(scope.words(), Timestamp(7)), Some(scope));
        }
        assert_eq!(BotScope::of_words("send,rule", Timestamp(0)), None);
        assert_eq!(BotScope::of_words("", Timestamp(0)), None);
    }
}
