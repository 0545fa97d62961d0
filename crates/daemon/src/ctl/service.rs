//! Who may speak as the operator, and the one task that serves them.

use std::sync::Arc;

use rustix::process::geteuid;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::answer::{Answer, ErrorKind};
use super::conversation::converse;
use super::{OPENING, Operator};
use crate::protocols::{Handover, Peer, Protocol, Service, TakeOver, Unregistered};
use crate::quotas::Place;

/// Conversations that are served at the same time.
const CONVERSATIONS_MAX: usize = 16;

/// Those that wait to be served. Whoever comes when they are as many is told to come again.
const WAITING_MAX: usize = 16;

/// The user who may do everything on this machine.
const ROOT: u32 = 0;

/// The reactors' side: decides who is let through.
#[derive(Debug)]
struct CtlGate {
    waiting: mpsc::Sender<Handover>,
    /// Who runs the daemon.
    user: u32,
}

/// The task's side.
#[derive(Debug)]
pub(crate) struct CtlProtocol {
    waiting: mpsc::Receiver<Handover>,
}

/// The protocol for the daemon's table, and what serves it.
pub(crate) fn ctl_protocol() -> (Protocol, CtlProtocol) {
    let (waiting, received) = mpsc::channel(WAITING_MAX);
    let gate = Arc::new(CtlGate { waiting, user: geteuid().as_raw() });
    let protocol = Protocol {
        name: "ctl",
        openings: &[OPENING],
        ignores_case: false,
        service: Service::TakenOver(gate),
    };
    (protocol, CtlProtocol { waiting: received })
}

impl CtlGate {
    fn refusal(&self, peer: Peer) -> Option<Answer> {
        let user = self.user;
        match peer {
            Peer::User { uid, .. } if uid == user || uid == ROOT => {
                let is_full = self.waiting.capacity() == 0;
                is_full.then(|| Answer::error(ErrorKind::Retry, "too many wait already; try again"))
            }
            Peer::User { uid, .. } => Some(Answer::error(
                ErrorKind::NotAllowed,
                format!(
                    "user {uid} does not run this daemon: only user {user} and root are its operators"
                ),
            )),
            Peer::Unknown => Some(Answer::error(
                ErrorKind::NotAllowed,
                "the system does not know any more which user asks; run it again and wait for the answer",
            )),
            Peer::V4(..) | Peer::V6(..) => Some(Answer::error(
                ErrorKind::NotAllowed,
                "the daemon takes orders at its Unix socket alone: run chatd ctl on its machine",
            )),
        }
    }
}

impl TakeOver for CtlGate {
    fn decline(&self, peer: Peer) -> Option<Vec<u8>> {
        self.refusal(peer).map(|answer| answer.line())
    }

    fn take_over(&self, connection: Handover) {
        if self.waiting.try_send(connection).is_err() {
            // It got in while others took the last places, or the daemon stops: its client says so.
            tracing::debug!("a connection of the operator's found no place");
        }
    }
}

impl CtlProtocol {
    /// Serves until the daemon stops. Conversations that have asked something are answered.
    pub(crate) async fn serve(mut self, daemon: Operator, stop: CancellationToken) {
        let daemon = Arc::new(daemon);
        let mut conversations = JoinSet::new();
        loop {
            let has_room = conversations.len() < CONVERSATIONS_MAX;
            tokio::select! {
                () = stop.cancelled() => break,
                Some(ended) = conversations.join_next() => log_end(ended),
                come = self.waiting.recv(), if has_room => {
                    let Some(connection) = come else { break };
                    let (daemon, stop) = (Arc::clone(&daemon), stop.clone());
                    conversations.spawn(async move { serve_one(connection, &daemon, &stop).await });
                }
            }
        }
        while let Some(ended) = conversations.join_next().await {
            log_end(ended);
        }
    }
}

async fn serve_one(connection: Handover, daemon: &Operator, stop: &CancellationToken) {
    let Handover { socket, peer, first_bytes, place } = connection;
    // It counts among the connections for as long as it is served.
    let _place: Place = place;
    let Unregistered::Unix(socket) = socket else { return };
    let said = match UnixStream::from_std(socket) {
        Ok(stream) => converse(stream, first_bytes, daemon, stop).await,
        Err(error) => Err(error),
    };
    match said {
        Ok(()) => tracing::debug!(%peer, "the operator has left"),
        Err(error) => tracing::debug!(%peer, %error, "the operator is gone"),
    }
}

fn log_end(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a request of the operator's has ended by a fault");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_by(peer: Peer) -> Option<String> {
        let (waiting, _served) = mpsc::channel(1);
        let words = CtlGate { waiting, user: 1_000 }.decline(peer);
        words.map(|words| String::from_utf8(words).unwrap())
    }

    #[test]
    fn only_who_runs_the_daemon_and_root_are_let_through() {
        for uid in [1_000, ROOT] {
            assert_eq!(asked_by(Peer::User { uid, process: None }), None);
        }
        let stranger = asked_by(Peer::User { uid: 1_001, process: Some(7) }).unwrap();
        assert!(stranger.contains("not-allowed") && stranger.contains("user 1001"), "{stranger}");
        let gone = asked_by(Peer::Unknown).unwrap();
        assert!(gone.contains("not-allowed"), "{gone}");
        for address in ["127.0.0.1:9", "[::1]:9"] {
            let peer = Peer::from(address.parse::<std::net::SocketAddr>().unwrap());
            let far = asked_by(peer).unwrap();
            assert!(far.contains("not-allowed") && far.contains("Unix socket"), "{far}");
        }
    }

    #[test]
    fn who_comes_when_many_wait_is_told_to_come_again() {
        let (waiting, _served) = mpsc::channel::<Handover>(1);
        let _the_last_place = waiting.clone().try_reserve_owned().unwrap();
        let gate = CtlGate { waiting, user: 1_000 };
        let words = gate.decline(Peer::User { uid: 1_000, process: None }).unwrap();
        assert!(String::from_utf8(words).unwrap().contains("retry"));
    }
}
