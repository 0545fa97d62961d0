//! Hostile peers: whatever arrives on the wire gets a typed error and a close, or a typed error
//! and goes on; nobody else notices.

mod admission;
mod bytes;
mod encrypted;
mod proofs;
mod requests;
mod splits;
mod strangers;

use std::net::SocketAddr;

use anyhow::{Context, Result};
use chat_core::Registration;
use chatd::config::RegistrationSetting;
use chatd::{Config, Durability, Server};
use tempfile::TempDir;

/// A daemon inside the test, at a free port.
struct TestServer {
    server: Server,
    address: SocketAddr,
    data: TempDir,
}

impl TestServer {
    async fn start() -> Result<Self> {
        Self::start_in(TempDir::new()?, RegistrationSetting::Auto).await
    }

    /// The same data, served to whom is let in so.
    async fn restart_with(self, registration: Registration) -> Result<Self> {
        self.server.shutdown().await;
        Self::start_in(self.data, RegistrationSetting::Is(registration)).await
    }

    async fn start_in(data: TempDir, registration: RegistrationSetting) -> Result<Self> {
        let config = Config {
            listen: vec!["127.0.0.1:0".to_owned()],
            socket: None,
            data_dir: data.path().to_owned(),
            durability: Durability::Full,
            log: String::new(),
            registration,
            ..Config::default()
        };
        let server = Server::start(config).await?;
        let address = *server.addresses().first().context("it listens")?;
        Ok(Self { server, address, data })
    }

    async fn stop(self) {
        self.server.shutdown().await;
    }
}
