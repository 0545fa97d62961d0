//! TLS for tests: a client that looks at no certificate, and a proxy that ends TLS.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use chat_proto::{ALPN, ChannelBinding, EXPORTER_LABEL};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::version::TLS13;
use rustls::{ClientConfig, DigitallySignedStruct, Error, ServerConfig, SignatureScheme};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_util::either::Either;

/// Where a certificate of the tests is, and its key: `host` or `other`.
#[must_use]
pub fn certificate(name: &str) -> (PathBuf, PathBuf) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys/tls");
    (folder.join(name).with_extension("pem"), folder.join(name).with_extension("key"))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// A client that takes any certificate.
///
/// # Panics
/// Never: the provider speaks TLS 1.3.
#[must_use]
pub fn client() -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .expect("it is spoken")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider())))
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    config
}

/// Connects, and takes whatever certificate is shown.
///
/// # Errors
/// When nobody speaks TLS there.
pub async fn connect(address: SocketAddr) -> Result<(TlsStream<TcpStream>, ChannelBinding)> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let connector = TlsConnector::from(Arc::new(client()));
    let stream = connector.connect(address.ip().into(), socket).await?;
    let exported = stream.get_ref().1.export_keying_material([0; 32], EXPORTER_LABEL, None)?;
    Ok((stream, ChannelBinding(exported)))
}

/// Ends TLS in front of a daemon, with a certificate of its own. It is gone when it is dropped.
#[derive(Debug)]
pub struct EndingProxy {
    /// Where it listens.
    pub address: SocketAddr,
    _connections: JoinSet<()>,
}

impl EndingProxy {
    /// Listens on the loopback interface, and passes on in plaintext or, `encrypts`, in TLS of its own.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start(daemon: SocketAddr, encrypts: bool) -> Result<Self> {
        let (certificate, key) = certificate("other");
        let chain = vec![CertificateDer::from_pem_file(certificate)?];
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])?
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut connections = JoinSet::new();
        connections.spawn(async move {
            let mut passing = JoinSet::new();
            while let Ok((socket, _from)) = listener.accept().await {
                let acceptor = acceptor.clone();
                passing.spawn(async move { pass(&acceptor, socket, daemon, encrypts).await });
            }
        });
        Ok(Self { address, _connections: connections })
    }
}

async fn pass(
    acceptor: &TlsAcceptor,
    socket: TcpStream,
    daemon: SocketAddr,
    encrypts: bool,
) -> Result<()> {
    let mut client = acceptor.accept(socket).await?;
    let mut daemon = match encrypts {
        false => Either::Left(TcpStream::connect(daemon).await?),
        true => Either::Right(connect(daemon).await?.0),
    };
    tokio::io::copy_bidirectional(&mut client, &mut daemon).await.context("passing on")?;
    Ok(())
}

#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("only 1.3 is spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
