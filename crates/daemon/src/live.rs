//! What a reload swaps while the daemon runs, and the counters beside it.
//!
//! Settings are values that are replaced as a whole: reactors hold the one in force, and are told by
//! their mailboxes to take the next. Nobody asks for one, or counts in it, for each frame: reactors
//! count for themselves and add that up once a second.

use std::fmt::{self, Display};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chat_core::{Admission, Rate, Registration};

use crate::account_rates::AccountRates;
use crate::config::{Config, Limits};
use crate::memory_return::HeldBytes;
use crate::network_limits::NetworkLimits;
use crate::quotas::ConnectionQuotas;
use crate::refusals::Refusals;
use crate::tls::LinkSettings;

/// What all reactors go by.
#[derive(Debug)]
pub(crate) struct Live {
    admission: Mutex<Arc<Admission>>,
    limits: Mutex<Arc<Limits>>,
    link: Mutex<Arc<LinkSettings>>,
    pub(crate) quotas: Arc<ConnectionQuotas>,
    pub(crate) rates: AccountRates,
    pub(crate) networks: NetworkLimits,
    pub(crate) refusals: Refusals,
    /// Frames that have not come to their end, of all connections.
    pub(crate) unread: Arc<HeldBytes>,
    pub(crate) metrics: Metrics,
}

impl Live {
    /// As a daemon begins, where the system allows so many connections.
    pub(crate) fn new(
        admission: Admission,
        config: &Config,
        link: LinkSettings,
        connections_limit: usize,
    ) -> Self {
        let connections_max = config.connections_within(connections_limit);
        Self {
            admission: Mutex::new(Arc::new(admission)),
            limits: Mutex::new(Arc::new(config.limits.clone())),
            link: Mutex::new(Arc::new(link)),
            quotas: Arc::new(ConnectionQuotas::new(connections_max)),
            rates: AccountRates::default(),
            networks: NetworkLimits::default(),
            refusals: Refusals::default(),
            unread: Arc::default(),
            metrics: Metrics::default(),
        }
    }

    /// The one in force.
    pub(crate) fn admission(&self) -> Arc<Admission> {
        Arc::clone(&self.admission.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How connections are taken in now.
    pub(crate) fn link(&self) -> Arc<LinkSettings> {
        Arc::clone(&self.link.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another certificate in force for connections that begin from now on, and whether they have
    /// to use it. Those that are there go on as they are.
    pub(crate) fn set_link(&self, link: LinkSettings) {
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(link);
    }

    /// Puts another rate in force, and who gets an account, for whoever takes the admission from now on.
    pub(crate) fn admit_by(&self, rate: Rate, at_network: Registration, at_socket: Registration) {
        let mut admission = self.admission.lock().unwrap_or_else(PoisonError::into_inner);
        *admission =
            Arc::new(Admission { rate, at_network, at_socket, ..Admission::clone(&admission) });
    }

    /// The limits in force.
    pub(crate) fn limits(&self) -> Arc<Limits> {
        Arc::clone(&self.limits.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other limits in force, for whoever takes them from now on.
    pub(crate) fn set_limits(&self, limits: Limits) {
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(limits);
    }

    /// How things stand.
    pub(crate) fn snapshot(&self) -> MetricsSnapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let metrics = &self.metrics;
        MetricsSnapshot {
            connections: self.quotas.taken(),
            signed_in: self.quotas.signed_in_now(),
            connections_max: self.quotas.max(),
            accepted: read(&metrics.accepted),
            requests: read(&metrics.requests),
            bytes_read: read(&metrics.bytes_read),
            bytes_written: read(&metrics.bytes_written),
            pages: read(&metrics.pages),
            events: read(&metrics.events),
        }
    }
}

/// Counters since the start.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    accepted: AtomicU64,
    requests: AtomicU64,
    bytes_read: AtomicU64,
    bytes_written: AtomicU64,
    pages: AtomicU64,
    events: AtomicU64,
}

/// What one reactor has counted since it added up last.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) accepted: u64,
    pub(crate) requests: u64,
    pub(crate) bytes_read: u64,
    pub(crate) bytes_written: u64,
    pub(crate) pages: u64,
}

impl Metrics {
    /// Adds what a reactor has counted, which begins anew.
    pub(crate) fn add(&self, counts: &mut Counts) {
        let Counts { accepted, requests, bytes_read, bytes_written, pages } =
            std::mem::take(counts);
        for (counter, more) in [
            (&self.accepted, accepted),
            (&self.requests, requests),
            (&self.bytes_read, bytes_read),
            (&self.bytes_written, bytes_written),
            (&self.pages, pages),
        ] {
            counter.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// Events were published.
    pub(crate) fn published(&self, events: u64) {
        self.events.fetch_add(events, Ordering::Relaxed);
    }
}

/// How things stand, at most a second ago.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MetricsSnapshot {
    /// Connections that are there now, those that another protocol has taken over among them.
    pub connections: usize,
    /// Those of them that have signed in.
    pub signed_in: usize,
    /// How many there may be.
    pub connections_max: usize,
    /// Connections that a reactor has taken in since the start.
    pub accepted: u64,
    /// Requests that were handed to the committing thread.
    pub requests: u64,
    /// Bytes that peers have sent.
    pub bytes_read: u64,
    /// Bytes that peers have taken.
    pub bytes_written: u64,
    /// Pages of logs that were read from disk for cursors.
    pub pages: u64,
    /// Events that were published.
    pub events: u64,
}

impl Display for MetricsSnapshot {
    /// Each as `name=value`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connections, signed_in, connections_max, accepted, requests, .. } = self;
        let Self { bytes_read, bytes_written, pages, events, .. } = self;
        write!(f, "connections={connections} signed_in={signed_in} ")?;
        write!(f, "connections_max={connections_max} accepted={accepted} requests={requests} ")?;
        write!(f, "bytes_read={bytes_read} bytes_written={bytes_written} ")?;
        write!(f, "pages={pages} events={events}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::server_key;
    use crate::tls::TlsCertificate;

    #[test]
    fn a_rate_counts_for_whoever_asks_after_it_was_set() {
        let (slow, fast) = (Rate { per_second: 1, burst: 1 }, Rate { per_second: 9, burst: 9 });
        let config = Config::default();
        let link = LinkSettings::of(&config, TlsCertificate::of(&config).unwrap());
        let live = Live::new(
            Admission {
                identity: server_key(&[1; 32]),
                rate: slow,
                at_network: Registration::Open,
                at_socket: Registration::Open,
            },
            &config,
            link,
            4,
        );
        let before = live.admission();
        live.admit_by(fast, Registration::Invite, Registration::Open);
        assert_eq!((before.rate, live.admission().rate), (slow, fast));
        assert_eq!(before.identity.public(), live.admission().identity.public());
    }

    #[test]
    fn what_reactors_count_is_added_up_once() {
        let metrics = Metrics::default();
        let mut counts = Counts { requests: 3, bytes_read: 40, ..Counts::default() };
        metrics.add(&mut counts);
        metrics.add(&mut counts);
        metrics.add(&mut Counts { requests: 2, ..Counts::default() });
        assert_eq!(metrics.requests.load(Ordering::Relaxed), 5);
        assert_eq!(metrics.bytes_read.load(Ordering::Relaxed), 40);
    }
}
