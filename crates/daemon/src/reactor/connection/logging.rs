//! What an operator can follow of a connection, at `debug`: its beginning, its sign-in, each answer,
//! and its end with the reason. Never what people wrote, or a key.

use std::io;

use chat_core::Reply;
use chat_proto::{CloseReason, LogId, RequestId};
use tracing::{Level, Span};

use super::phase::Phase;
use super::{SocketConnection, Stage};
use crate::conn_number::session_id;
use crate::peer::Peer;
use crate::refusals::Refusals;
use crate::tls::TlsFault;

impl SocketConnection {
    /// The connection, and who speaks on it: made when something is told, so that an idle connection
    /// holds none.
    fn span(&self) -> Span {
        let conn =
            tracing::debug_span!("conn", conn_id = self.conn.0, peer = self.peer.to_string());
        match self.account() {
            None => conn,
            Some(account) => {
                let session_id = session_id(self.conn).0;
                tracing::debug_span!(parent: &conn, "session", session_id, account = account.0)
            }
        }
    }

    pub(in crate::reactor) fn log_connected(&self) {
        if tracing::enabled!(Level::DEBUG) {
            self.span().in_scope(|| tracing::debug!("connected"));
        }
    }

    pub(super) fn log_proxied(&self, behind: Peer) {
        if tracing::enabled!(Level::DEBUG) {
            let behind = behind.to_string();
            self.span().in_scope(|| tracing::debug!(behind, "a proxy tells for whom it connects"));
        }
    }

    /// Counts an answer that refuses, and tells of each.
    pub(super) fn log_answer(&self, request: RequestId, reply: &Reply, refusals: &Refusals) {
        if matches!(reply, Reply::Refused(_)) {
            refusals.requests.count();
        }
        if !tracing::enabled!(Level::DEBUG) {
            return;
        }
        self.span().in_scope(|| {
            #[expect(clippy::wildcard_enum_match_arm, reason = "of others their kind is enough")]
            match reply {
                Reply::SignedIn(who) => tracing::debug!(account = who.account.0, "signed in"),
                Reply::Refused(why) => {
                    let (request, code, message) = (request.0, Some(why.code()), why.to_string());
                    tracing::debug!(request, ?code, message_to_peer = message, "refused");
                }
                _ => tracing::debug!(kind = ?reply.kind(), "answered"),
            }
        });
    }

    pub(super) fn log_gone(&self, error: &io::Error) {
        self.span().in_scope(|| tracing::debug!(%error, "a peer is gone"));
    }

    pub(in crate::reactor) fn log_fault(&self) {
        self.span().in_scope(|| tracing::error!("a connection is cut because of a fault in chatd"));
    }

    pub(super) fn log_stale_page(&self, log: LogId) {
        if tracing::enabled!(Level::DEBUG) {
            self.span().in_scope(|| {
                tracing::debug!(%log, "a page came for a cursor that has moved, or a text that is gone");
            });
        }
    }

    pub(super) fn log_tls_fault(&self, fault: &TlsFault) {
        self.span().in_scope(|| tracing::debug!(error = %fault, "TLS has ended with a fault"));
    }

    pub(super) fn log_dead(&self) {
        self.span().in_scope(|| tracing::debug!("a peer is dead"));
    }

    pub(in crate::reactor) fn log_handed_over(&self, protocol: &str) {
        if tracing::enabled!(Level::DEBUG) {
            self.span().in_scope(|| tracing::debug!(protocol, "handed over"));
        }
    }

    /// Counts a connection that was refused, and tells of the end of each.
    pub(in crate::reactor) fn log_closed(&self, refusals: &Refusals) {
        let closing = self.phase.closing();
        let is_native = matches!(self.phase, Phase::Native(_));
        match closing.map(|closing| closing.reason) {
            Some(CloseReason::GoingAway) => {}
            _ if !is_native => refusals.strangers.count(),
            Some(CloseReason::HandshakeTimeout) => refusals.too_late.count(),
            Some(CloseReason::SignInRefused) => refusals.sign_ins.count(),
            Some(CloseReason::ProtocolError) => refusals.protocol.count(),
            _ => {}
        }
        if !tracing::enabled!(Level::DEBUG) {
            return;
        }
        self.span().in_scope(|| match closing {
            Some(closing) => {
                let (reason, code) = (closing.reason, closing.code);
                tracing::debug!(?reason, ?code, message_to_peer = closing.message, "closed");
            }
            None if !is_native => {
                let protocol = self.phase.declined().unwrap_or("unknown");
                tracing::debug!(reason = "NotThisProtocol", protocol, "closed");
            }
            None if self.stage == Stage::HungUp => tracing::debug!(reason = "HungUp", "closed"),
            None => tracing::debug!(reason = "Gone", "closed"),
        });
    }
}
