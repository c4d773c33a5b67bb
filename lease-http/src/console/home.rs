//! The first page (rule 10.1): what needs attention.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Duration, NaiveTime, Utc};
use futures_util::future::join_all;
use lease_core::page::Cursor;
use serde_json::Value;

use super::Console;
use super::api::Refusal;
use super::kinds;
use super::object::{Section, list, rows_of};
use super::page::{Frame, page};
use super::place::with_query;
use super::plot::{self, Plot};
use super::visit::Visit;

/// The rows that are shown of each list.
const ROWS: &str = "5";
/// What is under way for longer needs attention.
const LONG: Duration = Duration::minutes(10);
/// The deliveries of an endpoint among which its last try is looked for.
const RECENT: u32 = 5;
const NONE_STUCK: &str = "None is under way for more than ten minutes.";

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
    let is_stuck = |object: &Value| is_stuck(object, now);
    let (totals, overdue, pending, waiting, refunds, webhooks, leads) = tokio::join!(
        console.app.engine.weekly_totals(&visit.actor, since),
        oldest(&visit, "invoices", ("overdue", "true"), ("Overdue invoices", "No invoice is overdue."), |_| true),
        oldest(&visit, "payments", ("status", "pending"), ("Payments without an outcome", NONE_STUCK), is_stuck),
        oldest(&visit, "payments", ("status", "requires_action"), ("Payments that wait for their payer", NONE_STUCK), is_stuck),
        oldest(&visit, "refunds", ("status", "pending"), ("Refunds without an outcome", NONE_STUCK), is_stuck),
        failing(&visit),
        newest(&visit, "leads", ("status", "new"), ("New leads", "No lead is new.")),
    );
    let all = [overdue, pending, waiting, refunds, webhooks, leads].into_iter().flatten();
    let (done, sections) = all.partition(Section::is_done);
    // The figures are many rows added up; whoever has something to do finds it even if that takes too long.
    let plots = totals.map_or_else(
        |error| {
            tracing::warn!(%error, "the figures of the console cannot be read");
            Vec::new()
        },
        |totals| plot::all(&totals, first),
    );
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
async fn newest(visit: &Visit, kind: &str, filter: (&str, &str), (title, none): (&str, &str)) -> Option<Section> {
    Some(list(visit, kinds::by_path(kind)?, title, &[filter], columns(kind), ROWS).await.or(none))
}

/// The oldest rows of a list, as far as they need attention.
async fn oldest(
    visit: &Visit,
    kind: &str,
    filter: (&str, &str),
    (title, none): (&str, &str),
    needs_attention: impl Fn(&Value) -> bool,
) -> Option<Section> {
    let kind = kinds::by_path(kind)?;
    let end = Cursor::Before(0.into()).encode();
    let path = with_query(&format!("/api/{}", kind.path), [filter, ("limit", ROWS), ("cursor", &end)]);
    let found = rows_of(&visit.api, &path).await;
    // A page of a list has the newest first.
    let found = found.map(|rows| rows.into_iter().rev().filter(needs_attention).collect());
    Some(Section::of(visit, kind, title, found, columns(kind.path), &[filter]).await.or(none))
}

/// Whether this was made so long ago that it should have an outcome.
fn is_stuck(object: &Value, now: DateTime<Utc>) -> bool {
    let made = kinds::text(object, "created_at").parse::<DateTime<Utc>>();
    made.is_ok_and(|made| now - made > LONG)
}

/// The webhook endpoints that were switched off by themselves, or whose last try failed.
async fn failing(visit: &Visit) -> Option<Section> {
    let kind = kinds::by_path("webhook-endpoints")?;
    let section = Section::of(visit, kind, "Failing webhooks", failing_endpoints(visit).await, columns(kind.path), &[]).await;
    Some(section.or("Every endpoint takes what it is sent."))
}

async fn failing_endpoints(visit: &Visit) -> Result<Vec<Value>, Refusal> {
    let endpoints = rows_of(&visit.api, "/api/webhook-endpoints?limit=100").await?;
    let fails = join_all(endpoints.iter().map(|endpoint| is_failing(visit, endpoint))).await;
    Ok(endpoints.into_iter().zip(fails).filter(|(_, fails)| *fails).map(|(endpoint, _)| endpoint).collect())
}

/// Whether an endpoint was switched off by itself, or did not take what was last sent to it.
async fn is_failing(visit: &Visit, endpoint: &Value) -> bool {
    if endpoint["is_active"] != true {
        return !endpoint["disabled_reason"].is_null();
    }
    let path = format!("/api/webhook-endpoints/{}/deliveries?limit={RECENT}", endpoint["id"]);
    let Ok(deliveries) = rows_of(&visit.api, &path).await else { return true };
    let tries = deliveries.iter().rev().flat_map(|delivery| delivery["tries"].as_array().into_iter().flatten());
    let last = tries.max_by_key(|tried| kinds::text(tried, "at"));
    last.is_some_and(|last| !last["status"].as_u64().is_some_and(|status| (200..300).contains(&status)))
}
