use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use hyper_util::client::legacy::connect::dns::Name;
use lease_core::webhook::is_public;
use tower::Service;

use crate::failure::Failure;

/// Finds the addresses of a name.
#[async_trait]
pub trait Resolver: fmt::Debug + Send + Sync + 'static {
    /// The addresses of this name, the best one first.
    ///
    /// # Errors
    /// The name is not known, or it could not be asked for.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Asks the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// The addresses to which a connection may be made: of those of a name the public ones, unless the others are allowed as well. Every
/// new connection asks for them, and is made to one of them; so a name cannot lead elsewhere between the check and the connection.
#[derive(Clone, Debug)]
pub(crate) struct AllowedAddresses {
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) allow_private: bool,
}

impl AllowedAddresses {
    async fn of(self, name: Name) -> Result<std::vec::IntoIter<SocketAddr>, Failure> {
        let mut addresses = self.resolver.resolve(name.as_str()).await.map_err(|_| Failure::Name)?;
        if addresses.is_empty() {
            return Err(Failure::Name);
        }
        addresses.retain(|address| self.allow_private || is_public(*address));
        if addresses.is_empty() {
            return Err(Failure::NotPublic);
        }
        // The port is that of the URL.
        let addresses: Vec<_> = addresses.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
        Ok(addresses.into_iter())
    }
}

impl Service<Name> for AllowedAddresses {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(self.clone().of(name))
    }
}
