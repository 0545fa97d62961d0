//! Hostile peers: whatever arrives on the wire gets a typed error and a close, or a typed error
//! and goes on; nobody else notices.

mod bytes;
mod proofs;
mod requests;
mod splits;

use std::net::SocketAddr;

use anyhow::{Context, Result};
use chatd::{Config, Durability, Server};
use tempfile::TempDir;

/// A daemon inside the test, at a free port.
struct TestServer {
    server: Server,
    address: SocketAddr,
    _data: TempDir,
}

impl TestServer {
    async fn start() -> Result<Self> {
        let data = TempDir::new()?;
        let config = Config {
            listen: vec!["127.0.0.1:0".to_owned()],
            socket: None,
            data_dir: data.path().to_owned(),
            durability: Durability::Full,
            log: String::new(),
            ..Config::default()
        };
        let server = Server::start(config).await?;
        let address = *server.addresses().first().context("it listens")?;
        Ok(Self { server, address, _data: data })
    }

    async fn stop(self) {
        self.server.shutdown().await;
    }
}
