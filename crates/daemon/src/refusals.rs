//! How often peers were refused: told once a minute, when somebody was, whatever peers do.

use std::sync::atomic::{AtomicU64, Ordering};

/// Ticks (seconds) between two reports.
const REPORT_TICKS: u32 = 60;

/// Counters since the last report.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    /// Connections that were turned away, or that others were preferred to: there are as many as
    /// there may be, or no memory is left for more.
    pub(crate) full: Counter,
    /// Connections that never spoke this protocol.
    pub(crate) strangers: Counter,
    /// Connections that broke the protocol.
    pub(crate) protocol: Counter,
    /// Connections that did not sign in in time.
    pub(crate) too_late: Counter,
    /// Sign-ins.
    pub(crate) sign_ins: Counter,
    /// Requests of those who were signed in.
    pub(crate) requests: Counter,
}

/// One of them.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

impl Refusals {
    /// Tells what was refused since the last report, if anything was.
    pub(crate) fn report(&self) {
        let Self { full, strangers, protocol, too_late, sign_ins, requests } = self;
        let counts = [full, strangers, protocol, too_late, sign_ins, requests].map(Counter::take);
        let [full, strangers, protocol, too_late, sign_ins, requests] = counts;
        if full > 0 {
            tracing::warn!(full, "connections were turned away: there are as many as there may be");
        }
        if counts.iter().any(|count| *count > 0) {
            tracing::info!(
                full,
                strangers,
                protocol,
                too_late,
                sign_ins,
                requests,
                "peers were refused since the last report"
            );
        }
    }

    /// Whether a report is due with the tick of this number.
    pub(crate) fn is_due(tick: u32) -> bool {
        tick.is_multiple_of(REPORT_TICKS)
    }
}
