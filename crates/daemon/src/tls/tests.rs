use std::io::{Read, Write};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CipherSuite, ClientConfig, ClientConnection, DigitallySignedStruct,
    NamedGroup, SignatureScheme,
};

use chat_proto::{ChannelBinding, EXPORTER_LABEL};

use super::*;

/// A client's: it checks that who is there has the key of its certificate, and no more.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        unreachable!("that version is not spoken")
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

fn acceptor() -> TlsAcceptor {
    let config = Config::default();
    TlsAcceptor::new(&LinkSettings::of(&config, TlsCertificate::of(&config).unwrap()))
}

fn client_of(provider: CryptoProvider) -> ClientConnection {
    let algorithms = provider.signature_verification_algorithms;
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(algorithms)))
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    ClientConnection::new(Arc::new(config), "chatd".try_into().unwrap()).unwrap()
}

/// Both ends in one memory.
struct Conversation {
    client: ClientConnection,
    server: TlsStream,
    buffers: TlsBuffers,
    /// What the server has heard.
    heard: Vec<u8>,
    /// What the client has heard.
    answered: Vec<u8>,
}

impl Conversation {
    fn new(acceptor: &TlsAcceptor, client: ClientConnection) -> Self {
        let (heard, answered) = (Vec::new(), Vec::new());
        let (server, buffers) = (acceptor.begin().unwrap(), TlsBuffers::default());
        Self { client, server, buffers, heard, answered }
    }

    /// What the client has to say to the server, on the wire.
    fn flight(&mut self) -> Vec<u8> {
        let mut flight = Vec::new();
        while self.client.wants_write() {
            self.client.write_tls(&mut flight).unwrap();
        }
        flight
    }

    /// The server hears these bytes at once.
    fn hear(&mut self, bytes: &[u8]) -> Result<(), TlsFault> {
        let mut records = self.server.take_kept();
        records.extend_from_slice(bytes);
        self.server.open(&mut records, &mut self.buffers)?;
        self.heard.extend_from_slice(&self.buffers.plain);
        Ok(())
    }

    /// The client hears all that the server has to say.
    fn answer(&mut self) {
        let pending = self.server.pending().to_vec();
        self.server.took(pending.len());
        self.client_hears(&pending);
    }

    fn client_hears(&mut self, mut wire: &[u8]) {
        while !wire.is_empty() {
            self.client.read_tls(&mut wire).unwrap();
            self.client.process_new_packets().unwrap();
            let mut buffer = [0; 65_536];
            while let Ok(read @ 1..) = self.client.reader().read(&mut buffer) {
                self.answered.extend_from_slice(&buffer[..read]);
            }
        }
    }

    fn shake_hands(&mut self) {
        while self.client.is_handshaking() {
            let flight = self.flight();
            self.hear(&flight).unwrap();
            self.answer();
        }
        let last = self.flight();
        self.hear(&last).unwrap();
        assert!(self.server.is_established());
    }

    fn exported_by_client(&self) -> ChannelBinding {
        let exported = self.client.export_keying_material([0; 32], EXPORTER_LABEL, None);
        ChannelBinding(exported.unwrap())
    }

    fn say(&mut self, words: &[u8]) {
        self.buffers.plain = words.to_vec();
        self.server.seal(&mut self.buffers).unwrap();
        let sealed = self.buffers.sealed.clone();
        self.client_hears(&sealed);
    }
}

#[test]
fn both_ends_export_the_same_with_every_cipher_suite_and_nobody_else_does() {
    let acceptor = acceptor();
    let mut bindings = Vec::new();
    for suite in provider().cipher_suites {
        let one = CryptoProvider { cipher_suites: vec![suite], ..provider() };
        let mut conversation = Conversation::new(&acceptor, client_of(one));
        conversation.shake_hands();
        assert_eq!(conversation.client.negotiated_cipher_suite(), Some(suite));
        let binding = conversation.server.binding().expect("it exports");
        assert_eq!(binding, conversation.exported_by_client(), "{suite:?}");
        bindings.push(binding);
    }
    assert_eq!(bindings.len(), 3);
    assert!(bindings[0] != bindings[1] && bindings[1] != bindings[2]);
}

#[test]
fn the_key_exchange_is_one_that_a_quantum_computer_does_not_break_and_the_version_1_3() {
    let mut conversation = Conversation::new(&acceptor(), client_of(provider()));
    conversation.shake_hands();
    let group = conversation.client.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, NamedGroup::X25519MLKEM768);
    assert_eq!(conversation.client.alpn_protocol(), Some(ALPN));
    assert_eq!(conversation.client.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    assert_eq!(conversation.client.tls13_tickets_received(), 0, "nothing can be resumed");
    let suite = conversation.client.negotiated_cipher_suite().unwrap().suite();
    assert_eq!(suite, CipherSuite::TLS13_AES_256_GCM_SHA384);
}

