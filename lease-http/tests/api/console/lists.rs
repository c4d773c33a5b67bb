use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use super::Visitor;
use crate::support::World;

/// The names of the rows of a list.
fn rows(page: &str) -> Vec<&str> {
    let cells = page.split("<th scope=\"row\"").skip(1);
    cells.map(|cell| cell.split_once("<bdi>").unwrap().1.split("</bdi>").next().unwrap()).collect()
}

/// Rule 10.2: the filters and the search are those of the API.
#[tokio::test]
async fn lists_are_filtered_like_those_of_the_api() {
    let world = World::new().await;
    for (company, status) in [("Red Cars", "new"), ("Blue Cars", "contacted"), ("Blue Boats", "new")] {
        world.post("/api/leads", &world.staff, json!({"company": company, "status": status})).await.expect(201);
    }
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let cases: [(&str, &[&str]); 5] = [
        ("", &["Blue Boats", "Blue Cars", "Red Cars"]),
        ("?status=new&search=", &["Blue Boats", "Red Cars"]),
        ("?search=blue", &["Blue Boats", "Blue Cars"]),
        ("?search=blue&status=contacted", &["Blue Cars"]),
        ("?search=green", &[]),
    ];
    for (query, expected) in cases {
        let page = visitor.page(&format!("/console/leads{query}")).await;
        assert_eq!(rows(&page), expected, "{query}");
    }
    let page = visitor.page("/console/leads?status=new&search=cars").await;
    assert!(page.contains("<option value=\"new\" selected>New</option>") && page.contains("value=\"cars\""));
    assert!(visitor.page("/console/leads?search=green").await.contains("Nothing matches the filter."));
    assert!(visitor.page("/console/refunds").await.contains("from the page of the payment"), "an empty list says what to do");
}

#[tokio::test]
async fn a_wrong_filter_is_told_beside_its_field() {
    let world = World::new().await;
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let response = visitor.open("/console/trades?customer_id=x&status=open").await;
    assert_eq!(response.status, 400);
    let page = response.text;
    assert!(page.contains("<p class=\"wrong\" id=\"customer_id-error\">No customer is called so.</p>"), "{page}");
    assert!(
        page.contains("name=\"customer_id\" value=\"x\"")
            && page.contains("aria-describedby=\"customer_id-error customer_id-hint\"")
    );
    // What is no field of the filter is said above it, and no list is said to be empty.
    for (query, message) in [("foo=bar", "Foo: "), ("limit=1000", "Limit: "), ("cursor=zzz", "Cursor: ")] {
        let response = visitor.open(&format!("/console/trades?{query}")).await;
        assert_eq!(response.status, 400);
        assert!(response.text.contains(message) && response.text.contains(">Show all</a>"), "{}", response.text);
        assert!(!response.text.contains("Trades appear here"), "{query}");
    }
}

#[tokio::test]
async fn filters_are_words_and_stand_open_where_there_are_few() {
    let world = World::new().await;
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let trades = visitor.page("/console/trades").await;
    for order in ["newest\">Newest first", "price\">Price, rising", "-price\">Price, falling"] {
        assert!(trades.contains(&format!("<option value=\"{order}</option>")), "{order}");
    }
    let cards = visitor.page("/console/credit-cards").await;
    assert!(cards.contains("name=\"customer_id\"") && !cards.contains("More filters"), "{cards}");
}

/// A browser sends an instant without its offset.
#[tokio::test]
async fn events_are_filtered_by_instants_in_utc() {
    let world = World::new().await;
    world.app.clock.advance(chrono::Duration::minutes(1));
    world.post("/api/leads", &world.staff, json!({"company": "Example"})).await.expect(201);
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let page = visitor.page("/console/events?since=2026-03-01T12:01&type=lead.*,service.*").await;
    assert_eq!(rows(&page), ["Lead created"]);
    assert!(page.contains("name=\"since\" value=\"2026-03-01T12:01:00\""));
}

#[tokio::test]
async fn pages_of_a_list_lead_to_one_another() {
    let world = World::new().await;
    for number in 1..=7 {
        world.post("/api/leads", &world.staff, json!({"company": format!("Lead {number}"), "source": "Fair"})).await.expect(201);
    }
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let link = |page: &str, rel: &str| {
        let href = page.split(&format!("rel=\"{rel}\" href=\"")).nth(1)?.split('"').next()?;
        Some(format!("/console/{}", href.trim_start_matches("./").replace("&#38;", "&")))
    };
    let first = visitor.page("/console/leads?search=lead&limit=3").await;
    assert_eq!((rows(&first), link(&first, "prev")), (vec!["Lead 7", "Lead 6", "Lead 5"], None));
    let second = visitor.page(&link(&first, "next").unwrap()).await;
    assert_eq!(rows(&second), ["Lead 4", "Lead 3", "Lead 2"]);
    let last = visitor.page(&link(&second, "next").unwrap()).await;
    assert_eq!((rows(&last), link(&last, "next")), (vec!["Lead 1"], None));
    let back = visitor.page(&link(&second, "prev").unwrap()).await;
    assert_eq!(rows(&back), rows(&first));
}

/// Rule 10.2: an export has all that the filter says, whatever page is shown.
#[tokio::test]
async fn an_export_has_every_row_that_the_filter_says() {
    let world = World::new().await;
    for number in 1..=205 {
        let source = if number % 2 == 0 { "=1+1" } else { "a \"fair\", in town" };
        world.post("/api/leads", &world.staff, json!({"company": format!("Lead {number}"), "source": source})).await.expect(201);
    }
    world.post("/api/leads", &world.staff, json!({"company": "Other"})).await.expect(201);
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let response = visitor.open("/console/leads/csv?search=lead&limit=3&cursor=a0000000000000010").await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(response.header("content-disposition"), "attachment; filename=\"leads.csv\"");
    let lines: Vec<&str> = response.text.split("\r\n").collect();
    assert_eq!(lines[0], "id,first_name,last_name,company,email,phone,source,status,customer_id,notes,created_at");
    assert_eq!(lines[1], "205,,,Lead 205,,,\"a \"\"fair\"\", in town\",new,,,2026-03-01T12:00:00Z");
    assert_eq!(lines[2], "204,,,Lead 204,,,'=1+1,new,,,2026-03-01T12:00:00Z");
    assert_eq!((lines.len(), lines[205].split(',').next(), lines[206]), (207, Some("1"), ""));
    let request = Request::get("/console/leads/csv").header("cookie", &visitor.cookie).header("accept-encoding", "gzip");
    let compressed = world.app.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((compressed.status.as_u16(), compressed.header("content-encoding")), (200, "gzip"));
    let refused = visitor.open("/console/leads/csv?status=nonsense").await;
    assert_eq!(refused.status, 400);
    let page = visitor.page("/console/leads?search=lead&cursor=a0000000000000010").await;
    assert!(page.contains("href=\"./leads/csv?search=lead\""), "{page}");
}

#[tokio::test]
async fn every_kind_can_be_exported() {
    let world = World::new().await;
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    for kind in [
        "trades",
        "proposals",
        "vehicles",
        "services",
        "invoices",
        "payments",
        "refunds",
        "credit-cards",
        "customers",
        "leads",
        "contacts",
        "users",
        "events",
        "webhook-endpoints",
    ] {
        let response = visitor.open(&format!("/console/{kind}/csv")).await;
        assert_eq!(response.status, 200, "{kind}");
        assert!(response.text.starts_with("id,"), "{kind}: {}", response.text);
    }
}
