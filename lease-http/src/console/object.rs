//! The page of an object (rule 10.3): its fields, what hangs on it, its history, and what can be done.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::future::join_all;
use serde_json::Value;

use super::api::{Answer, Api, Refusal};
use super::facts::Facts;
use super::kinds::{self, Action, Kind, Related};
use super::list::{Table, api_path};
use super::names;
use super::page::{Frame, Notice, not_found, page, refusal};
use super::place::with_query;
use super::value::{Showing, Shown};
use super::visit::Visit;
use super::words::inner;

/// The rows that are shown of a list that hangs on an object.
const RELATED_ROWS: &str = "10";
/// The events that are shown of a history.
const HISTORY_ROWS: &str = "20";

/// The page of an object.
#[derive(Template)]
#[template(path = "console/object.html")]
struct ObjectPage<'a> {
    frame: Frame<'a>,
    kind: &'static Kind,
    id: i64,
    heading: String,
    state: Option<Shown>,
    facts: Facts,
    actions: Vec<Button>,
    related: Vec<Section>,
    history: Vec<Section>,
}

/// A button that leads to the form of an action.
#[derive(Debug)]
struct Button {
    href: String,
    label: &'static str,
    is_final: bool,
}

/// A list below an object.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) title: String,
    pub(super) table: Table,
    pub(super) all: String,
    pub(super) none: String,
}

impl Section {
    /// A section with these rows of a list, which is filtered like this.
    pub(super) async fn of(
        visit: &Visit,
        kind: &'static Kind,
        title: &str,
        objects: &[Value],
        columns: &[&str],
        filter: &[(&str, &str)],
    ) -> Self {
        let root = visit.place.root.as_str();
        Self {
            title: title.to_owned(),
            table: Table::of(&visit.api, root, kind, objects, columns, title.to_owned()).await,
            all: with_query(&format!("{root}{}", kind.path), filter.iter().copied()),
            none: format!("No {} yet.", inner(title)),
        }
    }

    /// The section, with what is said where it has no rows.
    pub(super) fn or(self, none: &str) -> Self {
        Self { none: none.to_owned(), ..self }
    }
}

/// Reads an object. An invoice offers what its trade offers for it.
///
/// # Errors
/// What the API refuses.
pub(super) async fn read(api: &Api, kind: &Kind, id: i64) -> Result<Answer, Refusal> {
    let mut answer = api.get(&format!("/api/{}/{id}", kind.path)).await?;
    if let (true, Some(trade)) = (kind.path == "invoices", answer.body["trade_id"].as_i64()) {
        let trade = api.get(&format!("/api/trades/{trade}")).await?.body;
        answer.body["available_actions"] = trade["available_actions"].clone();
    }
    Ok(answer)
}

