//! The address that a request comes from.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::FORWARDED;
use axum::http::request::Parts;
use lease_core::client::ClientNetwork;

use crate::options::HttpOptions;
use crate::problem::Problem;
use crate::state::AppState;

/// The address of the client: that of the connection, or the one that a trusted proxy gives in the header that the operator has
/// named ([`client_address_header`](crate::options::HttpOptions::client_address_header)).
///
/// In an app that serves the router without connect info and names no header, no address is known. There are then no limits for
/// an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl ClientAddress {
    /// The address of the client of this request. The outermost layer finds it, and puts it into the request.
    pub(crate) fn of(parts: &Parts, options: &HttpOptions) -> Self {
        parts.extensions.get().copied().unwrap_or_else(|| Self::find(parts, options))
    }

    fn find(parts: &Parts, options: &HttpOptions) -> Self {
        let told = options.client_address_header.as_ref().and_then(|name| {
            let last = parts.headers.get_all(name).iter().next_back()?.to_str().ok()?;
            if name == FORWARDED { forwarded(last) } else { last_address(last) }
        });
        let peer = || parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        Self(told.or_else(peer).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }

    /// The network that stands for the client where requests are counted or served in turn; `None` if the address is not known.
    pub(crate) fn network(self) -> Option<ClientNetwork> {
        (!self.0.is_unspecified()).then(|| ClientNetwork::of(self.0))
    }
}

/// The last address of a list, with or without a port. Each proxy appends the address of its client; only the last one comes from
/// the trusted proxy.
fn last_address(list: &str) -> Option<IpAddr> {
    let text = list.rsplit(',').next()?.trim();
    text.parse().ok().or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()))
}

/// The address after `for` in the last element of a header `Forwarded` (RFC 7239). There is none in an element that hides it.
///
/// The elements are read from the end, so that nothing that a client has sent changes the meaning of what the proxy has appended.
fn forwarded(elements: &str) -> Option<IpAddr> {
    let last = rsplit_unquoted(elements, ',').next()?;
    let node = rsplit_unquoted(last, ';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"'))
    })?;
    match node.strip_prefix('[') {
        Some(v6) => v6.split_once(']')?.0.parse().ok().map(IpAddr::V6),
        None => node.split(':').next()?.parse().ok().map(IpAddr::V4),
    }
}

/// The pieces of a text, from the last one to the first; a separator inside quotes separates nothing.
fn rsplit_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.rsplit(move |character| {
        is_quoted ^= character == '"';
        character == separator && !is_quoted
    })
}

impl FromRequestParts<AppState> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self::of(parts, &state.options))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    const PEER: &str = "10.0.0.9";

    /// The address that is seen where `trusted` is the header set, and these are sent.
    fn seen(trusted: Option<&'static str>, name: &str, values: &[&str]) -> String {
        let mut request = axum::http::Request::builder();
        for value in values {
            request = request.header(name, *value);
        }
        let mut parts = request.body(()).unwrap().into_parts().0;
        parts.extensions.insert(ConnectInfo("10.0.0.9:4711".parse::<SocketAddr>().unwrap()));
        let options = HttpOptions::default().with_client_address_header(trusted.map(HeaderName::from_static));
        ClientAddress::of(&parts, &options).0.to_string()
    }

    #[test]
    fn an_address_that_the_client_claims_is_ignored() {
        assert_eq!(seen(None, "x-forwarded-for", &["1.2.3.4"]), PEER);
        assert_eq!(seen(None, "forwarded", &["for=1.2.3.4"]), PEER);
        assert_eq!(seen(Some("x-forwarded-for"), "forwarded", &["for=1.2.3.4"]), PEER);
    }

    #[test]
    fn the_address_from_a_trusted_proxy_counts() {
        let seen = |values: &[&str]| seen(Some("x-forwarded-for"), "x-forwarded-for", values);
        assert_eq!(seen(&["6.6.6.6, 1.2.3.4"]), "1.2.3.4");
        assert_eq!(seen(&["6.6.6.6", "2001:db8::1"]), "2001:db8::1");
        assert_eq!(seen(&["6.6.6.6, 1.2.3.4:5000"]), "1.2.3.4");
        assert_eq!(seen(&["nonsense"]), PEER);
        assert_eq!(seen(&[]), PEER);
    }

    /// RFC 7239. Where the header does not name an address, that of the connection counts.
    #[test]
    fn the_header_forwarded_is_read_as_its_rfc_says() {
        let cases: &[(&[&str], &str)] = &[
            (&["for=192.0.2.43"], "192.0.2.43"),
            (&["For=192.0.2.43;proto=http;by=203.0.113.43"], "192.0.2.43"),
            (&["by=203.0.113.43 ; FOR = \"192.0.2.43:47011\""], "192.0.2.43"),
            (&["for=192.0.2.43:_hidden"], "192.0.2.43"),
            (&["for=\"[2001:db8:cafe::17]:4711\""], "2001:db8:cafe::17"),
            (&["for=\"[2001:db8:cafe::17]\""], "2001:db8:cafe::17"),
            // The last element is the trusted proxy's.
            (&["for=6.6.6.6, for=192.0.2.43"], "192.0.2.43"),
            (&["for=6.6.6.6,for=192.0.2.43;host=\"a,b;for=7.7.7.7\""], "192.0.2.43"),
            (&["for=6.6.6.6", "for=192.0.2.43"], "192.0.2.43"),
            // What the client sent before it changes nothing.
            (&["for=\"6.6.6.6, for=192.0.2.43"], "192.0.2.43"),
            (&["for=\"6.6.6.6, for=\"[2001:db8::1]\""], "2001:db8::1"),
            (&["x=\"\\\", for=192.0.2.43"], "192.0.2.43"),
            // No address.
            (&["for=unknown"], PEER),
            (&["for=_gazonk"], PEER),
            (&["for=\"_gazonk:80\""], PEER),
            (&["for=6.6.6.6, for=unknown"], PEER),
            (&["for=6.6.6.6, proto=https"], PEER),
            (&["for=6.6.6.6", ""], PEER),
            (&["for=\"[2001:db8::1\""], PEER),
            (&["for=2001:db8::1"], PEER),
            (&["192.0.2.43"], PEER),
            (&["for="], PEER),
            (&[], PEER),
        ];
        for (values, expected) in cases {
            assert_eq!(seen(Some("forwarded"), "forwarded", values), *expected, "{values:?}");
        }
    }

    /// Rule 7.3: of an IPv6 address the network of 64 bits counts.
    #[test]
    fn a_client_is_an_address_or_a_network_of_64_bits() {
        let network = |address: &str| ClientAddress(address.parse().unwrap()).network();
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1:2:3"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
