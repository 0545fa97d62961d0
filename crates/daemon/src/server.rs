//! A running daemon: everything that is started, and how it ends.

mod inviting;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use chat_core::Admission;
use tokio::time::{Duration, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::conn_number::REACTORS_MAX;
use crate::ctl::{CtlProtocol, Operator, ctl_protocol};
use crate::fanout::MailboxFanout;
use crate::identity::Identity;
use crate::listener::{Listener, SocketFile, bind_tcp, bind_unix};
use crate::live::{Live, MetricsSnapshot};
use crate::mailbox::Mailboxes;
use crate::opening::{begin_pipeline, open_store};
use crate::protocols::Protocols;
use crate::reactor::{Alive, ReactorBuilder, Shared};
use crate::reader::ReadPool;
use crate::sequencer::Sequencer;
use crate::start_error::{CONNECTIONS_MIN, SPARE_DESCRIPTORS, StartError};
use crate::store::audit::AuditLog;
use crate::timer::keep_time;
use crate::tls::{LinkSettings, TlsCertificate};
use crate::vital::{EndNotices, VitalPart};

/// Memory of all tails together, in bytes.
const TAIL_BYTES_MAX: usize = 64 * 1024 * 1024;

/// More threads for connections help only if there are that many processors to spare.
const REACTORS_WANTED: usize = 16;

/// How long a stop waits for connections to end by themselves; then they are cut.
const DRAIN: Duration = Duration::from_secs(5);

/// How long cut connections may take to leave.
const LEAVE: Duration = Duration::from_secs(2);

/// A running daemon. It goes on until [`Server::shutdown`].
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    socket: Option<SocketFile>,
    fingerprint: String,
    mailboxes: Arc<Mailboxes>,
    live: Arc<Live>,
    /// Who makes an invitation when the daemon starts.
    operator: Operator,
    /// As many connections as there are file descriptors for.
    connections_limit: usize,
    sequencer: Sequencer,
    /// Ends the timer, when nobody is there any more.
    stop: CancellationToken,
    /// Ends what serves the operator, when others are told to go.
    leave: CancellationToken,
    /// The timer, and what serves the operator.
    services: TaskTracker,
    reactors: TaskTracker,
    /// Of the reactors, the readers and the timer.
    ends: EndNotices,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// Opens the store, listens, and serves.
    ///
    /// # Errors
    /// [`StartError`] says what to do.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        Self::start_speaking(config, Protocols::default()).await
    }

    /// The same, with other protocols at the same port.
    ///
    /// # Errors
    /// [`StartError`] says what to do.
    pub async fn start_speaking(config: Config, protocols: Protocols) -> Result<Self, StartError> {
        let builders = (0..reactors()).map(ReactorBuilder::new).collect();
        Self::start_with(config, protocols, builders).await
    }

    /// Starts with these reactors.
    pub(crate) async fn start_with(
        config: Config,
        protocols: Protocols,
        builders: Vec<ReactorBuilder>,
    ) -> Result<Self, StartError> {
        let started = Instant::now();
        chat_files::limit::survive().map_err(StartError::Thread)?;
        let connections_limit = connections_limit()?;
        let store = open_store(&config)?;
        let identity = Identity::load_or_make(&config.data_dir)?;
        let pipeline = begin_pipeline(store)?;
        let link = LinkSettings::of(&config, TlsCertificate::of(&config)?);
        let (listeners, addresses, socket) = bind_all(&config).await?;
        let mailboxes =
            Arc::new(Mailboxes::new(builders.iter().map(ReactorBuilder::mailbox).collect()));
        let ends = EndNotices::default();
        let (readers, mut threads, end) = ReadPool::start(pipeline.store(), &mailboxes, &ends)?;
        let admission = Admission {
            identity: identity.key,
            rate: config.rate(),
            at_network: config.registration_over_tcp(&addresses),
            at_socket: config.registration.at_socket(),
        };
        let live = Arc::new(Live::new(admission, &config, link, connections_limit));
        let fanout = MailboxFanout::new(
            Arc::clone(&mailboxes),
            readers.clone(),
            Arc::clone(&live),
            TAIL_BYTES_MAX,
        );
        let audit = AuditLog::of(pipeline.store());
        let (sequencer, committing) =
            Sequencer::start(pipeline, fanout, end).map_err(StartError::Thread)?;
        threads.push(committing);

        let (protocol, ctl) = ctl_protocol();
        let protocols = protocols.with(protocol);
        let operator = Operator {
            sequencer: sequencer.clone(),
            replies: Arc::clone(mailboxes.operator()),
            live: Arc::clone(&live),
            started,
            data_dir: config.data_dir.clone(),
            fingerprint: identity.fingerprint.clone(),
            addresses: addresses.clone(),
            audit,
        };
        let shared = Arc::new(Shared { live: Arc::clone(&live), readers, started, protocols });
        let server = Self {
            addresses,
            socket,
            fingerprint: identity.fingerprint,
            mailboxes,
            live,
            operator,
            connections_limit,
            sequencer,
            stop: CancellationToken::new(),
            leave: CancellationToken::new(),
            services: TaskTracker::new(),
            reactors: TaskTracker::new(),
            ends,
            threads,
        };
        server.serve_operator(ctl, server.operator.clone());
        server.serve(builders, listeners, shared).await
    }

    /// The addresses that are listened at, with their real ports.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The Unix socket that is listened at.
    #[must_use]
    pub fn socket(&self) -> Option<&Path> {
        self.socket.as_ref().map(SocketFile::path)
    }

    /// The fingerprint of the daemon's identity key, as `ssh-keygen -l` shows it.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Puts those settings in force that a running daemon takes anew: how fast an account may ask, how
    /// many connections there may be and how they are taken in, who gets an account, and all other
    /// limits. Whoever is there stays. Without a certificate, the one of before stays in force.
    pub fn reload(&self, config: &Config, certificate: Option<TlsCertificate>) {
        let certificate = certificate.unwrap_or_else(|| self.live.link().certificate.clone());
        self.live.set_link(LinkSettings::of(config, certificate));
        let at_network = config.registration_over_tcp(&self.addresses);
        self.live.admit_by(config.rate(), at_network, config.registration.at_socket());
        self.live.set_limits(config.limits.clone());
        self.live.quotas.set_max(config.connections_within(self.connections_limit));
        self.mailboxes.all().for_each(|mailbox| mailbox.reload());
    }

    /// How things stand, at most a second ago.
    #[must_use]
    pub fn metrics(&self) -> MetricsSnapshot {
        self.live.snapshot()
    }

    /// Waits until the daemon can serve no more, and tells what it lacks. It never happens while it
    /// works. Cancel-safe.
    pub async fn failed(&self) -> VitalPart {
        tokio::select! {
            biased; // The timer ends when the committing thread does.
            () = self.sequencer.ended() => VitalPart::Committing,
            part = self.ends.first() => part,
        }
    }

    /// Stops in order: accepts nobody more, answers what was asked, says goodbye, closes the store.
    /// Takes ten seconds at most.
    pub async fn shutdown(self) {
        self.mailboxes.all().for_each(|mailbox| mailbox.drain());
        self.leave.cancel();
        if timeout(DRAIN, self.reactors.wait()).await.is_err() {
            tracing::warn!("connections that took nothing are cut");
            self.mailboxes.all().for_each(|mailbox| mailbox.cut());
            if timeout(LEAVE, self.reactors.wait()).await.is_err() {
                tracing::warn!("connections did not leave in time");
            }
        }
        self.stop.cancel();
        self.services.close();
        self.services.wait().await;
        drop((self.socket, self.operator, self.sequencer, self.mailboxes));
        let joined = tokio::task::spawn_blocking(move || {
            self.threads.into_iter().all(|thread| thread.join().is_ok())
        });
        match timeout(LEAVE, joined).await {
            Ok(Ok(true)) => tracing::info!("stopped"),
            _ => tracing::error!("a thread did not end in order"),
        }
    }

    fn serve_operator(&self, ctl: CtlProtocol, operator: Operator) {
        self.services.spawn(ctl.serve(operator, self.leave.clone()));
    }

    /// Starts the reactors and the timer. Where one does not start, those that did are stopped.
    async fn serve(
        mut self,
        builders: Vec<ReactorBuilder>,
        listeners: Vec<Listener>,
        shared: Arc<Shared>,
    ) -> Result<Self, StartError> {
        let started = self.start_reactors(builders, listeners, shared).await;
        self.reactors.close();
        if let Err(error) = started {
            self.shutdown().await;
            return Err(error);
        }
        let (mailboxes, sequencer) = (Arc::clone(&self.mailboxes), self.sequencer.clone());
        let live = Arc::clone(&self.live);
        let (stop, told) = (self.stop.clone(), self.ends.of_timer());
        self.services.spawn(async move {
            let _told = told;
            keep_time(mailboxes, sequencer, live, stop).await;
        });
        Ok(self)
    }

    /// Starts the reactors, the first of them with all listeners.
    async fn start_reactors(
        &mut self,
        builders: Vec<ReactorBuilder>,
        listeners: Vec<Listener>,
        shared: Arc<Shared>,
    ) -> Result<(), StartError> {
        let all: Vec<_> = builders.iter().map(ReactorBuilder::mailbox).collect();
        let mut listeners = Some(listeners);
        for builder in builders {
            let thread = builder
                .start(
                    listeners.take().unwrap_or_default(),
                    all.clone(),
                    Arc::clone(&shared),
                    self.sequencer.clone(),
                    Alive { _counted: self.reactors.token(), _told: self.ends.of_reactor() },
                )
                .await
                .map_err(StartError::Thread)?;
            self.threads.push(thread);
        }
        Ok(())
    }
}

