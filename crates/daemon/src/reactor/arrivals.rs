//! Who comes in, who is sent away, and who leaves.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use chat_core::Closing;

use super::Reactor;
use super::connection::SocketConnection;
use crate::arrival::{Arrival, Transfer};
use crate::memory;
use crate::notices::{evicted, full, going_away, network_full, no_memory, too_many_sign_ins};
use crate::peer::Network;
use crate::protocols::{Handover, Protocol, ProtocolId, Service};
use crate::quotas::Place;
use crate::socket::Socket;

impl Reactor {
    /// Takes in who waits at a listener. Where no place is left, somebody who has not signed in gives
    /// up his.
    pub(super) fn accept(&mut self) {
        let mut has_memory = None;
        while let Some(mut arrival) = self.acceptor.accept() {
            let proxies = &self.limits.proxy_protocol_from;
            let ip = arrival.peer.ip();
            arrival.is_proxy = ip.is_some_and(|ip| proxies.iter().any(|from| from.contains(ip)));
            if !*has_memory.get_or_insert_with(memory::is_left) {
                self.send_away(arrival.socket, &no_memory());
                continue;
            }
            if !self.finds_a_place(arrival.network()) {
                self.send_away(arrival.socket, &full());
                continue;
            }
            match self.acceptor.share_out(arrival) {
                Ok(Some(arrival)) => self.take_in(arrival),
                Ok(None) => {}
                Err(error) => self.failed_to_take_in(&error),
            }
        }
    }

    /// A connection that another reactor has accepted.
    pub(super) fn take_over(&mut self, transfer: Transfer) {
        match transfer.register() {
            Ok(arrival) => self.take_in(arrival),
            Err(error) => self.failed_to_take_in(&error),
        }
    }

    /// The place that was taken for it is free again.
    fn failed_to_take_in(&self, error: &io::Error) {
        self.shared.live.quotas.release();
        tracing::error!(%error, "a connection could not be taken in");
    }

    fn finds_a_place(&mut self, network: Network) -> bool {
        let quotas = Arc::clone(&self.shared.live.quotas);
        quotas.acquire(network)
            || quotas.lacks_one_at_most(network)
                && self.evict_unauthenticated()
                && quotas.acquire(network)
    }

    /// A connection begins.
    fn take_in(&mut self, arrival: Arrival) {
        if self.is_draining {
            // It came while others were told to go.
            self.shared.live.quotas.release();
            let words = going_away().frame();
            return self.lingering.send_away(arrival.socket, &words, &mut self.buffer);
        }
        if !self.slab.has_memory_for_one_more() {
            self.shared.live.quotas.release();
            return self.send_away(arrival.socket, &no_memory());
        }
        let network = arrival.network();
        let wait_ms = match self.enter(network) {
            Ok(wait_ms) => wait_ms,
            Err(closing) => {
                self.shared.live.quotas.release();
                return self.send_away(arrival.socket, &closing);
            }
        };
        match self.slab.admit(arrival, &self.ready) {
            Ok((slot, conn)) => {
                self.counts.accepted += 1;
                self.unauthenticated.insert(network, conn);
                self.line_up_after(slot, wait_ms);
            }
            Err(error) => {
                if network.is_limited() {
                    self.shared.live.quotas.leave(network);
                }
                self.failed_to_take_in(&error);
            }
        }
        if self.unauthenticated.count()
            > self.shared.live.quotas.unauthenticated_max(self.acceptor.reactors())
        {
            self.evict_unauthenticated();
        }
    }

    /// A proxy has told whose connection it is: from here on that is where it comes from.
    pub(super) fn arrived(&mut self, slot: u32) {
        let Some(connection) = self.slab.at(slot as usize) else { return };
        let (network, conn) = (connection.network(), connection.conn);
        match self.enter(network) {
            Ok(wait_ms) => {
                self.unauthenticated.remove(Network::Proxy, conn);
                self.unauthenticated.insert(network, conn);
                self.line_up_after(slot, wait_ms);
            }
            Err(closing) => {
                self.shared.live.refusals.full.count();
                let Some(connection) = self.slab.at(slot as usize) else { return };
                connection.is_proxy = true;
                connection.close(&closing);
                self.line_up_to_write(slot);
            }
        }
    }

    /// Somebody comes from a network, and is counted there, if it has limits: how long it is not read, in
    /// milliseconds.
    fn enter(&self, network: Network) -> Result<u64, Closing> {
        if !network.is_limited() {
            return Ok(0);
        }
        let live = &self.shared.live;
        if !live.quotas.enter(network, &self.networks) {
            return Err(network_full());
        }
        match live.networks.sign_in(network, &self.networks, self.now_ms) {
            Ok(wait_ms) => Ok(wait_ms),
            Err(too_fast) => {
                live.quotas.leave(network);
                Err(too_many_sign_ins(too_fast))
            }
        }
    }

    /// It is read once its time has come.
    fn line_up_after(&mut self, slot: u32, wait_ms: u64) {
        let Some(connection) = self.slab.at(slot as usize) else { return };
        match wait_ms {
            0 => self.queue.line_up_to_read(connection),
            _ => self.queue.hold(connection, self.now_ms.saturating_add(wait_ms)),
        }
    }

    /// Those whose time has come are read.
    pub(super) fn end_holds(&mut self) {
        while let Some(conn) = self.queue.next_released(self.now_ms) {
            if let Some((_slot, connection)) = self.slab.of(conn) {
                connection.awaits_reading = false;
                self.queue.line_up_to_read(connection);
            }
        }
    }

