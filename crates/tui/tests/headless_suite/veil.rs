//! A proxy that passes everything on, but no answer once a message has gone to the server.

use std::net::SocketAddr;

use chat_proto::{HEADER_BYTES, Kind, MAGIC};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::stage::PATIENCE;

/// The proxy; it ends when it is dropped.
pub(crate) struct Veil {
    address: SocketAddr,
    swallowed: watch::Receiver<bool>,
    _tasks: JoinSet<()>,
}

impl Veil {
    pub(crate) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let (tell, swallowed) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _peer)) = listener.accept().await {
                let server = TcpStream::connect(server).await.expect("the server is there");
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                connections.spawn(pass_requests(from_client, to_server, tell.clone()));
                connections.spawn(pass_answers(from_server, to_client, tell.subscribe()));
            }
        });
        Self { address, swallowed, _tasks: tasks }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until a message has gone to the server.
    pub(crate) async fn swallowed(&mut self) {
        let waiting = self.swallowed.wait_for(|swallowed| *swallowed);
        let done = tokio::time::timeout(PATIENCE, waiting).await.expect("a message goes in time");
        assert!(*done.expect("the proxy runs"));
    }
}

/// Frame by frame, so that the one that holds the message is known.
async fn pass_requests(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    tell: watch::Sender<bool>,
) {
    let mut magic = MAGIC;
    if client.read_exact(&mut magic).await.is_err() || server.write_all(&magic).await.is_err() {
        return;
    }
    let mut header = [0; HEADER_BYTES];
    while client.read_exact(&mut header).await.is_ok() {
        let length = u32::from_le_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let mut body = vec![0; length + 4 - HEADER_BYTES];
        if client.read_exact(&mut body).await.is_err() {
            return;
        }
        // From here on nothing comes back; then the message goes.
        if u16::from_le_bytes([header[4], header[5]]) == Kind::Send as u16 {
            tell.send_replace(true);
        }
        let frame = [&header[..], &body[..]].concat();
        if server.write_all(&frame).await.is_err() {
            return;
        }
    }
}

async fn pass_answers(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    swallow: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = server.read(&mut bytes).await {
        if !*swallow.borrow() && client.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
    // The connection stays open: a server that is silent, not one that is gone.
    std::future::pending::<()>().await;
}
