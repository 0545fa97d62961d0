//! What a peer says: read once in a turn, and understood as far as there is room for what it asks.

use std::task::{Context, Poll};

use chat_core::{Connection, SessionSeed};
use chat_proto::{MAGIC, frame_end};

use super::phase::{Leaving, Native, Phase};
use super::{SocketConnection, Stage};
use crate::conn_number::session_id;
use crate::notices::{
    no_memory, no_proxy_header, tls_required, too_long_before_sign_in, unknown_protocol,
};
use crate::protocols::{Recognised, Service};
use crate::proxy_header::ProxyHeader;
use crate::reactor::turn::{ParseContext, Progress, TurnContext};
use crate::reactor::unread::CAUTIOUS_READ_BYTES;
use crate::tls::TlsFault;
use crate::transport::Received;

impl SocketConnection {
    /// A turn at reading: understands what was left, and reads once.
    pub(in crate::reactor) fn on_readable(&mut self, context: &mut TurnContext<'_>) -> Progress {
        if matches!(self.stage, Stage::Lingering { .. }) {
            return self.discard_input(context);
        }
        if self.phase.is_closing() || context.is_draining {
            return Progress::Done;
        }
        let was_proxy = self.is_proxy;
        let has_kept_whole_frames = self.keeps_whole_frame();
        if !self.unread.is_empty() {
            let unread = std::mem::take(&mut self.unread);
            // Behind what a proxy has said.
            if self.process_input(&unread, &mut context.parse) {
                self.begin_tls(context);
            }
        }
        if context.parse.batch.is_full() && self.has_input() {
            return self.stopped();
        }
        // What was kept went before the turns of others. They come before what it reads next: else one
        // that is never done would keep all others of its account from their turns.
        if has_kept_whole_frames && self.has_input() {
            return Progress::Again;
        }
        if !self.is_readable || !self.phase.wants_input() {
            return Progress::Done;
        }
        let room = match self.account() {
            None => CAUTIOUS_READ_BYTES,
            Some(_) => context.read_bytes,
        };
        let mut cx = Context::from_waker(&self.waker);
        match self.transport.poll_read(&mut cx, room, context.buffer) {
            Poll::Pending => self.is_readable = false,
            Poll::Ready(Ok(Received { bytes: 0, .. })) => {
                self.is_readable = false;
                self.stage = Stage::HungUp;
            }
            Poll::Ready(Ok(Received { bytes, with_kept })) => {
                self.keep_alive.beat();
                context.counts.bytes_read += bytes as u64;
                // Less than there was room for is all there is; the end of the stream may follow.
                self.is_readable = bytes == room || self.transport.is_readable(&mut cx);
                if let Phase::Native(native) = &mut self.phase
                    && !native.has_said(bytes)
                {
                    self.phase.close(&too_long_before_sign_in());
                }
                let opened = self.transport.open(&mut context.buffer[..with_kept], context.tls);
                match opened.map(|new| self.take_in(new, &mut context.parse)) {
                    Ok(true) => self.begin_tls(context),
                    Ok(false) => {}
                    Err(fault) => self.fail(&fault),
                }
                if self.transport.peer_has_closed() {
                    self.stage = Stage::HungUp;
                }
            }
            Poll::Ready(Err(error)) => {
                self.log_gone(&error);
                return Progress::Gone;
            }
        }
        if was_proxy && !self.is_proxy {
            return Progress::Arrived;
        }
        if let Phase::Taken(protocol) = self.phase {
            return Progress::HandOver(protocol);
        }
        match self.has_input() {
            true if context.parse.batch.is_full() => self.stopped(),
            true if self.is_readable => Progress::Again,
            _ => Progress::Done,
        }
    }

    /// Reads what a peer still had under way when everything was said.
    fn discard_input(&mut self, context: &mut TurnContext<'_>) -> Progress {
        let mut cx = Context::from_waker(&self.waker);
        match self.transport.poll_discard(&mut cx, context.buffer) {
            Poll::Pending => {
                self.is_readable = false;
                Progress::Done
            }
            Poll::Ready(Ok(1..)) => Progress::Again,
            Poll::Ready(Ok(0) | Err(_)) => Progress::Gone,
        }
    }

    /// Asks what has come, behind what was kept. Whether TLS begins with it: then it is kept.
    fn take_in(&mut self, new: &[u8], context: &mut ParseContext<'_>) -> bool {
        if self.unread.is_empty() {
            return self.process_input(new, context);
        }
        let mut all = std::mem::take(&mut self.unread).into_vec();
        if all.try_reserve(new.len()).is_err() {
            self.phase.close(&no_memory());
            return false;
        }
        all.extend_from_slice(new);
        self.process_input(&all, context)
    }

    /// What is kept is the beginning of TLS: it goes on with what is said in it, where anything can be
    /// spoken again.
    fn begin_tls(&mut self, context: &mut TurnContext<'_>) {
        let first = std::mem::take(&mut self.unread);
        match self.transport.begin_tls(context.parse.acceptor, &first, context.tls) {
            Ok(()) => {
                let begins_again = self.process_input(&context.tls.plain, &mut context.parse);
                debug_assert!(!begins_again, "there is no TLS in TLS");
            }
            Err(fault) => self.fail(&fault),
        }
    }

    /// TLS has come to a bad end. Its peer is told by an alert, and hears nothing more.
    fn fail(&mut self, fault: &TlsFault) {
        self.log_tls_fault(fault);
        self.unread = Box::default();
        self.part();
    }

