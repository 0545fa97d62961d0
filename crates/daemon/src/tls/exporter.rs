//! What TLS exports of a connection, for both ends to sign.
//!
//! rustls exports for connections that it buffers itself, and not (0.23) for ours. It does tell the
//! secret that everything is exported from, to whoever logs secrets. That is taken here, for as long as
//! one connection has its turn, and the rest of RFC 8446, section 7.5, is done with rustls's own HKDF.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use chat_proto::{ChannelBinding, EXPORTER_LABEL};
use rustls::crypto::tls13::{HkdfExpander, OkmBlock, expand};
use rustls::{KeyLog, SupportedCipherSuite};

/// The name of the secret in the format of such logs.
const EXPORTER_SECRET: &str = "EXPORTER_SECRET";

/// What begins every label of TLS 1.3.
const LABEL_PREFIX: &[u8] = b"tls13 ";

/// The secret of the connection that has its turn, once there is one.
#[derive(Default)]
pub(super) struct ExporterSecret(Mutex<Option<OkmBlock>>);

impl KeyLog for ExporterSecret {
    fn log(&self, label: &str, _client_random: &[u8], secret: &[u8]) {
        if self.will_log(label) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(OkmBlock::new(secret));
        }
    }

    fn will_log(&self, label: &str) -> bool {
        label == EXPORTER_SECRET
    }
}

impl fmt::Debug for ExporterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExporterSecret(..)")
    }
}

impl ExporterSecret {
    /// The secret, when the handshake has come so far. It is told once.
    pub(super) fn take(&self) -> Option<OkmBlock> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What a connection with this secret exports under our label. `None`: it is not one of TLS 1.3.
pub(super) fn export(suite: SupportedCipherSuite, secret: &OkmBlock) -> Option<ChannelBinding> {
    let suite = suite.tls13()?;
    let no_context = suite.common.hash_provider.hash(&[]);
    let of_all = suite.hkdf_provider.expander_for_okm(secret);
    let of_label = expand_block(&*of_all, EXPORTER_LABEL, no_context.as_ref());
    let expander = suite.hkdf_provider.expander_for_okm(&of_label);
    let info = label_info(32, b"exporter", no_context.as_ref());
    Some(ChannelBinding(expand(&*expander, &[&info])))
}

fn expand_block(expander: &dyn HkdfExpander, label: &[u8], context: &[u8]) -> OkmBlock {
    expander.expand_block(&[&label_info(expander.hash_len(), label, context)])
}

/// `HkdfLabel` of RFC 8446, section 7.1.
fn label_info(bytes: usize, label: &[u8], context: &[u8]) -> Vec<u8> {
    let byte = |length: usize| u8::try_from(length).expect("labels and hashes are short");
    let mut info = vec![0, byte(bytes), byte(LABEL_PREFIX.len() + label.len())];
    info.extend_from_slice(LABEL_PREFIX);
    info.extend_from_slice(label);
    info.push(byte(context.len()));
    info.extend_from_slice(context);
    info
}
