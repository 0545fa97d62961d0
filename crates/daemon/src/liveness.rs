//! The one timer that all connections share: who has been silent for how long.

use std::sync::Arc;

use chat_core::{Closing, Input};
use chat_proto::CloseReason;
use tokio::time::{Duration, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::connection::Shared;
use crate::fanout::Mailbox;
use crate::sequencer::Sequencer;

/// How often the connections are looked at, and presence is told.
const TICK: Duration = Duration::from_secs(1);

/// A peer that has been silent for so many ticks is asked, once, whether it lives.
const PROBE_AFTER_TICKS: u32 = 30;

/// A peer that has been silent for so many ticks is dead.
const DEAD_AFTER_TICKS: u32 = 60;

/// How long a peer may take from its first byte to its sign-in.
const HANDSHAKE_MS: u64 = 10_000;

/// How long a peer that was told that this was too long may take to take it.
const FAREWELL_MS: u64 = 60_000;

/// Ticks until the daemon stops.
pub(crate) async fn keep_time(shared: Arc<Shared>, sequencer: Sequencer, stop: CancellationToken) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _at = ticks.tick() => {}
        }
        let now_ms = shared.now_ms();
        for mailbox in shared.hub.mailboxes() {
            judge(&mailbox, now_ms);
        }
        let ticked = tokio::select! {
            () = stop.cancelled() => return,
            ticked = sequencer.submit(Input::Tick) => ticked,
        };
        if ticked.is_err() {
            return;
        }
    }
}

fn judge(mailbox: &Mailbox, now_ms: u64) {
    if !mailbox.is_signed_in() {
        match mailbox.age_ms(now_ms) {
            0..=HANDSHAKE_MS => {}
            age_ms if age_ms > HANDSHAKE_MS + FAREWELL_MS => mailbox.kill(),
            _ => mailbox.close(too_late(CloseReason::HandshakeTimeout, "did not sign in in time")),
        }
        return;
    }
    match mailbox.tick() {
        PROBE_AFTER_TICKS => mailbox.probe(now_ms),
        DEAD_AFTER_TICKS.. => mailbox.kill(),
        _ => {}
    }
}

fn too_late(reason: CloseReason, what: &str) -> Closing {
    Closing { reason, code: None, message: format!("the connection is closed: you {what}") }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    /// A second of a signed-in peer: whether it was asked for a sign of life, and killed.
    fn second(mailbox: &Mailbox) -> (bool, bool) {
        judge(mailbox, 0);
        let is_killed = mailbox.killed().now_or_never().is_some();
        (mailbox.take().probe.is_some(), is_killed)
    }

    fn signed_in() -> Mailbox {
        let mailbox = Mailbox::new(0);
        mailbox.set_signed_in();
        mailbox
    }

    #[test]
    fn a_silent_peer_is_asked_once_and_then_given_up() {
        let mailbox = signed_in();
        let seconds: Vec<_> = (1..=DEAD_AFTER_TICKS).map(|_| second(&mailbox)).collect();
        let asked: Vec<_> = (1..).zip(&seconds).filter(|(_, (is_asked, _))| *is_asked).collect();
        assert_eq!(asked, [(PROBE_AFTER_TICKS, &(true, false))]);
        let killed = seconds.iter().position(|(_, is_killed)| *is_killed);
        assert_eq!(killed, Some(seconds.len() - 1));
    }

    #[test]
    fn a_peer_that_gives_a_sign_of_life_is_left_alone() {
        let mailbox = signed_in();
        for _ in 1..=DEAD_AFTER_TICKS * 3 {
            let (is_asked, is_killed) = second(&mailbox);
            assert!(!is_killed);
            if is_asked {
                mailbox.heard();
            }
        }
    }

    #[test]
    fn a_peer_that_the_daemon_does_not_read_is_not_silent() {
        let mailbox = signed_in();
        mailbox.set_reading_paused(true);
        for _ in 1..=DEAD_AFTER_TICKS * 2 {
            assert_eq!(second(&mailbox), (false, false));
        }
    }

    #[test]
    fn a_peer_that_does_not_sign_in_is_told_so() {
        let mailbox = Mailbox::new(0);
        judge(&mailbox, HANDSHAKE_MS);
        assert!(mailbox.take().close.is_none());
        judge(&mailbox, HANDSHAKE_MS + 1);
        let closing = mailbox.take().close.expect("the time is up");
        assert_eq!(closing.reason, CloseReason::HandshakeTimeout);
    }
}
