//! The first page (rule 10.1): what needs attention.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Duration, NaiveTime, Utc};
use futures_util::future::join_all;
use lease_core::page::Cursor;
use serde_json::Value;

use super::Console;
use super::kinds;
use super::list::Table;
use super::object::{Section, list};
use super::page::{Frame, page};
use super::place::with_query;
use super::plot::{self, Plot};
use super::visit::Visit;
use crate::problem::Problem;

/// The rows that are shown of each list.
const ROWS: &str = "5";
/// What is under way for longer needs attention.
const LONG: Duration = Duration::minutes(10);

/// The first page.
#[derive(Template)]
#[template(path = "console/home.html")]
struct HomePage<'a> {
    frame: Frame<'a>,
    plots: Vec<Plot>,
    /// What there is to do, and what there is not.
    sections: Vec<Section>,
    done: Vec<Section>,
}

/// Shows the first page.
pub(super) async fn show(State(console): State<Console>, visit: Visit) -> Response {
    let now = console.app.engine.now();
    let first = plot::first_day(now.date_naive());
    let since = first.and_time(NaiveTime::MIN).and_utc();
    let (totals, overdue, pending, waiting, refunds, webhooks, leads) = tokio::join!(
        console.app.engine.weekly_totals(&visit.actor, since),
        some(&visit, "invoices", "Overdue invoices", ("overdue", "true"), "No invoice is overdue."),
        stuck(&visit, "payments", "Payments without an outcome", "pending", now),
        stuck(&visit, "payments", "Payments that wait for their payer", "requires_action", now),
        stuck(&visit, "refunds", "Refunds without an outcome", "pending", now),
        failing(&visit),
        some(&visit, "leads", "New leads", ("status", "new"), "No lead is new."),
    );
    let all = [overdue, pending, waiting, refunds, webhooks, leads].into_iter().flatten();
    let (done, sections) = all.partition(|section| section.table.rows.is_empty());
    let plots = match totals {
        Ok(totals) => plot::all(&totals, first),
        Err(error) => return Problem::from(error).into_response(),
    };
    page(StatusCode::OK, &HomePage { plots, sections, done, frame: visit.frame("Needs attention") })
}

/// What is shown of the rows of this kind.
fn columns(kind: &str) -> &'static [&'static str] {
    match kind {
        "invoices" => &["due_date", "customer_id", "amount_due"],
        "leads" => &["company", "source", "created_at"],
        "webhook-endpoints" => &["description", "is_active", "disabled_reason"],
        _ => &["amount", "customer_id", "created_at"],
    }
}

/// The newest rows of a list.
async fn some(visit: &Visit, kind: &str, title: &str, filter: (&str, &str), none: &str) -> Option<Section> {
    let section = list(visit, kinds::by_path(kind)?, title, &[filter], columns(kind), ROWS).await?;
    Some(Section { none: none.to_owned(), ..section })
}

/// The oldest rows with a status that nothing keeps for long.
async fn stuck(visit: &Visit, kind: &str, title: &str, status: &str, now: DateTime<Utc>) -> Option<Section> {
    let kind = kinds::by_path(kind)?;
    let oldest = Cursor::Before(0.into()).encode();
    let path = with_query(&format!("/api/{}", kind.path), [("status", status), ("limit", ROWS), ("cursor", &oldest)]);
    let found = visit.api.get(&path).await.ok()?.body;
    let is_old = |object: &&Value| {
        let made = object["created_at"].as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
        made.is_some_and(|made| now - made > LONG)
    };
    let objects: Vec<Value> = found["results"].as_array()?.iter().filter(is_old).cloned().collect();
    let root = visit.place.root.as_str();
    Some(Section {
        title: title.to_owned(),
        table: Table::of(&visit.api, root, kind, &objects, columns(kind.path), title.to_owned()).await,
        all: with_query(&format!("{root}{}", kind.path), [("status", status)]),
        none: "None is under way for more than ten minutes.".to_owned(),
    })
}

/// The webhook endpoints that were switched off by themselves, or whose last delivery failed.
async fn failing(visit: &Visit) -> Option<Section> {
    let kind = kinds::by_path("webhook-endpoints")?;
    let found = visit.api.get("/api/webhook-endpoints?limit=100").await.ok()?.body;
    let endpoints = found["results"].as_array()?;
    let fails = endpoints.iter().map(async |endpoint| {
        if endpoint["is_active"] != true {
            return !endpoint["disabled_reason"].is_null();
        }
        let last = visit.api.get(&format!("/api/webhook-endpoints/{}/deliveries?limit=1", endpoint["id"])).await;
        last.is_ok_and(|last| last.body["results"][0]["status"] == "failed")
    });
    let fails = join_all(fails).await;
    let failing: Vec<Value> =
        endpoints.iter().zip(fails).filter(|(_, fails)| *fails).map(|(endpoint, _)| endpoint.clone()).collect();
    let root = visit.place.root.as_str();
    Some(Section {
        title: "Failing webhooks".to_owned(),
        table: Table::of(&visit.api, root, kind, &failing, columns(kind.path), "Failing webhooks".to_owned()).await,
        all: format!("{root}{}", kind.path),
        none: "Every endpoint takes what it is sent.".to_owned(),
    })
}
