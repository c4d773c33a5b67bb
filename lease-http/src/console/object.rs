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
use super::page::{Frame, Labelled, Notice, not_found, page, refusal};
use super::place::with_query;
use super::value::{Names, Showing, Shown};
use super::visit::Visit;
use super::words::{inner, label};

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
    /// The list that it is in.
    list: String,
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
    /// What is said where there are no rows.
    pub(super) none: String,
    /// How another row is made.
    pub(super) create: Option<(&'static str, String)>,
    /// Whether the rows could be read.
    pub(super) is_read: bool,
}

impl Section {
    /// A section with these rows of a list, which is filtered like this; if they could not be read, one that says so.
    pub(super) async fn of(
        visit: &Visit,
        kind: &'static Kind,
        title: &str,
        objects: Result<Vec<Value>, Refusal>,
        columns: &[&str],
        filter: &[(&str, &str)],
    ) -> Self {
        let root = visit.place.root.as_str();
        let (objects, none, is_read) = match objects {
            Ok(objects) => (objects, format!("No {} yet.", inner(title)), true),
            Err(refused) => {
                tracing::warn!(code = refused.code, "{title}: could not be read for the console");
                (Vec::new(), "This could not be read. Please open the page again.".to_owned(), false)
            }
        };
        Self {
            title: title.to_owned(),
            table: Table::of(&visit.api, root, kind, &objects, columns, title.to_owned()).await,
            all: with_query(&format!("{root}{}", kind.path), filter.iter().copied()),
            none,
            create: None,
            is_read,
        }
    }

    /// The section, with what is said where there are no rows.
    pub(super) fn or(self, none: &str) -> Self {
        if self.is_read { Self { none: none.to_owned(), ..self } } else { self }
    }

