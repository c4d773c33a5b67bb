//! Where a page is. All links are relative, so that they are right wherever the console is nested.

use axum::extract::OriginalUri;
use axum::http::Uri;
use axum::http::request::Parts;

/// The address of a page, as the browser sees it.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// The way from the page to the folder of the console.
    pub(super) root: String,
    /// The path below the console, and the query.
    pub(super) path: String,
    query: String,
}

impl Place {
    /// The place of the page at this address.
    pub(super) fn of(uri: &Uri) -> Self {
        let below = uri.path().rsplit_once("/console").map_or("", |(_, below)| below);
        let root = match below.matches('/').count() {
            0 => "console/".to_owned(),
            depth => format!("./{}", "../".repeat(depth - 1)),
        };
        Self { root, path: below.trim_matches('/').to_owned(), query: uri.query().unwrap_or_default().to_owned() }
    }

    /// The place of the page that this request is for, wherever the router is nested.
    pub(super) fn of_request(parts: &Parts) -> Self {
        Self::of(parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri))
    }

    /// The parameters of the address.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (String, String)> {
        form_urlencoded::parse(self.query.as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned()))
    }

    /// The value of a parameter, if it has one.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        self.parameters().find(|(other, value)| other == name && !value.is_empty()).map(|(_, value)| value)
    }

    /// The path and the query, to come back to.
    pub(super) fn here(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }
}

/// A path with these parameters.
pub(super) fn with_query<N: AsRef<str>, V: AsRef<str>>(path: &str, pairs: impl IntoIterator<Item = (N, V)>) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_the_root_is_relative() {
        let cases = [
            ("/console", "console/", ""),
            ("/console/", "./", ""),
            ("/nested/console/trades?status=open", "./", "trades"),
            ("/console/trades/", "./../", "trades"),
            ("/console/trades/5/cancel", "./../../", "trades/5/cancel"),
        ];
        for (address, root, path) in cases {
            let place = Place::of(&address.parse().unwrap());
            assert_eq!((place.root.as_str(), place.path.as_str()), (root, path), "{address}");
        }
    }
}