/// Words of three records, and an end.
fn words() -> Vec<u8> {
    (0..40_000_u32).map(|at| (at % 251) as u8).collect()
}

#[test]
fn every_split_point_of_a_conversation_gives_the_same() {
    const SAID: &[u8] = b"hello, and no more of it";
    let acceptor = acceptor();
    let (mut flight, mut split) = (0, 0);
    loop {
        let mut conversation = Conversation::new(&acceptor, client_of(provider()));
        let mut is_last = true;
        for number in 0.. {
            let has_said = !conversation.client.is_handshaking();
            if has_said {
                conversation.client.writer().write_all(SAID).unwrap();
                conversation.client.send_close_notify();
            }
            let bytes = conversation.flight();
            if number == flight && split < bytes.len() {
                is_last = false;
                conversation.hear(&bytes[..split]).unwrap();
                conversation.hear(&bytes[split..]).unwrap();
            } else {
                conversation.hear(&bytes).unwrap();
            }
            conversation.answer();
            if has_said {
                break;
            }
        }
        assert_eq!(conversation.heard, SAID, "flight {flight}, split at {split}");
        assert!(conversation.server.peer_has_closed(), "flight {flight}, split at {split}");
        assert_eq!(conversation.server.kept_bytes(), 0);
        conversation.say(b"the other half is open");
        assert_eq!(conversation.answered, b"the other half is open");
        match is_last {
            false => split += 1,
            true if split == 0 => break,
            true => (flight, split) = (flight + 1, 0),
        }
    }
    assert!(flight >= 2, "a hello, and what is behind it");
}

#[test]
fn a_conversation_that_comes_byte_by_byte_is_the_same() {
    let mut conversation = Conversation::new(&acceptor(), client_of(provider()));
    for _ in 0..2 {
        if !conversation.client.is_handshaking() {
            conversation.client.writer().write_all(&words()).unwrap();
        }
        for byte in conversation.flight() {
            conversation.hear(&[byte]).unwrap();
        }
        conversation.answer();
    }
    assert!(conversation.heard == words(), "{} bytes", conversation.heard.len());
}

#[test]
fn what_is_sealed_is_read_by_the_client_and_nothing_stays() {
    let mut conversation = Conversation::new(&acceptor(), client_of(provider()));
    conversation.shake_hands();
    for bytes in [1, 16 * 1024, 16 * 1024 + 1, 64 * 1024] {
        conversation.answered.clear();
        let words: Vec<u8> = words().into_iter().cycle().take(bytes).collect();
        conversation.say(&words);
        assert!(conversation.answered == words, "{bytes} bytes");
    }
    assert_eq!((conversation.server.kept_bytes(), conversation.server.pending().len()), (0, 0));
    assert!(conversation.server.close() && !conversation.server.close(), "that is said once");
    conversation.answer();
    let mut rest = Vec::new();
    assert_eq!(conversation.client.reader().read_to_end(&mut rest).unwrap(), 0, "it is the end");
}

#[test]
fn keys_are_changed_when_the_client_asks_for_it() {
    let mut conversation = Conversation::new(&acceptor(), client_of(provider()));
    conversation.shake_hands();
    for _ in 0..3 {
        conversation.client.refresh_traffic_keys().unwrap();
        let flight = conversation.flight();
        for byte in flight {
            conversation.hear(&[byte]).unwrap();
        }
        conversation.say(b"x");
    }
    assert_eq!(conversation.answered, b"xxx");
}

/// A hello of TLS 1.2, as an old OpenSSL begins.
fn hello_of_tls12() -> Vec<u8> {
    let extensions: &[u8] = &[
        0, 10, 0, 4, 0, 2, 0, 23, // supported_groups: secp256r1
        0, 13, 0, 4, 0, 2, 4, 3, // signature_algorithms: ecdsa_secp256r1_sha256
    ];
    let mut body = vec![3, 3];
    body.extend_from_slice(&[7; 32]);
    // No session; ECDHE-ECDSA-AES128-GCM-SHA256; no compression.
    body.extend_from_slice(&[0, 0, 2, 0xC0, 0x2B, 1, 0, 0, extensions.len() as u8]);
    body.extend_from_slice(extensions);
    let mut handshake = vec![1, 0, 0, body.len() as u8];
    handshake.append(&mut body);
    let mut record = vec![0x16, 3, 1, 0, handshake.len() as u8];
    record.append(&mut handshake);
    record
}

