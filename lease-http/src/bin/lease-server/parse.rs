//! Parsers for the values of settings. Their errors describe the required value; clap names the setting.

use std::net::SocketAddr;

use axum::http::{HeaderName, HeaderValue, Uri};
use lease_core::money::Currency;
use lease_core::policy::LatePayments;
use lease_core::text::{NAME_MAX, check_line};
use lease_http::CorsOrigins;
use secrecy::SecretString;

/// An address to listen on. `localhost` is the loopback address; no other name is resolved.
pub(crate) fn address(text: &str) -> Result<SocketAddr, &'static str> {
    let text = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    text.parse().map_err(|_| "an address and a port are required, such as 127.0.0.1:8000")
}

#[expect(clippy::unnecessary_wraps, reason = "clap requires this signature")]
pub(crate) fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(text.into())
}

/// The name of a schema, as Postgres takes it. Those that begin with `pg_` are its own.
pub(crate) fn schema(text: &str) -> Result<String, &'static str> {
    let is_name = (1..=63).contains(&text.len()) && !text.starts_with("pg_") && !text.chars().any(char::is_control);
    if is_name { Ok(text.to_owned()) } else { Err("a name of 1 to 63 bytes is required that does not begin with pg_") }
}

/// A name in one line.
pub(crate) fn platform_name(text: &str) -> Result<String, String> {
    match check_line(text.trim(), NAME_MAX).map_err(|error| error.to_string())? {
        "" => Err("a name is required".to_owned()),
        name => Ok(name.to_owned()),
    }
}

pub(crate) fn late_payments(text: &str) -> Result<LatePayments, &'static str> {
    text.parse().map_err(|_| "accept or reject is required")
}

pub(crate) fn currency(text: &str) -> Result<Currency, String> {
    Currency::parse(text).map_err(|error| error.to_string())
}

pub(crate) fn header(text: &str) -> Result<HeaderName, &'static str> {
    text.trim().parse().map_err(|_| "the name of a header is required, such as x-forwarded-for")
}

/// Origins, separated by commas.
pub(crate) fn origins(text: &str) -> Result<CorsOrigins, String> {
    let named: Vec<&str> = text.split(',').map(str::trim).filter(|origin| !origin.is_empty()).collect();
    match named.as_slice() {
        [] => Ok(CorsOrigins::None),
        ["*"] => Ok(CorsOrigins::Any),
        origins => origins.iter().map(|origin| self::origin(origin)).collect::<Result<_, _>>().map(CorsOrigins::These),
    }
}

/// An origin as browsers send it: a scheme and a host, no path.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let uri = text.parse::<Uri>().ok().filter(|uri| uri.scheme().is_some() && uri.authority().is_some());
    let is_bare = uri.is_some_and(|uri| uri.path() == "/" && uri.query().is_none() && !text.ends_with('/'));
    let value = text.parse().ok().filter(|_| is_bare);
    value.ok_or_else(|| format!("'{text}' is not an origin, such as https://example.com"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_a_scheme_and_a_host_each() {
        assert_eq!(origins(""), Ok(CorsOrigins::None));
        assert_eq!(origins(" * "), Ok(CorsOrigins::Any));
        let these = ["https://a.example", "http://localhost:3000"].map(HeaderValue::from_static);
        assert_eq!(origins("https://a.example, http://localhost:3000"), Ok(CorsOrigins::These(these.to_vec())));
        for wrong in ["a.example", "https://a.example/", "https://a.example/x", "https://a.example,*"] {
            assert!(origins(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_has_a_port_and_no_name_but_localhost() {
        assert_eq!(address("localhost:80").unwrap().to_string(), "127.0.0.1:80");
        assert_eq!(address("[::1]:0").unwrap().to_string(), "[::1]:0");
        for wrong in ["", "127.0.0.1", "127.0.0.1:65536", "example.com:80", "300.1.1.1:80"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
