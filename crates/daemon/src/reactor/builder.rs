//! Where a reactor is made: what all of them share, and what each has before its thread runs.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::unconstrained;
use tokio_util::sync::DropGuard;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::acceptor::Acceptor;
use super::connection::SocketConnection;
use super::disk_reads::DiskReads;
use super::followers::Followers;
use super::lingering::LingeringSockets;
use super::run_queue::RunQueue;
use super::slab::Slab;
use super::turn_batch::TurnBatch;
use super::unauthenticated::Unauthenticated;
use super::unread::Unread;
use super::{BUFFER_BYTES, Reactor};
use crate::listener::Listener;
use crate::live::{Counts, Live};
use crate::mailbox::Mailbox;
use crate::protocols::Protocols;
use crate::reader::ReadPool;
use crate::ready_list::ReadyList;
use crate::sequencer::Sequencer;
use crate::tls::{TlsAcceptor, TlsBuffers};

/// What one turn of the runtime brings, in sockets that became ready.
const EVENTS_MAX: usize = 1024;

/// Of a reactor's thread.
const STACK_BYTES: usize = 2 * 1024 * 1024;

/// What all reactors share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) live: Arc<Live>,
    pub(crate) readers: ReadPool,
    pub(crate) started: Instant,
    pub(crate) protocols: Protocols,
}

impl Shared {
    /// Milliseconds since the daemon started: a clock that never steps back.
    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A connection has left.
    pub(super) fn left(&self, connection: &SocketConnection) {
        self.live.quotas.release();
        if let Some(network) = connection.counted_in() {
            self.live.quotas.leave(network);
        }
        if let Some(account) = connection.account() {
            self.live.quotas.sign_out(account);
            self.live.rates.left(account);
        }
        connection.log_closed(&self.live.refusals);
    }
}

/// What a reactor lets go of when it ends, in order or not.
#[derive(Debug)]
pub(crate) struct Alive {
    /// Whoever waits for all of them counts it.
    pub(crate) _counted: TaskTrackerToken,
    /// Tells that one has ended.
    pub(crate) _told: DropGuard,
}

/// The way in to a reactor, and what wakes it, before its thread runs.
#[derive(Debug)]
pub(crate) struct ReactorBuilder {
    index: usize,
    ready: Arc<ReadyList>,
    mailbox: Arc<Mailbox>,
    stack_bytes: usize,
}

impl ReactorBuilder {
    pub(crate) fn new(index: usize) -> Self {
        let ready = Arc::default();
        let mailbox = Arc::new(Mailbox::new(Arc::clone(&ready)));
        Self { index, ready, mailbox, stack_bytes: STACK_BYTES }
    }

    /// One whose thread the system refuses.
    #[cfg(test)]
    pub(crate) fn that_cannot_start(index: usize) -> Self {
        Self { stack_bytes: isize::MAX as usize / 2, ..Self::new(index) }
    }

    pub(crate) fn mailbox(&self) -> Arc<Mailbox> {
        Arc::clone(&self.mailbox)
    }

    /// Runs the reactor on a thread of its own, once it has the listeners. It ends, and lets go of
    /// `alive`, once it drains and every connection is gone.
    ///
    /// # Errors
    /// The system refuses the thread, its runtime, or a listener.
    pub(crate) async fn start(
        self,
        listeners: Vec<Listener>,
        all: Vec<Arc<Mailbox>>,
        shared: Arc<Shared>,
        sequencer: Sequencer,
        alive: Alive,
    ) -> io::Result<JoinHandle<()>> {
        let (tell, told) = oneshot::channel();
        let name = format!("chatd-net-{}", self.index);
        let thread = std::thread::Builder::new().name(name).stack_size(self.stack_bytes);
        let thread = thread.spawn(move || {
            let (result, reactor) = match self.open(listeners, all, shared, sequencer) {
                Ok(opened) => (Ok(()), Some(opened)),
                Err(error) => (Err(error), None),
            };
            if tell.send(result).is_err() {
                tracing::debug!("nobody waits for this thread any more");
            }
            if let Some((runtime, reactor)) = reactor {
                serve(&runtime, reactor.run());
            }
            drop(alive);
        })?;
        told.await.map_err(io::Error::other)??;
        Ok(thread)
    }

    /// Makes the runtime, and the reactor with its listeners in it: on the reactor's own thread, since
    /// a runtime must not be dropped by a task of another.
    fn open(
        self,
        listeners: Vec<Listener>,
        all: Vec<Arc<Mailbox>>,
        shared: Arc<Shared>,
        sequencer: Sequencer,
    ) -> io::Result<(Runtime, Reactor)> {
        let Self { index, ready, mailbox, stack_bytes: _ } = self;
        let runtime = open_runtime()?;
        let reactors = all.len();
        let acceptor = {
            let _context = runtime.enter();
            Acceptor::open(listeners, all, index, &ready)?
        };
        let reactor = Reactor {
            ready,
            mailbox,
            acceptor,
            admission: shared.live.admission(),
            limits: shared.live.limits(),
            networks: shared.live.limits().network_paces(),
            tls_acceptor: TlsAcceptor::new(&shared.live.link()),
            tls: TlsBuffers::default(),
            unread: Unread::of_one_in(reactors, Arc::clone(&shared.live.unread)),
            counts: Counts::default(),
            shared,
            sequencer,
            slab: Slab::new(index),
            unauthenticated: Unauthenticated::default(),
            lingering: LingeringSockets::of_one_in(reactors),
            followers: Followers::default(),
            queue: RunQueue::default(),
            disk_reads: DiskReads::default(),
            batch: TurnBatch::default(),
            is_to_wake: false,
            buffer: vec![0; BUFFER_BYTES].into(),
            now_ms: 0,
            is_draining: false,
        };
        Ok((runtime, reactor))
    }
}

fn open_runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().max_io_events_per_tick(EVENTS_MAX).build()
}

/// Runs a reactor to its end. A pass asks for more sockets than the runtime lets a task that is one of
/// many ask for; the reactor has its own bounds.
fn serve(runtime: &Runtime, reactor: impl Future<Output = ()>) {
    runtime.block_on(unconstrained(reactor));
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use tokio::net::UnixStream;

    use super::*;
    use crate::socket::Socket;

    #[test]
    fn a_pass_may_ask_for_as_many_sockets_as_it_has() {
        const SOCKETS: usize = 300;
        let runtime = open_runtime().unwrap();
        serve(&runtime, async {
            let mut pairs = Vec::new();
            for _ in 0..SOCKETS {
                let (ours, theirs) = UnixStream::pair().unwrap();
                assert_eq!(theirs.try_write(b"x").unwrap(), 1);
                ours.readable().await.unwrap();
                pairs.push((Socket::Unix(ours), theirs));
            }
            tokio::task::yield_now().await;
            let heard = pairs.iter_mut().filter_map(|(ours, _theirs)| {
                let mut nobody = Context::from_waker(Waker::noop());
                ours.poll_read(&mut nobody, &mut [0]).is_ready().then_some(())
            });
            assert_eq!(heard.count(), SOCKETS);
        });
    }
}
