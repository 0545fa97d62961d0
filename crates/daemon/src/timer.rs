//! The one timer that all connections share.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use tokio::time::{Duration, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::live::Live;
use crate::mailbox::Mailboxes;
use crate::memory_return::MemoryReturn;
use crate::refusals::Refusals;
use crate::sequencer::Sequencer;
use crate::system::allocator;

/// How often the connections are looked at, and presence is told.
const TICK: Duration = Duration::from_secs(1);

/// Ticks until the daemon stops.
pub(crate) async fn keep_time(
    mailboxes: Arc<Mailboxes>,
    sequencer: Sequencer,
    live: Arc<Live>,
    stop: CancellationToken,
) {
    let mut tick = 0_u32;
    let mut memory = MemoryReturn::default();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _at = ticks.tick() => {}
        }
        mailboxes.all().for_each(|mailbox| mailbox.tick());
        tick = tick.wrapping_add(1);
        if Refusals::is_due(tick) {
            live.refusals.report();
        }
        if sequencer.tick().is_err() {
            break;
        }
        let held_max = live.unread.take_peak().saturating_add(sequencer.take_waiting_peak());
        if memory.is_due(held_max)
            && let Err(error) = spawn_blocking(allocator::give_back).await
        {
            tracing::error!(%error, "memory could not be given back");
        }
    }
    live.refusals.report();
}
