//! The staff console (chapter 10), in process. What a person sees of it is tested in a browser.

mod acts;
mod lists;
mod pages;
mod sessions;

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;

use crate::app::{ApiResponse, App, PASSWORD};

/// A browser without scripts: it keeps the cookie, and sends the hidden fields of the form that it has read.
#[derive(Clone)]
pub(crate) struct Visitor<'a> {
    app: &'a App,
    cookie: String,
}

impl<'a> Visitor<'a> {
    /// Somebody who is not logged in.
    pub(crate) fn stranger(app: &'a App) -> Self {
        Self { app, cookie: String::new() }
    }

    /// Somebody who has logged in.
    pub(crate) async fn log_in(app: &'a App, name: &str) -> Self {
        let stranger = Self::stranger(app);
        let response = stranger.send("/console/login", &[("username", name), ("password", PASSWORD)], &[]).await;
        assert_eq!(response.status, 303, "{}", response.text);
        let cookie = response.header("set-cookie").split(';').next().unwrap().to_owned();
        Self { app, cookie }
    }

    /// Reads a page.
    pub(crate) async fn open(&self, path: &str) -> ApiResponse {
        let request = Request::get(path).header("cookie", &self.cookie).body(Body::empty()).unwrap();
        self.app.send(request).await
    }

    /// Reads a page that is there.
    pub(crate) async fn page(&self, path: &str) -> String {
        let response = self.open(path).await;
        assert_eq!(response.status, 200, "{path}: {}", response.text);
        assert_eq!(response.header("content-type"), "text/html; charset=utf-8");
        response.text
    }

    /// Sends a form, as it is.
    pub(crate) async fn send(&self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> ApiResponse {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = Request::post(path)
            .header("cookie", &self.cookie)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("host", "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.app.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Opens a form, fills it in and sends it: with what it had before in all other fields.
    pub(crate) async fn fill(&self, path: &str, fields: &[(&str, &str)]) -> ApiResponse {
        let page = self.page(path).await;
        self.submit(path, &page, fields).await
    }

    /// Reads the page that the answer to a form of this path leads to.
    pub(crate) async fn follow(&self, path: &str, response: &ApiResponse) -> String {
        assert_eq!(response.status, 303, "{}", response.text);
        let form = url::Url::parse(&format!("http://localhost{path}")).unwrap();
        let to = form.join(response.header("location")).unwrap();
        self.page(&to[url::Position::BeforePath..]).await
    }

    /// Sends the form of this page.
    pub(crate) async fn submit(&self, path: &str, page: &str, fields: &[(&str, &str)]) -> ApiResponse {
        let mut all = inputs(page);
        for (name, value) in fields {
            all.insert((*name).to_owned(), (*value).to_owned());
        }
        let all: Vec<_> = all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.send(path, &all, &[]).await
    }
}

/// The path that an answer leads to, without what is said there.
pub(crate) fn leads_to(response: &ApiResponse) -> &str {
    assert_eq!(response.status, 303, "{}", response.text);
    response.header("location").split('?').next().unwrap()
}

/// The fields of the form of a page, with what is in them.
fn inputs(page: &str) -> BTreeMap<String, String> {
    let form = page.rsplit("<form method=\"post\"").next().unwrap();
    let attribute = |tag: &str, name: &str| {
        let value = tag.split_once(&format!(" {name}=\""))?.1.split('"').next()?;
        Some(value.replace("&#34;", "\"").replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&"))
    };
    let mut fields = BTreeMap::new();
    for tag in form.split('<') {
        let Some(name) = attribute(tag, "name") else { continue };
        match tag.split([' ', '>']).next() {
            Some("input") if tag.contains("type=\"checkbox\"") && !tag.contains(" checked") => {}
            Some("input") => drop(fields.insert(name, attribute(tag, "value").unwrap_or_default())),
            Some("textarea") => drop(fields.insert(name, tag.split_once('>').unwrap().1.trim_start_matches('\n').to_owned())),
            Some("select") => {
                let options = form.split_once(tag).unwrap().1.split("</select>").next().unwrap();
                let chosen = options.split("<option").find(|option| option.contains(" selected"));
                fields.insert(name, chosen.and_then(|option| attribute(option, "value")).unwrap_or_default());
            }
            _ => {}
        }
    }
    fields
}
