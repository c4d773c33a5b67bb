//! The server, as a process of its own.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use super::cpu;
use super::postgres::Postgres;

/// A running `lease-server`. It is ended when it is dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: String,
}

impl Server {
    /// Starts the server with these settings, else its defaults. It applies the migrations and creates the standard services.
    pub(crate) fn start(runtime: &Runtime, postgres: &Postgres, settings: &[(&str, &str)]) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_lease-server"));
        command.env_clear().env("DATABASE_URL", postgres.url()).env("LEASE_BIND", &address);
        command.envs(settings.iter().copied()).stdin(Stdio::null()).stdout(Stdio::null());
        let mut server = Self { child: command.spawn().unwrap(), address };
        runtime.block_on(server.listening());
        server
    }

    async fn listening(&mut self) {
        let mut attempts = tokio::time::interval(Duration::from_millis(50));
        while TcpStream::connect(&self.address).await.is_err() {
            assert!(self.child.try_wait().unwrap().is_none(), "lease-server has ended");
            attempts.tick().await;
        }
    }

    /// The CPU time that it has used.
    pub(crate) fn cpu(&self) -> f64 {
        cpu::of_process(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
