//! The acceptor: connections come in here, and are shared out among the reactors.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::net::{TcpListener, UnixListener};

use crate::arrival::Arrival;
use crate::conn_number::SLOTS_MAX;
use crate::listener::Listener;
use crate::mailbox::Mailbox;
use crate::peer::Peer;
use crate::ready_list::{ReadyList, slot_waker};
use crate::socket::Socket;

/// Connections that one pass takes in at the most: others are to be heard meanwhile.
const ACCEPTS_PER_PASS: usize = 256;

/// Of connections that cannot be accepted a line is said once in so many ticks.
const QUIET_TICKS: u8 = 5;

/// The listeners of a reactor; only the first has any.
#[derive(Debug)]
pub(super) struct Acceptor {
    listeners: Vec<Listening>,
    /// The listener that is looked at first: the one behind who was served last.
    first: usize,
    /// Where connections go, in turn.
    all: Vec<Arc<Mailbox>>,
    own: usize,
    next: usize,
    /// The process has no descriptors left: accepting rests until the next tick.
    is_backing_off: bool,
    /// For how many ticks nothing more is said of connections that could not be accepted.
    is_quiet_for: u8,
    accepted_in_pass: usize,
}

#[derive(Debug)]
struct Listening {
    listener: Registered,
    waker: Waker,
    is_ready: bool,
}

/// A listener of the runtime.
#[derive(Debug)]
enum Registered {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Registered {
    fn new(listener: Listener) -> io::Result<Self> {
        match listener {
            Listener::Tcp(listener) => TcpListener::from_std(listener).map(Self::Tcp),
            Listener::Unix(listener) => UnixListener::from_std(listener).map(Self::Unix),
        }
    }

    /// Takes the next connection. Pending when nobody waits; the waker is woken when somebody does.
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Arrival>> {
        match self {
            Self::Tcp(listener) => listener.poll_accept(cx).map_ok(|(stream, from)| Arrival {
                socket: Socket::Tcp(stream),
                peer: from.into(),
                is_proxy: false,
            }),
            Self::Unix(listener) => listener.poll_accept(cx).map_ok(|(stream, _path)| Arrival {
                peer: Peer::of(stream.peer_cred()),
                socket: Socket::Unix(stream),
                is_proxy: false,
            }),
        }
    }
}

impl Acceptor {
    /// Registers the listeners with the runtime of the caller.
    pub(super) fn open(
        listeners: Vec<Listener>,
        all: Vec<Arc<Mailbox>>,
        own: usize,
        ready: &Arc<ReadyList>,
    ) -> io::Result<Self> {
        let listening = |(number, listener)| {
            let number = u32::try_from(SLOTS_MAX + number).map_err(io::Error::other)?;
            Ok(Listening {
                listener: Registered::new(listener)?,
                waker: slot_waker(ready, number),
                // Nobody is announced before somebody was looked for.
                is_ready: true,
            })
        };
        Ok(Self {
            listeners: listeners
                .into_iter()
                .enumerate()
                .map(listening)
                .collect::<io::Result<_>>()?,
            first: 0,
            all,
            own,
            next: own,
            is_backing_off: false,
            is_quiet_for: 0,
            accepted_in_pass: 0,
        })
    }

    /// Somebody is at the listener with that number on the ready list.
    pub(super) fn mark_ready(&mut self, number: usize) {
        let listener = number.checked_sub(SLOTS_MAX);
        if let Some(listening) = listener.and_then(|listener| self.listeners.get_mut(listener)) {
            listening.is_ready = true;
        }
    }

    /// Whether somebody waits to be taken in.
    pub(super) fn is_open(&self) -> bool {
        !self.is_backing_off && self.listeners.iter().any(|listening| listening.is_ready)
    }

    /// Nobody is taken in any more.
    pub(super) fn shut(&mut self) {
        self.listeners.clear();
    }

    /// A second has passed.
    pub(super) fn end_back_off(&mut self) {
        self.is_backing_off = false;
        self.is_quiet_for = self.is_quiet_for.saturating_sub(1);
    }

