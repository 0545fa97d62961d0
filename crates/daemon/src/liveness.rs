//! Who lives: how long a peer has been silent.

use chat_core::Closing;

use crate::notices::{dead, too_late};

/// A peer that has been silent for so many ticks is asked, once, whether it lives.
const PROBE_AFTER_TICKS: u8 = 30;

/// A peer that has been silent for so many ticks is dead.
const DEAD_AFTER_TICKS: u8 = 60;

/// How many ticks a peer may take to its sign-in: they count from the connection, not from its first
/// byte.
const HANDSHAKE_TICKS: u8 = 10;

/// How many ticks a peer that is told why it has to go may take to take it.
const FAREWELL_TICKS: u8 = 60;

/// The signs of life of one peer. Ticks are counted, not time: a daemon that stood still heard
/// nobody.
#[derive(Debug, Default)]
pub(crate) struct KeepAlive {
    /// The peer sent a byte, or took one that waited for it, since it was judged last.
    heard: bool,
    /// For how many ticks in a row it was silent; before the sign-in: how many it has been there.
    ticks: u8,
    is_signed_in: bool,
    /// For how many ticks it has been told why it has to go.
    closing_ticks: u8,
}

/// What is to be done about a peer.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Nothing.
    Lives,
    /// Ask for a sign of life.
    Ask,
    /// Say that it is over.
    Close(Closing),
    /// Close without a word: nobody takes it.
    Dead,
}

impl KeepAlive {
    /// The peer sent a byte, or took one that waited for it. Bytes that need not wait are taken by
    /// the system, also for a peer that is gone.
    pub(crate) fn beat(&mut self) {
        self.heard = true;
    }

    /// The sign-in was granted.
    pub(crate) fn sign_in(&mut self) {
        if !self.is_signed_in {
            *self = Self { heard: true, is_signed_in: true, ..Self::default() };
        }
    }

    /// A tick has passed in which the connection was closing: whether that has taken too long. No sign
    /// of life prolongs it.
    pub(crate) fn closing_tick(&mut self) -> bool {
        self.closing_ticks = self.closing_ticks.saturating_add(1);
        self.closing_ticks > FAREWELL_TICKS
    }

    /// A tick has passed. `is_unheard`: the daemon does not read from the peer now, or cannot write to
    /// it, so that it could neither be asked nor answer.
    pub(crate) fn tick(&mut self, is_unheard: bool) -> Verdict {
        let was_heard = std::mem::take(&mut self.heard) || is_unheard;
        if self.is_signed_in && was_heard {
            self.ticks = 0;
            return Verdict::Lives;
        }
        self.ticks = self.ticks.saturating_add(1);
        match (self.is_signed_in, self.ticks) {
            (true, PROBE_AFTER_TICKS) => Verdict::Ask,
            (true, DEAD_AFTER_TICKS) => Verdict::Close(dead()),
            (true, ticks) if ticks > DEAD_AFTER_TICKS => Verdict::Dead,
            (true, _) | (false, 0..=HANDSHAKE_TICKS) => Verdict::Lives,
            (false, ticks) if ticks > HANDSHAKE_TICKS + FAREWELL_TICKS => Verdict::Dead,
            (false, _) => Verdict::Close(too_late()),
        }
    }
}

#[cfg(test)]
mod tests {
    use chat_proto::CloseReason;

    use super::*;

    fn signed_in() -> KeepAlive {
        let mut keep_alive = KeepAlive::default();
        keep_alive.sign_in();
        keep_alive.tick(false);
        keep_alive
    }

    #[test]
    fn a_silent_peer_is_asked_once_and_then_given_up() {
        let mut keep_alive = signed_in();
        let verdicts: Vec<_> = (1..=DEAD_AFTER_TICKS).map(|_| keep_alive.tick(false)).collect();
        let asked = |verdict: &Verdict| matches!(verdict, Verdict::Ask);
        let dead = |verdict: &Verdict| matches!(verdict, Verdict::Close(closing) if closing.reason == CloseReason::Dead);
        assert_eq!(verdicts.iter().position(asked), Some(usize::from(PROBE_AFTER_TICKS) - 1));
        assert_eq!(verdicts.iter().filter(|verdict| asked(verdict)).count(), 1);
        assert_eq!(verdicts.iter().position(dead), Some(verdicts.len() - 1));
        assert!(matches!(keep_alive.tick(false), Verdict::Dead), "it did not take its last word");
    }

    #[test]
    fn a_peer_that_gives_a_sign_of_life_is_left_alone() {
        let mut keep_alive = signed_in();
        for _ in 1..=u32::from(DEAD_AFTER_TICKS) * 3 {
            match keep_alive.tick(false) {
                Verdict::Ask => keep_alive.beat(),
                Verdict::Lives => {}
                Verdict::Close(_) | Verdict::Dead => panic!("it lives"),
            }
        }
    }

    #[test]
    fn a_peer_that_the_daemon_does_not_read_is_not_silent() {
        let mut keep_alive = signed_in();
        for _ in 1..=u32::from(DEAD_AFTER_TICKS) * 2 {
            assert!(matches!(keep_alive.tick(true), Verdict::Lives));
        }
    }

    #[test]
    fn a_peer_that_does_not_sign_in_is_told_so_and_then_given_up() {
        let mut keep_alive = KeepAlive::default();
        for _ in 1..=HANDSHAKE_TICKS {
            keep_alive.beat();
            assert!(matches!(keep_alive.tick(false), Verdict::Lives));
        }
        for _ in 1..=FAREWELL_TICKS {
            let Verdict::Close(closing) = keep_alive.tick(false) else { panic!("the time is up") };
            assert_eq!(closing.reason, CloseReason::HandshakeTimeout);
        }
        assert!(matches!(keep_alive.tick(false), Verdict::Dead));
    }
}