/// One thread serves connections for each processor, but for one that commits.
fn reactors() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    processors.saturating_sub(1).clamp(1, REACTORS_MAX.min(REACTORS_WANTED))
}

type Bound = (Vec<Listener>, Vec<SocketAddr>, Option<SocketFile>);

async fn bind_all(config: &Config) -> Result<Bound, StartError> {
    let mut listeners = Vec::new();
    let mut addresses = Vec::new();
    for listen in &config.listen {
        for (listener, address) in bind_tcp(listen).await? {
            listeners.push(listener);
            addresses.push(address);
        }
    }
    let mut socket = None;
    if let Some(path) = &config.socket {
        let (listener, file) =
            bind_unix(path, config.socket_mode, config.socket_group.as_deref()).await?;
        listeners.push(listener);
        socket = Some(file);
    }
    Ok((listeners, addresses, socket))
}

/// As many as there are file descriptors for, after asking for as many as the system allows.
fn connections_limit() -> Result<usize, StartError> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let granted = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_the_old_one_stays) => limit.current,
    };
    let open_max = granted.unwrap_or(u64::MAX);
    let connections = open_max.saturating_sub(SPARE_DESCRIPTORS);
    if connections < CONNECTIONS_MIN {
        return Err(StartError::Descriptors { open_max });
    }
    Ok(usize::try_from(connections).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reactor_that_does_not_start_leaves_nothing_running() {
        let dir = tempfile::tempdir().unwrap();
        let listen = vec!["127.0.0.1:0".to_owned()];
        let data_dir = dir.path().join("data");
        let config = Config { listen, socket: None, data_dir, ..Config::default() };
        let first = ReactorBuilder::new(0);
        let mailbox = first.mailbox();
        let builders = vec![first, ReactorBuilder::that_cannot_start(1)];
        let refused =
            Server::start_with(config.clone(), Protocols::default(), builders).await.unwrap_err();
        assert!(matches!(refused, StartError::Thread(_)), "{refused}");
        assert_eq!(Arc::strong_count(&mailbox), 1, "a thread still has it");
        // The store is free again, too.
        Server::start(config).await.unwrap().shutdown().await;
    }

    #[tokio::test]
    async fn the_end_of_the_timer_and_of_a_reader_is_told_and_nothing_while_they_work() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = dir.path().join("data");
        let config = Config { listen: Vec::new(), socket: None, data_dir, ..Config::default() };
        for part in [VitalPart::Timer, VitalPart::Reader] {
            let server = Server::start(config.clone()).await.unwrap();
            let mut failed = Box::pin(server.failed());
            tokio::select! {
                biased;
                part = &mut failed => panic!("{part} works"),
                () = std::future::ready(()) => {}
            }
            if part == VitalPart::Timer {
                server.stop.cancel();
            } else {
                drop(server.ends.of_reader());
            }
            let told = timeout(Duration::from_secs(60), failed).await.expect("it is told");
            assert_eq!(told, part);
            server.shutdown().await;
        }
    }
}
