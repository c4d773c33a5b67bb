//! Files that never change: they are compressed once and not for each request, since anybody may ask for them at any rate.

use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{Extensions, HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};

/// A file and its compressed form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Precompressed {
    pub(crate) content_type: &'static str,
    pub(crate) plain: &'static [u8],
    pub(crate) gzip: &'static [u8],
}

/// Marks a response of [`Precompressed`].
#[derive(Clone, Copy, Debug)]
struct Marked;

impl Precompressed {
    /// The response to a request with these headers.
    pub(crate) fn response(&self, headers: &HeaderMap) -> Response {
        let is_gzip = accepts_gzip(headers);
        let mut response = if is_gzip { self.gzip } else { self.plain }.into_response();
        response.extensions_mut().insert(Marked);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if is_gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

/// Whether these are the extensions of a response with such a file.
pub(crate) fn is_precompressed(extensions: &Extensions) -> bool {
    extensions.get::<Marked>().is_some()
}

/// Whether the client takes gzip (RFC 9110, section 12.5.3).
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = values.flat_map(|value| value.split(',')).map(|coding| coding.split(';').map(str::trim));
    codings.any(|mut parts| {
        let is_gzip = parts.next().is_some_and(|name| ["gzip", "x-gzip"].iter().any(|gzip| name.eq_ignore_ascii_case(gzip)));
        let weight = parts.find_map(|parameter| parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")));
        is_gzip && weight.is_none_or(|weight| weight.parse().is_ok_and(|weight: f32| weight > 0.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_accepted_where_it_is_named_with_a_weight() {
        let cases = [
            ("gzip", true),
            ("deflate, GZIP;q=0.5, br", true),
            ("x-gzip; q=1", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000", false),
            ("gzip;q=nonsense", false),
            ("br, identity", false),
            ("", false),
        ];
        for (value, accepted) in cases {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            assert_eq!(accepts_gzip(&headers), accepted, "{value}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
