//! `/docs` works offline: all files of the page come from this server, and its policy allows no others.

use axum::Router;
use reqwest::Url;
use serde_json::Value;

use crate::app::{App, request};

async fn get(app: &App, path: &str) -> crate::app::ApiResponse {
    app.send(request("GET", path, &[], &Value::Null)).await
}

/// The quoted values of `src=` and `href=`.
fn named(page: &str) -> Vec<&str> {
    let behind = page.split("src=\"").skip(1).chain(page.split("href=\"").skip(1));
    behind.filter_map(|rest| rest.split('"').next()).collect()
}

/// The same app below the prefix `/lease`.
fn nested(app: &App) -> App {
    App { router: Router::new().nest("/lease", app.router.clone()), ..app.clone() }
}

/// Rule 6.8. The page names its files, and the document its server, from where they are: so both follow every prefix.
#[tokio::test]
async fn every_file_of_the_page_is_served_by_this_server() {
    let app = App::new();
    for (app, root) in [(app.clone(), "http://x/"), (nested(&app), "http://x/lease/")] {
        let root = Url::parse(root).unwrap();
        for path in ["docs", "docs/"] {
            let place = root.join(path).unwrap();
            let page = get(&app, place.path()).await;
            assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"), "{place}");
            let files = named(&page.text);
            assert_eq!(files.len(), 4, "{files:?}");
            for url in files.iter().map(|file| place.join(file).unwrap()) {
                let response = get(&app, url.path()).await;
                assert_eq!(response.status, 200, "{url}");
                assert!(!response.text.is_empty() && !response.header("content-type").is_empty(), "{url}");
            }
        }
        let script = root.join("docs/start.js").unwrap();
        assert!(get(&app, script.path()).await.text.contains("../api/openapi.json"));
        let document = script.join("../api/openapi.json").unwrap();
        let server = get(&app, document.path()).await.json()["servers"][0]["url"].as_str().unwrap().to_owned();
        assert_eq!(document.join(&server).unwrap(), root);
    }
    assert!(get(&app, "/docs/swagger-ui-bundle.js").await.text.contains("SwaggerUIBundle"));
}

#[tokio::test]
async fn the_content_security_policy_allows_only_the_pages_own_scripts() {
    let page = get(&App::new(), "/docs").await;
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
    assert!(!page.text.contains("<script>") && !page.text.contains("http"), "inline or foreign scripts");
}

/// They are compressed beforehand, as well as possible.
#[tokio::test]
async fn its_files_are_sent_compressed_to_clients_that_accept_it() {
    let app = App::new();
    for path in ["/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/api/openapi.json"] {
        let plain = get(&app, path).await;
        let compressed = app.send(request("GET", path, &[("accept-encoding", "br, gzip")], &Value::Null)).await;
        assert_eq!((plain.header("content-encoding"), compressed.header("content-encoding")), ("", "gzip"), "{path}");
        for response in [&plain, &compressed] {
            assert_eq!(response.header("vary"), "accept-encoding", "{path}");
            assert_eq!(response.header("content-type"), plain.header("content-type"), "{path}");
        }
        let (small, large): (usize, usize) =
            (compressed.header("content-length").parse().unwrap(), plain.header("content-length").parse().unwrap());
        assert!(small * 3 < large, "{path}: {small} of {large}");
    }
}

#[tokio::test]
async fn there_is_no_other_file() {
    let app = App::new();
    for path in ["/docs/nothing.js", "/docs/index.html", "/docs/swagger-initializer.js", "/docs/..%2fCargo.toml", "/docs/%FF"] {
        assert_eq!(get(&app, path).await.code(), (404, "not_found".to_owned()), "{path}");
    }
}

/// Rule 6.8. The place is relative, so that it holds behind every prefix.
#[tokio::test]
async fn the_server_and_the_api_themselves_lead_to_the_page() {
    let app = App::new();
    for (path, place) in [("/", "docs"), ("/api", "docs"), ("/api/", "../docs")] {
        let response = get(&app, path).await;
        assert_eq!((response.status.as_u16(), response.header("location")), (307, place), "{path}");
    }
    let nested = nested(&app);
    for (path, place) in [("/lease", "lease/docs"), ("/lease/api", "docs"), ("/lease/api/", "../docs")] {
        let response = get(&nested, path).await;
        assert_eq!((response.status.as_u16(), response.header("location")), (307, place), "{path}");
    }
    let posted = app.post("/", "", "", &Value::Null).await;
    assert_eq!(posted.code(), (405, "method_not_allowed".to_owned()));
}