#[test]
fn an_older_version_is_refused_with_its_alert() {
    let mut conversation = Conversation::new(&acceptor(), client_of(provider()));
    assert!(conversation.hear(&hello_of_tls12()).is_err());
    // Fatal: protocol_version (RFC 8446, section 6).
    assert_eq!(conversation.server.pending()[5..], [2, 70]);
    assert!(conversation.server.is_broken() && !conversation.server.close());
}

#[test]
fn whoever_asks_for_another_protocol_in_tls_is_refused_with_its_alert() {
    let provider = provider();
    let algorithms = provider.signature_verification_algorithms;
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(algorithms)))
        .with_no_client_auth();
    for (alpn, is_taken) in [(vec![b"h2".to_vec()], false), (vec![], true)] {
        config.alpn_protocols = alpn;
        let client = ClientConnection::new(Arc::new(config.clone()), "chatd".try_into().unwrap());
        let mut conversation = Conversation::new(&acceptor(), client.unwrap());
        let flight = conversation.flight();
        assert_eq!(conversation.hear(&flight).is_ok(), is_taken);
        let mut answer = conversation.server.pending();
        conversation.client.read_tls(&mut answer).unwrap();
        let refused = conversation.client.process_new_packets().err();
        let alert = rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol);
        assert_eq!(refused, (!is_taken).then_some(alert));
    }
}

#[test]
fn what_no_record_is_ends_tls_whenever_it_comes() {
    let mut conversation = Conversation::new(&acceptor(), client_of(provider()));
    conversation.shake_hands();
    conversation.client.writer().write_all(b"hello").unwrap();
    let mut record = conversation.flight();
    *record.last_mut().unwrap() ^= 1;
    assert!(conversation.hear(&record).is_err(), "it is not what was sealed");
    assert!(!conversation.server.pending().is_empty(), "the client is told");
    conversation.buffers.plain = b"more".to_vec();
    let words = conversation.server.pending().len();
    conversation.server.took(words);
    assert!(conversation.server.seal(&mut conversation.buffers).is_err());

    let mut conversation = Conversation::new(&acceptor(), client_of(provider()));
    // A handshake of 16 MiB is announced; as much as a record has of it is there, and then one more.
    let mut first = vec![0x16, 3, 1, 0x40, 0, 1, 0xFF, 0xFF, 0xFF];
    first.resize(5 + 16 * 1024, 0);
    let heard = conversation.hear(&first).and_then(|()| conversation.hear(&first));
    assert!(heard.is_err(), "{} bytes are kept", conversation.server.kept_bytes());
}

#[test]
fn a_certificate_of_files_is_read_and_what_is_none_is_told_with_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = self_signed::make().unwrap();
    let files = CertificateFiles {
        certificate: dir.path().join("certificate.pem"),
        key: dir.path().join("key.pem"),
    };
    std::fs::write(&files.certificate, pem("CERTIFICATE", &certificate)).unwrap();
    std::fs::write(&files.key, pem("PRIVATE KEY", key.secret_der())).unwrap();
    let config = Config { certificate: Some(files.clone()), ..Config::default() };
    let read = TlsCertificate::of(&config).unwrap();
    assert_eq!(read.key.cert, std::slice::from_ref(&certificate));

    let (_another, another_key) = self_signed::make().unwrap();
    for (file, text, wrong) in [
        (&files.key, pem("PRIVATE KEY", another_key.secret_der()), "are of no use"),
        (&files.key, "a key".to_owned(), "key.pem has no private key"),
        (&files.key, pem("PRIVATE KEY", b"\x30\x01"), "are of no use"),
        (&files.certificate, String::new(), "certificate.pem has no certificate"),
    ] {
        let before = std::fs::read(file).unwrap();
        std::fs::write(file, text).unwrap();
        let told = TlsCertificate::of(&config).unwrap_err().to_string();
        assert!(told.contains(wrong), "{told}");
        std::fs::write(file, before).unwrap();
    }
    std::fs::remove_file(&files.key).unwrap();
    let told = TlsCertificate::of(&config).unwrap_err().to_string();
    assert!(told.contains("key.pem cannot be read"), "{told}");
}

fn pem(label: &str, der: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for part in der.chunks(3) {
        let bits = part.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - part.len()));
        for at in 0..4 {
            let digit = (bits >> (18 - 6 * at)) as usize & 63;
            text.push(if at <= part.len() { ALPHABET[digit] as char } else { '=' });
        }
    }
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}
