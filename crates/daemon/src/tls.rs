//! TLS at the port: the certificate that is shown, and what each reactor takes connections in with.
//!
//! TLS keeps what is said from whoever is in between. Who the daemon is does not follow from its
//! certificate, which nobody need know, but from its identity, which signs what TLS exports of each
//! connection ([`ChannelBinding`](chat_proto::ChannelBinding)). So no session is ever resumed: each
//! connection has its own handshake, and its own proof.

mod certificate;
mod exporter;
mod self_signed;
mod stream;

use std::sync::Arc;

use chat_proto::ALPN;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::NoServerSessionStorage;
use rustls::sign::SingleCertAndKey;
use rustls::version::TLS13;

use crate::Config;
pub use certificate::{CertificateError, CertificateFiles, TlsCertificate};
use exporter::ExporterSecret;
pub(crate) use stream::{TlsBuffers, TlsFault, TlsStream};

/// How connections are taken in: what a reload swaps.
#[derive(Clone, Debug)]
pub(crate) struct LinkSettings {
    pub(crate) certificate: TlsCertificate,
    /// Whether chatd's own protocol is spoken without TLS to others than this machine, too.
    pub(crate) takes_plaintext: bool,
}

impl LinkSettings {
    pub(crate) fn of(config: &Config, certificate: TlsCertificate) -> Self {
        Self { certificate, takes_plaintext: config.insecure_plaintext }
    }
}

/// The same in the hands of one reactor.
#[derive(Clone, Debug)]
pub(crate) struct TlsAcceptor {
    config: Arc<ServerConfig>,
    exporter: Arc<ExporterSecret>,
    pub(crate) takes_plaintext: bool,
}

impl TlsAcceptor {
    pub(crate) fn new(settings: &LinkSettings) -> Self {
        let exporter = Arc::<ExporterSecret>::default();
        let certificate = SingleCertAndKey::from(Arc::clone(&settings.certificate.key));
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_protocol_versions(&[&TLS13])
            .expect("the provider has cipher suites of TLS 1.3")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(certificate));
        config.alpn_protocols = vec![ALPN.to_vec()];
        // Nobody resumes anything.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.key_log = Arc::<ExporterSecret>::clone(&exporter);
        Self { config: Arc::new(config), exporter, takes_plaintext: settings.takes_plaintext }
    }

    /// TLS on a connection that begins with it.
    pub(crate) fn begin(&self) -> Result<TlsStream, TlsFault> {
        TlsStream::new(Arc::clone(&self.config), Arc::clone(&self.exporter))
    }
}

/// The algorithms: a key exchange comes first that a quantum computer does not break.
fn provider() -> CryptoProvider {
    use aws_lc_rs::kx_group::{SECP256R1, X25519, X25519MLKEM768};
    let kx_groups = vec![X25519MLKEM768, X25519, SECP256R1];
    CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() }
}

#[cfg(test)]
mod tests;
