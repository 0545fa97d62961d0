//! TLS on the way to a daemon.
//!
//! Who the daemon is does not follow from its certificate, but from its identity, which signs what TLS
//! exports of the connection. A certificate is checked against the authorities of this system only
//! where that is asked for, and besides.

mod first_bytes;
mod verifier;

use std::io;
use std::sync::Arc;

use chat_proto::{ALPN, ChannelBinding, EXPORTER_LABEL};
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::ServerName;
use rustls::version::TLS13;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use first_bytes::FirstBytes;
pub(crate) use first_bytes::NoTls;

/// When TLS is spoken, and what is asked of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TlsPolicy {
    /// Also to the daemon of this machine, whom nobody else can overhear.
    pub always: bool,
    /// The certificate must be that of the host, from an authority that this system trusts.
    pub checks_certificate: bool,
}

/// A connection, and what both ends sign of it.
pub(crate) type Encrypted = (TlsStream<FirstBytes<TcpStream>>, ChannelBinding);

/// Begins TLS on a connection to a host.
///
/// # Errors
/// Those of the socket; [`NoTls`] where the other end does not speak it; else those of rustls.
pub(crate) async fn connect(
    stream: TcpStream,
    host: &str,
    policy: TlsPolicy,
) -> io::Result<Encrypted> {
    let name = server_name(&stream, host)?;
    let config = match policy.checks_certificate {
        // It reads a directory of certificates.
        true => tokio::task::spawn_blocking(|| config(true)).await.map_err(io::Error::other)?,
        false => config(false),
    };
    let connector = TlsConnector::from(Arc::new(config?));
    let stream = connector.connect(name, FirstBytes::of(stream)).await?;
    let (_socket, tls) = stream.get_ref();
    let exported = tls.export_keying_material([0; 32], EXPORTER_LABEL, None);
    let binding = ChannelBinding(exported.map_err(io::Error::other)?);
    Ok((stream, binding))
}

/// What the certificate has to be of, where it is checked. Some hosts have names that no certificate
/// can have: then it is their address.
fn server_name(stream: &TcpStream, host: &str) -> io::Result<ServerName<'static>> {
    match ServerName::try_from(host.to_owned()) {
        Ok(name) => Ok(name),
        Err(_no_dns_name) => Ok(stream.peer_addr()?.ip().into()),
    }
}

fn config(checks_certificate: bool) -> io::Result<ClientConfig> {
    let provider = Arc::new(provider());
    let verifier = verifier::verifier(&provider, checks_certificate)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    // Each connection has its own handshake, and so its own proof of identity.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// The algorithms: a key exchange comes first that a quantum computer does not break.
fn provider() -> CryptoProvider {
    use aws_lc_rs::kx_group::{SECP256R1, X25519, X25519MLKEM768};
    let kx_groups = vec![X25519MLKEM768, X25519, SECP256R1];
    CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() }
}
