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

/// A peer that has been silent for so long is asked whether it lives.
const PROBE_AFTER_MS: u64 = 30_000;

/// A peer that has been silent for so long is dead.
const DEAD_AFTER_MS: u64 = 60_000;

/// How long a peer may take from its first byte to its sign-in.
const HANDSHAKE_MS: u64 = 10_000;

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
        if sequencer.submit(Input::Tick).await.is_err() {
            return;
        }
    }
}

fn judge(mailbox: &Mailbox, now_ms: u64) {
    if !mailbox.is_signed_in() {
        match mailbox.age_ms(now_ms) {
            0..=HANDSHAKE_MS => {}
            age_ms if age_ms > HANDSHAKE_MS + DEAD_AFTER_MS => mailbox.kill(),
            _ => mailbox.close(too_late(CloseReason::HandshakeTimeout, "did not sign in in time")),
        }
        return;
    }
    let silent_ms = mailbox.silent_ms(now_ms);
    if silent_ms >= DEAD_AFTER_MS {
        mailbox.kill();
    } else if silent_ms >= PROBE_AFTER_MS {
        mailbox.probe(now_ms);
    }
}

fn too_late(reason: CloseReason, what: &str) -> Closing {
    Closing { reason, code: None, message: format!("the connection is closed: you {what}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_peer_is_asked_once_in_a_while_and_a_talking_one_never() {
        let mailbox = Mailbox::new(0);
        mailbox.set_signed_in();
        judge(&mailbox, PROBE_AFTER_MS - 1);
        assert_eq!(mailbox.take().probe, None);
        judge(&mailbox, PROBE_AFTER_MS);
        assert_eq!(mailbox.take().probe, Some(PROBE_AFTER_MS));
        mailbox.heard(PROBE_AFTER_MS + 1);
        judge(&mailbox, PROBE_AFTER_MS + 2);
        assert_eq!(mailbox.take().probe, None);
    }

    #[test]
    fn a_peer_that_the_daemon_does_not_read_is_not_silent() {
        let mailbox = Mailbox::new(0);
        mailbox.set_signed_in();
        mailbox.set_reading_paused(true);
        judge(&mailbox, DEAD_AFTER_MS * 2);
        assert_eq!(mailbox.take().probe, None);
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