/// The id of an address.
pub(super) fn parse_id(text: &str) -> Option<i64> {
    text.parse().ok().filter(|id| *id > 0 && text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What an object is called above its page: its name, or else its kind and its number.
pub(super) async fn heading(api: &Api, kind: &Kind, object: &Value) -> String {
    let name = names::of_object(api, kind, object).await;
    if name.is_empty() { format!("{} {}", kind.one, object["id"]) } else { name }
}

/// Shows an object.
pub(super) async fn show(visit: Visit, Path((path, id)): Path<(String, String)>) -> Response {
    let (Some(kind), Some(id)) = (kinds::by_path(&path), parse_id(&id)) else { return not_found(&visit) };
    let object = match read(&visit.api, kind, id).await {
        Ok(answer) => answer.body,
        Err(refused) => return refusal(&visit, &refused),
    };
    let root = visit.place.root.as_str();
    let names = names::of(&visit.api, std::slice::from_ref(&object), kind.fields).await;
    let showing = Showing { root, names: &names };
    let facts = Facts::of(showing, kind, &object);
    let heading = heading(&visit.api, kind, &object).await;
    let mut frame = visit.frame(heading.clone());
    frame.notice = done(kind, visit.place.parameter("done").as_deref());
    let (related, history) = tokio::join!(related(&visit, kind, &object), history(&visit, kind, &object));
    let state = kind.fields.contains(&"status").then(|| showing.field(&object, "status"));
    let actions = offered(&visit, kind, &object).map(|(action, of, id)| Button {
        href: format!("{root}{}/{id}/{}", of.path, action.name),
        label: action.label,
        is_final: action.is_final,
    });
    page(StatusCode::OK, &ObjectPage { kind, id, heading, state, facts, actions: actions.collect(), related, history, frame })
}

/// What this visitor may do with an object now, and with which one: from the page of a trade, with its invoice too.
fn offered(visit: &Visit, kind: &'static Kind, object: &Value) -> impl Iterator<Item = (&'static Action, &'static Kind, i64)> {
    let own = kind.actions.iter().filter(|action| (action.offered)(&visit.actor, object));
    let own = own.map(|action| (action, kind, object["id"].as_i64().unwrap_or_default()));
    let invoice = object["invoice_id"].as_i64().filter(|_| kind.path == "trades").zip(kinds::by_path("invoices"));
    let invoices = invoice.into_iter().flat_map(|(id, invoices)| {
        let offered = invoices.actions.iter().filter(|action| (action.offered)(&visit.actor, object));
        offered.map(move |action| (action, invoices, id))
    });
    own.chain(invoices).collect::<Vec<_>>().into_iter()
}

/// What is said after this was done.
fn done(kind: &Kind, name: Option<&str>) -> Option<Notice> {
    let mut known = kind.actions.iter().chain(kind.create);
    known.find(|action| Some(action.name) == name).map(|action| Notice::done(action.done))
}

/// The lists that hang on an object.
async fn related(visit: &Visit, kind: &Kind, object: &Value) -> Vec<Section> {
    let sections = kind.related.iter().map(|related| section(visit, related, object));
    join_all(sections).await.into_iter().flatten().collect()
}

async fn section(visit: &Visit, related: &Related, object: &Value) -> Option<Section> {
    let kind = kinds::by_path(related.kind)?;
    let value = object[related.field].as_i64()?.to_string();
    list(visit, kind, related.title, &[(related.parameter, &value)], &without(kind, related.parameter), RELATED_ROWS).await
}

/// The columns of a list, but for one that is the same in all rows.
fn without(kind: &Kind, column: &str) -> Vec<&'static str> {
    kind.columns.iter().copied().filter(|other| *other != column).collect()
}

/// The newest rows of a list.
pub(super) async fn list(
    visit: &Visit,
    kind: &'static Kind,
    title: &str,
    filter: &[(&str, &str)],
    columns: &[&str],
    rows: &str,
) -> Option<Section> {
    let mut asked: Vec<_> = filter.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let path = api_path(kind, &mut asked);
    asked.push(("limit".to_owned(), rows.to_owned()));
    let found = visit.api.get(&with_query(&path, asked)).await.ok()?.body;
    Some(Section::of(visit, kind, title, found["results"].as_array()?, columns, filter).await)
}

/// The history of an object; of a user, what they did as well.
async fn history(visit: &Visit, kind: &Kind, object: &Value) -> Vec<Section> {
    let id = object["id"].to_string();
    let own = match kind.subject {
        "event" | "webhook_delivery" => return Vec::new(),
        "trade" => list(visit, &kinds::EVENTS, "History", &[("trade_id", &id)], kinds::EVENTS.columns, HISTORY_ROWS).await,
        subject => {
            let filter = [("subject_kind", subject), ("subject_id", id.as_str())];
            list(visit, &kinds::EVENTS, "History", &filter, &["occurred_at", "actor", "changes"], HISTORY_ROWS).await
        }
    };
    let acts = match kind.subject {
        "user" => {
            list(
                visit,
                &kinds::EVENTS,
                "What they did",
                &[("actor_user_id", &id)],
                &without(&kinds::EVENTS, "actor"),
                HISTORY_ROWS,
            )
            .await
        }
        _ => None,
    };
    own.into_iter().chain(acts).collect()
}