    /// Asks what `bytes` ask, and keeps the rest. Whether TLS begins with them.
    fn process_input(&mut self, mut bytes: &[u8], context: &mut ParseContext<'_>) -> bool {
        if bytes.is_empty() {
            return false;
        }
        if self.is_proxy {
            self.read_proxy_header(bytes);
            return false;
        }
        let mut begins_tls = false;
        if matches!(self.phase, Phase::Undecided) {
            begins_tls = self.decide(&mut bytes, context);
        }
        let Phase::Native(native) = &mut self.phase else {
            self.keep(bytes);
            return begins_tls;
        };
        let mut left = bytes.len();
        let ParseContext { admission, batch, .. } = context;
        while !batch.is_full()
            && let Some(asked) = native.core.receive(admission, &mut bytes, &mut batch.tokens)
        {
            batch.ask(self.conn, asked, left - bytes.len());
            left = bytes.len();
        }
        self.keep(bytes);
        false
    }

    /// Takes what a proxy says in front of the connection. What comes behind it is understood in the next
    /// turn, which is that of whoever is behind the proxy.
    fn read_proxy_header(&mut self, bytes: &[u8]) {
        let end = match ProxyHeader::read(bytes) {
            ProxyHeader::Incomplete => return self.keep(bytes),
            ProxyHeader::Refused(why) => return self.phase.close(&no_proxy_header(why)),
            ProxyHeader::Itself { bytes } => bytes,
            ProxyHeader::From { peer, bytes } => {
                self.log_proxied(peer);
                self.peer = self.peer.passes_on(peer);
                bytes
            }
        };
        self.is_proxy = false;
        self.keep(&bytes[end..]);
    }

    /// Keeps what cannot be understood yet, for as long as the peer likes: in an exact fit.
    fn keep(&mut self, bytes: &[u8]) {
        if self.phase.is_closing() || bytes.is_empty() {
            return;
        }
        let mut unread = Vec::new();
        if unread.try_reserve_exact(bytes.len()).is_err() {
            return self.phase.close(&no_memory());
        }
        unread.extend_from_slice(bytes);
        self.unread = unread.into_boxed_slice();
    }

    /// How much is kept.
    pub(in crate::reactor) fn unread_bytes(&self) -> usize {
        self.unread.len() + self.transport.kept_bytes()
    }

    /// Whether something is kept whose end the peer owes: a frame, or a record of TLS.
    pub(in crate::reactor) fn owes_bytes(&self) -> bool {
        self.owes_frame() || self.transport.kept_bytes() > 0
    }

    /// Whether what is kept is a frame whose end the peer owes. The rest waits for the daemon: for a
    /// reply to leave, or for the account to have a turn again.
    pub(super) fn owes_frame(&self) -> bool {
        !self.unread.is_empty() && self.phase.wants_input() && !self.keeps_whole_frame()
    }

    fn keeps_whole_frame(&self) -> bool {
        frame_end(&self.unread, 0).is_some_and(|end| end <= self.unread.len())
    }

    /// The turn has taken what it may: what is kept of whole frames goes on before others of the account.
    fn stopped(&self) -> Progress {
        match self.keeps_whole_frame() {
            true => Progress::Interrupted,
            false => Progress::Again,
        }
    }

    /// Drops what is kept, and ends the connection.
    pub(in crate::reactor) fn shed_unread(&mut self) {
        self.unread = Box::default();
        self.transport.abandon_tls();
        self.phase.close(&no_memory());
    }

    /// Looks at the first bytes, and takes the magic. A peer that speaks something that nobody does
    /// here is told so in its own words. Whether it is TLS that begins.
    fn decide(&mut self, bytes: &mut &[u8], context: &ParseContext<'_>) -> bool {
        let spoken = match context.protocols.recognise(bytes) {
            Recognised::Undecided => return false,
            Recognised::Unknown => {
                self.phase = Leaving::saying(unknown_protocol().frame()).into();
                return false;
            }
            Recognised::Protocol(spoken) => spoken,
        };
        let protocol = context.protocols.get(spoken);
        self.phase = match &protocol.service {
            Service::Native if self.is_overheard() && !context.acceptor.takes_plaintext => {
                Leaving::with(&tls_required()).into()
            }
            Service::Native => {
                *bytes = &bytes[MAGIC.len()..];
                self.begin()
            }
            Service::Tls if !self.transport.is_tls() => return true,
            Service::Declined(words) => Leaving::declining(protocol.name, words()).into(),
            Service::TakenOver(server) if !self.transport.is_tls() => {
                match server.decline(self.peer) {
                    Some(words) => Leaving::declining(protocol.name, words).into(),
                    None => Phase::Taken(spoken),
                }
            }
            // Whoever takes sockets over gets them without TLS.
            Service::Tls | Service::TakenOver(_) => {
                Leaving::declining(protocol.name, unknown_protocol().frame()).into()
            }
        };
        false
    }

    /// Whether others may read along.
    fn is_overheard(&self) -> bool {
        self.peer.is_elsewhere() && !self.transport.is_tls()
    }

    /// A conversation begins, with a challenge of its own.
    fn begin(&self) -> Phase {
        let mut challenge = [0; 32];
        if let Err(error) = getrandom::fill(&mut challenge) {
            tracing::error!(%error, "the system gives no random bytes: nobody can sign in");
            return Leaving::saying(Vec::new()).into();
        }
        let seed =
            SessionSeed { id: session_id(self.conn), challenge, binding: self.transport.binding() };
        Phase::Native(Native::new(Connection::new(seed, self.peer.way_in())))
    }
}