    /// Whether there is nothing, as far as is known.
    pub(super) fn is_done(&self) -> bool {
        self.is_read && self.table.rows.is_empty()
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

/// Shows an object.
pub(super) async fn show(visit: Visit, Path((path, id)): Path<(String, String)>) -> Response {
    let (Some(kind), Some(id)) = (kinds::by_path(&path), parse_id(&id)) else { return not_found(&visit) };
    let object = match read(&visit.api, kind, id).await {
        Ok(answer) => answer.body,
        Err(refused) => return refusal(&visit, &refused),
    };
    let root = visit.place.root.as_str();
    let names = names::of(&visit.api, kind, std::slice::from_ref(&object), kind.fields).await;
    let showing = Showing { root, names: &names };
    let mut facts = Facts::of(showing, kind, &object);
    facts.set.splice(0..0, account(&visit, kind, &object).await);
    let heading = names::own(kind, &object, &names);
    let mut frame = visit.frame(heading.clone());
    frame.notice = visit.done().and_then(|name| done(kind, &name));
    let (related, history) = tokio::join!(related(&visit, kind, &object), history(&visit, kind, &object));
    let state = kind.fields.contains(&"status").then(|| showing.field(&object, "status"));
    let button = |(action, of, id): (&Action, &Kind, i64)| Button {
        href: format!("{root}{}/{id}/{}", of.path, action.name),
        label: action.label,
        is_final: action.is_final,
    };
    let actions = offered(&visit, kind, &object).into_iter().map(button).collect();
    let list = format!("{root}{}", kinds::list_of(kind, &object));
    page(StatusCode::OK, &ObjectPage { frame, kind, list, id, heading, state, facts, actions, related, history })
}

/// What this visitor may do with an object now, and with which one: from the page of a trade, with its invoice too.
fn offered(visit: &Visit, kind: &'static Kind, object: &Value) -> Vec<(&'static Action, &'static Kind, i64)> {
    let own = kind.actions.iter().filter(|action| (action.offered)(&visit.actor, object));
    let own = own.map(|action| (action, kind, object["id"].as_i64().unwrap_or_default()));
    let invoice = object["invoice_id"].as_i64().filter(|_| kind.path == "trades").zip(kinds::by_path("invoices"));
    let invoices = invoice.into_iter().flat_map(|(id, invoices)| {
        let offered = invoices.actions.iter().filter(|action| (action.offered)(&visit.actor, object));
        offered.map(move |action| (action, invoices, id))
    });
    own.chain(invoices).collect()
}

/// What is said on the page of an object or a list after this was done.
pub(super) fn done(kind: &Kind, name: &str) -> Option<Notice> {
    let made = kinds::all().flat_map(|other| other.actions).filter(|action| action.makes == Some(kind.path));
    let own = kind.actions.iter().filter(|action| action.makes.is_none());
    let action = own.chain(kind.create).chain(made).find(|action| action.name == name)?;
    Some(Notice::done(action.done))
}

/// The lists that hang on an object.
async fn related(visit: &Visit, kind: &Kind, object: &Value) -> Vec<Section> {
    let sections = kind.related.iter().map(|related| section(visit, related, object));
    join_all(sections).await.into_iter().flatten().collect()
}

async fn section(visit: &Visit, related: &Related, object: &Value) -> Option<Section> {
    let kind = kinds::by_path(related.kind)?;
    let value = object[related.field].as_i64()?.to_string();
    let filter = [(related.parameter, value.as_str())];
    let section = list(visit, kind, related.title, &filter, &without(kind, related.parameter), RELATED_ROWS).await;
    let create =
        kind.create.filter(|create| create.fields.contains(&related.parameter) && (create.offered)(&visit.actor, object));
    let create = create.map(|create| (create.label, with_query(&format!("{}{}/new", visit.place.root, kind.path), filter)));
    Some(Section { create, ..section })
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
) -> Section {
    let mut asked: Vec<_> = filter.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let path = api_path(kind, &mut asked);
    asked.push(("limit".to_owned(), rows.to_owned()));
    let found = rows_of(&visit.api, &with_query(&path, asked)).await;
    Section::of(visit, kind, title, found, columns, filter).await
}

/// Reads the rows of a page of a list.
///
/// # Errors
/// What the API refuses.
pub(super) async fn rows_of(api: &Api, path: &str) -> Result<Vec<Value>, Refusal> {
    Ok(results(&api.get(path).await?.body).to_vec())
}

/// The rows of a page of a list.
pub(super) fn results(page: &Value) -> &[Value] {
    page["results"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The history of an object; of a customer that of the user as well, and of a user what they did.
async fn history(visit: &Visit, kind: &Kind, object: &Value) -> Vec<Section> {
    let id = object["id"].to_string();
    let about = |subject, id: &str| [("subject_kind", subject), ("subject_id", id)].map(|(name, value)| (name, value.to_owned()));
    match kind.subject {
        "event" | "webhook_delivery" => Vec::new(),
        "trade" => vec![events(visit, "History", &[("trade_id", id)], "trade_id").await],
        "user" => vec![
            events(visit, "History", &about("user", &id), "subject").await,
            events(visit, "What they did", &[("actor_user_id", id)], "actor").await,
        ],
        "customer" => vec![
            events(visit, "History", &about("customer", &id), "subject").await,
            events(visit, "History of the user", &about("user", &object["user_id"].to_string()), "subject").await,
        ],
        subject => vec![events(visit, "History", &about(subject, &id), "subject").await],
    }
}

/// The newest events of a filter, without the column that is the same in all of them.
async fn events(visit: &Visit, title: &str, filter: &[(&str, String)], column: &str) -> Section {
    let filter: Vec<_> = filter.iter().map(|(name, value)| (*name, value.as_str())).collect();
    list(visit, &kinds::EVENTS, title, &filter, &without(&kinds::EVENTS, column), HISTORY_ROWS).await
}

/// What a customer's user adds to the page of the customer.
async fn account(visit: &Visit, kind: &Kind, customer: &Value) -> Vec<Labelled> {
    let Some(user) = customer["user_id"].as_i64().filter(|_| kind.path == "customers") else { return Vec::new() };
    let Ok(user) = visit.api.get(&format!("/api/users/{user}")).await else { return Vec::new() };
    let showing = Showing { root: &visit.place.root, names: &Names::default() };
    ["username", "email", "is_active"].map(|field| (label(field), showing.field(&user.body, field))).into()
}
