//! The address that a request comes from.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderName;
use axum::http::request::Parts;

use crate::problem::Problem;
use crate::state::AppState;

/// The address of the client: that of the connection, or the one that a trusted proxy gives in the header that the operator has
/// named ([`client_address_header`](crate::options::HttpOptions::client_address_header)).
///
/// In an app that serves the router without connect info and names no header, all clients have the same address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl ClientAddress {
    fn of(parts: &Parts, header: Option<&HeaderName>) -> Self {
        let told = header.and_then(|name| {
            // Each proxy appends the address of its client; only the last entry comes from the trusted one.
            let last = parts.headers.get_all(name).iter().next_back()?.to_str().ok()?;
            address(last.rsplit(',').next()?.trim())
        });
        let peer = || parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        Self(told.or_else(peer).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()))
}

impl FromRequestParts<AppState> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self::of(parts, state.options.client_address_header.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(forwarded: &[&str], header: Option<&'static str>) -> String {
        let mut request = axum::http::Request::builder();
        for value in forwarded {
            request = request.header("x-forwarded-for", *value);
        }
        let mut parts = request.body(()).unwrap().into_parts().0;
        parts.extensions.insert(ConnectInfo("10.0.0.9:4711".parse::<SocketAddr>().unwrap()));
        ClientAddress::of(&parts, header.map(HeaderName::from_static).as_ref()).0.to_string()
    }

    #[test]
    fn an_address_that_the_client_claims_is_ignored() {
        assert_eq!(seen(&["1.2.3.4"], None), "10.0.0.9");
    }

    #[test]
    fn the_address_from_a_trusted_proxy_counts() {
        let header = Some("x-forwarded-for");
        assert_eq!(seen(&["6.6.6.6, 1.2.3.4"], header), "1.2.3.4");
        assert_eq!(seen(&["6.6.6.6", "2001:db8::1"], header), "2001:db8::1");
        assert_eq!(seen(&["6.6.6.6, 1.2.3.4:5000"], header), "1.2.3.4");
        assert_eq!(seen(&["nonsense"], header), "10.0.0.9");
        assert_eq!(seen(&[], header), "10.0.0.9");
    }
}