    /// Takes the next one in, of each listener in turn: a flood at one keeps nobody from another.
    /// `None` when this pass has taken enough.
    pub(super) fn accept(&mut self) -> Option<Arrival> {
        while self.accepted_in_pass < ACCEPTS_PER_PASS
            && let Some(number) = self.next_ready()
        {
            let waiting = &mut self.listeners[number];
            let mut cx = Context::from_waker(&waiting.waker);
            match waiting.listener.poll_accept(&mut cx) {
                Poll::Pending => waiting.is_ready = false,
                Poll::Ready(Ok(arrival)) => {
                    self.accepted_in_pass += 1;
                    self.first = number + 1;
                    return Some(arrival);
                }
                // This one has already gone: the next may be there.
                Poll::Ready(Err(error)) if has_gone(&error) => {}
                Poll::Ready(Err(error)) => {
                    self.is_backing_off = true;
                    self.tell_of(&error);
                }
            }
        }
        self.accepted_in_pass = 0;
        None
    }

    /// A connection could not be accepted. It may go on like that for hours, and waits meanwhile.
    fn tell_of(&mut self, error: &io::Error) {
        if self.is_quiet_for == 0 {
            self.is_quiet_for = QUIET_TICKS;
            tracing::warn!(%error, "connections cannot be accepted; they wait, and it is tried each second");
        }
    }

    /// The listener whose turn it is among those at which somebody waits.
    fn next_ready(&self) -> Option<usize> {
        if self.is_backing_off {
            return None;
        }
        let count = self.listeners.len();
        let mut in_turn = (self.first..self.first + count).map(|number| number % count);
        in_turn.find(|number| self.listeners[*number].is_ready)
    }

    /// Gives a connection to the reactor whose turn it is; gives it back when that is this one.
    pub(super) fn share_out(&mut self, arrival: Arrival) -> io::Result<Option<Arrival>> {
        let reactor = self.next;
        self.next = (reactor + 1) % self.all.len().max(1);
        match self.all.get(reactor) {
            Some(mailbox) if reactor != self.own => {
                match mailbox.arrive(arrival.unregister()?) {
                    Ok(()) => Ok(None),
                    // The daemon stops, and that reactor has ended: this one is told of it next.
                    Err(transfer) => transfer.register().map(Some),
                }
            }
            _ => Ok(Some(arrival)),
        }
    }

    /// How many reactors there are.
    pub(super) fn reactors(&self) -> usize {
        self.all.len()
    }
}

fn has_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use std::net;
    use std::os::unix;

    use tokio::time::{Duration, sleep, timeout};

    use super::*;

    /// Longer than anything here takes.
    const LONG: Duration = Duration::from_secs(60);

    const FLOOD: usize = 16;

    #[tokio::test]
    async fn a_flood_at_one_listener_keeps_nobody_from_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let tcp = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let unix = unix::net::UnixListener::bind(&path).unwrap();
        tcp.set_nonblocking(true).unwrap();
        unix.set_nonblocking(true).unwrap();
        let address = tcp.local_addr().unwrap();
        let listeners = vec![Listener::Tcp(tcp), Listener::Unix(unix)];
        let mut acceptor = Acceptor::open(listeners, Vec::new(), 0, &Arc::default()).unwrap();

        let connect = |_| net::TcpStream::connect(address).unwrap();
        let _flood: Vec<_> = (0..FLOOD).map(connect).collect();
        let _operator = unix::net::UnixStream::connect(&path).unwrap();
        // The runtime tells of both listeners at its next turn.
        let passes = async {
            let mut pass: Vec<Arrival> = Vec::new();
            while pass.is_empty() {
                sleep(Duration::from_millis(1)).await;
                acceptor.listeners.iter_mut().for_each(|listening| listening.is_ready = true);
                pass.extend(std::iter::from_fn(|| acceptor.accept()));
            }
            pass
        };
        let pass = timeout(LONG, passes).await.expect("nobody was taken in");
        assert_eq!(pass.len(), FLOOD + 1);
        let is_local = |arrival: &Arrival| matches!(arrival.socket, Socket::Unix(_));
        assert_eq!(pass.iter().position(is_local), Some(1), "the second in turn");
    }
}