    /// Takes everything that a connection held out of the daemon, behind all that it has asked.
    pub(super) fn let_go(&mut self, slot: u32) {
        drop(self.remove(slot));
    }

    /// Who has not signed in, and has waited longest where most do, gives up his place.
    fn evict_unauthenticated(&mut self) -> bool {
        let Some(conn) = self.unauthenticated.first_to_go() else { return false };
        let Some((slot, _connection)) = self.slab.of(conn) else { return false };
        let Some(connection) = self.remove(slot) else { return false };
        let (socket, words) = connection.into_farewell(&evicted());
        self.shared.live.refusals.full.count();
        self.lingering.send_away(socket, &words, &mut self.buffer);
        true
    }

    /// While more is kept than may be, the peer that owes the end of the longest frame has to go.
    pub(super) fn keep_within_budget(&mut self) {
        while self.unread.is_spent() {
            let Some((slot, connection)) = self.slab.most_in_debt() else { return };
            self.unread.changed(connection.unread_bytes(), 0);
            connection.shed_unread();
            self.shared.live.refusals.full.count();
            self.line_up_to_write(slot);
        }
    }

    /// Gives a connection's socket, with all that it has said, to whoever speaks its protocol. It keeps
    /// its place.
    pub(super) fn hand_over(&mut self, slot: u32, protocol: ProtocolId) {
        let Some(connection) = self.take_out(slot) else { return };
        let place = Place::of(&self.shared.live.quotas, connection.counted_in());
        let Protocol { name, service, .. } = self.shared.protocols.get(protocol);
        let Service::TakenOver(server) = service else { return };
        connection.log_handed_over(name);
        let Some((arrival, first_bytes)) = connection.into_arrival() else { return };
        match arrival.unregister() {
            Ok(transfer) => {
                let handover = Handover::new(transfer, first_bytes, place);
                let taken = catch_unwind(AssertUnwindSafe(|| server.take_over(handover)));
                if taken.is_err() {
                    tracing::error!(protocol = name, "a connection was lost to a fault");
                }
            }
            Err(error) => tracing::error!(%error, "a connection could not be handed over"),
        }
    }

    fn remove(&mut self, slot: u32) -> Option<SocketConnection> {
        let connection = self.take_out(slot)?;
        self.shared.left(&connection);
        // Of strangers any number may come and go: nothing is to be kept for them.
        if connection.is_known() {
            self.hand_in_gone(connection.party(), connection.conn);
        }
        Some(connection)
    }

    /// Empties a slot; the reactor knows nothing of what was in it any more.
    fn take_out(&mut self, slot: u32) -> Option<SocketConnection> {
        let connection = self.slab.remove(slot)?;
        connection.followed().for_each(|log| self.followers.remove(log, slot));
        self.unauthenticated.remove(connection.network(), connection.conn);
        self.unread.changed(connection.unread_bytes(), 0);
        Some(connection)
    }

    fn send_away(&mut self, socket: Socket, why: &Closing) {
        self.shared.live.refusals.full.count();
        self.lingering.send_away(socket, &why.frame(), &mut self.buffer);
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream, UnixStream};
    use tokio::time::{Duration, timeout};

    use super::*;
    use crate::mailbox::Mail;
    use crate::peer::Peer;
    use crate::protocols::Protocols;
    use crate::reactor::ReactorBuilder;
    use crate::reactor::acceptor::Acceptor;
    use crate::{Config, Server};

    /// Longer than anything here takes.
    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn who_is_handed_over_while_the_daemon_stops_is_told_so() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = dir.path().join("data");
        let config = Config { listen: Vec::new(), socket: None, data_dir, ..Config::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut theirs = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (ours, from) = listener.accept().await.unwrap();

        let builder = ReactorBuilder::new(0);
        let mailbox = builder.mailbox();
        // The reactor finds both in its first pass.
        mailbox.drain();
        let socket = Socket::Tcp(ours).unregister().unwrap();
        mailbox
            .arrive(Transfer { socket, peer: Peer::from(from), is_proxy: false })
            .expect("it has not ended");
        let server = Server::start_with(config, Protocols::default(), vec![builder]).await.unwrap();

        let mut heard = Vec::new();
        timeout(LONG, theirs.read_to_end(&mut heard)).await.expect("it is told").unwrap();
        assert_eq!(heard, going_away().frame());
        server.shutdown().await;
    }

    #[tokio::test]
    async fn who_is_handed_to_a_reactor_that_has_ended_stays_with_the_one_that_accepted_it() {
        let ended = ReactorBuilder::new(1).mailbox();
        let mut last = Mail::default();
        ended.close(&mut last);
        let own = ReactorBuilder::new(0).mailbox();
        let all = vec![own, Arc::clone(&ended)];
        let mut acceptor = Acceptor::open(Vec::new(), all, 0, &Arc::default()).unwrap();

        for _ in 0..2 {
            let (ours, mut theirs) = UnixStream::pair().unwrap();
            let peer = Peer::of(ours.peer_cred());
            let arrival = Arrival { peer, socket: Socket::Unix(ours), is_proxy: false };
            let kept = acceptor.share_out(arrival).unwrap().expect("nobody else takes it");
            assert_eq!(kept.socket.write(&std::iter::once(&b"told"[..])).unwrap(), 4);
            drop(kept);
            let mut heard = Vec::new();
            timeout(LONG, theirs.read_to_end(&mut heard)).await.unwrap().unwrap();
            assert_eq!(heard, b"told");
        }
        ended.take(&mut last);
        assert!(last.transfers.is_empty(), "nobody would have looked");
    }
}
