use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;
use hyper_rustls::{HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tower::BoxError;
use tower::timeout::Timeout;
use tower::util::BoxCloneSyncService;

use crate::resolver::AllowedAddresses;
use crate::sender::SenderError;

/// How long the addresses of a name may take to accept a connection, all together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may take to become ready. One that its request no longer needs goes on becoming so, for the next request.
const READY_TIMEOUT: Duration = Duration::from_secs(20);

/// Makes connections, over TLS where the URL says so.
pub(crate) type Connector = BoxCloneSyncService<Uri, MaybeHttpsStream<TokioIo<TcpStream>>, BoxError>;

/// Connects to these addresses. Unless certificates of authorities are given, those of the system are trusted.
pub(crate) fn connector(
    addresses: AllowedAddresses,
    authorities: Option<Vec<CertificateDer<'static>>>,
) -> Result<Connector, SenderError> {
    let mut tcp = HttpConnector::new_with_resolver(addresses);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    tcp.set_nodelay(true);
    tcp.enforce_http(false);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = match authorities {
        None => HttpsConnectorBuilder::new().with_provider_and_native_roots(provider).map_err(SenderError::Certificates)?,
        Some(authorities) => {
            let mut roots = RootCertStore::empty();
            for authority in authorities {
                roots.add(authority).map_err(SenderError::Authority)?;
            }
            let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
            let tls = versions.map_err(SenderError::Authority)?.with_root_certificates(roots).with_no_client_auth();
            HttpsConnectorBuilder::new().with_tls_config(tls)
        }
    };
    let https = builder.https_or_http().enable_http1().wrap_connector(tcp);
    Ok(BoxCloneSyncService::new(Timeout::new(https, READY_TIMEOUT)))
}
