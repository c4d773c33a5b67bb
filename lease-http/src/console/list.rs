//! Lists (rule 10.2): the rows that a filter says, page by page, and all of them as CSV.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use serde_json::Value;

use super::api::{Answer, Api, Refusal};
use super::description::{self, Takes};
use super::form::{Control, Field};
use super::kinds::{self, Kind};
use super::lookup;
use super::names;
use super::object::{done, results};
use super::page::{Fields, Frame, Notice, logged, not_found, page};
use super::place::with_query;
use super::value::{Showing, Shown};
use super::visit::Visit;
use super::words::{label, shortened};

/// The rows of a page, if the address does not say.
const ROWS: &str = "50";
/// The filters that are always shown.
const FIRST: [&str; 8] = ["search", "status", "overdue", "type", "is_active", "role", "customer_id", "user_id"];
/// The characters of a name that a row begins with.
const LONGEST_NAME: usize = 160;

/// A list.
#[derive(Template)]
#[template(path = "console/list.html")]
struct ListPage<'a> {
    frame: Frame<'a>,
    kind: &'static Kind,
    table: Table,
    /// The filters that are always shown, and the others.
    first: Fields,
    more: Fields,
    /// Whether one of the others is used.
    uses_more: bool,
    is_filtered: bool,
    /// Whether the filter is wrong, so that there are no rows to tell of.
    is_refused: bool,
    /// What belongs to the list and is no filter that could be changed.
    hidden: Vec<(String, String)>,
    /// The object whose rows they are, if the list belongs to one.
    of: Option<(String, String)>,
    create: Option<(&'static str, String)>,
    export: String,
    clear: String,
    previous: Option<String>,
    next: Option<String>,
}

/// The rows of a list.
#[derive(Debug, Template)]
#[template(path = "console/table.html")]
pub(super) struct Table {
    pub(super) caption: String,
    /// The labels of the columns, and whether they stand on the right.
    pub(super) head: Vec<(String, bool)>,
    pub(super) rows: Vec<Row>,
}

/// A row: the link to the object, and its fields.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) cells: Vec<Shown>,
}

impl Table {
    /// The table of these objects, with these columns.
    pub(super) async fn of(
        api: &Api,
        root: &str,
        kind: &'static Kind,
        objects: &[Value],
        columns: &[&str],
        caption: String,
    ) -> Self {
        let names = names::of(api, kind, objects, columns).await;
        let showing = Showing { root, names: &names };
        let row = |object: &Value| Row {
            href: format!("{root}{}/{}", kind.path, object["id"]),
            name: shortened(&names::own(kind, object, &names), LONGEST_NAME),
            cells: columns.iter().map(|column| showing.cell(object, column)).collect(),
        };
        let rows: Vec<Row> = objects.iter().map(row).collect();
        let is_figure = |place: usize| rows.iter().any(|row: &Row| row.cells[place].is_figure());
        let labels = columns.iter().enumerate().map(|(place, column)| (label(column), is_figure(place)));
        let head = std::iter::once((kind.one.to_owned(), false)).chain(labels).collect();
        Self { caption, head, rows }
    }
}

/// The path of a list in the API: with the endpoint, if it is below one, which is no parameter then.
pub(super) fn api_path(kind: &Kind, pairs: &mut Vec<(String, String)>) -> String {
    let path = kind.list_path();
    if !path.contains("{id}") {
        return path;
    }
    let endpoint = pairs.iter().position(|(name, _)| name == "webhook_endpoint_id").map(|at| pairs.remove(at).1);
    let endpoint: i64 = endpoint.and_then(|endpoint| endpoint.parse().ok()).unwrap_or_default();
    path.replace("{id}", &endpoint.to_string())
}

/// A parameter as the API takes it: a browser sends an instant without its offset, which is UTC here.
pub(super) fn pairs(visit: &Visit, kind: &Kind) -> Vec<(String, String)> {
    let filters = description::filters(&kind.list_path());
    let is_instant = |name: &str| filters.iter().any(|input| input.name == name && input.takes == Takes::Instant);
    let pairs = visit.place.parameters().filter(|(name, value)| name != "done" && !value.trim().is_empty());
    pairs
        .map(|(name, value)| {
            let is_local = is_instant(&name) && !value.ends_with('Z') && !value.contains('+');
            let value = match value.len() {
                16 if is_local => format!("{value}:00Z"),
                19 if is_local => format!("{value}Z"),
                _ => value,
            };
            (name, value)
        })
        .collect()
}

/// Shows a list.
pub(super) async fn show(visit: Visit, path: Path<String>) -> Response {
    let Some(kind) = kinds::by_path(&path) else { return not_found(&visit) };
    let mut given = pairs(&visit, kind);
    let (found, refusal) = match read(&visit, kind, &mut given).await {
        Ok(answer) => (answer.body, None),
        Err(refusal) if refusal.code == "validation_error" => (Value::Null, Some(refusal)),
        Err(refusal) => return super::page::refusal(&visit, &refusal),
    };
    render(&visit, kind, &given, &found, refusal.as_ref()).await
}

/// Reads the page of the list that is asked for. Names are replaced by the numbers of the objects that are called so.
async fn read(visit: &Visit, kind: &Kind, given: &mut [(String, String)]) -> Result<Answer, Refusal> {
    let wrong = lookup::resolve(&visit.api, given).await;
    if !wrong.is_empty() {
        return Err(Refusal::invalid(wrong));
    }
    let mut asked = given.to_vec();
    let list = api_path(kind, &mut asked);
    if !asked.iter().any(|(name, _)| name == "limit") {
        asked.push(("limit".to_owned(), ROWS.to_owned()));
    }
    visit.api.get(&with_query(&list, asked)).await
}

async fn render(
    visit: &Visit,
    kind: &'static Kind,
    given: &[(String, String)],
    found: &Value,
    refusal: Option<&Refusal>,
) -> Response {
    let root = visit.place.root.as_str();
    let none = BTreeMap::new();
    let errors = refusal.map_or(&none, |refusal| &refusal.errors);
    let text = |name: &str| {
        given.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(",")
    };
    let filters = description::filters(&kind.list_path());
    let field = |input: &description::Input| {
        let text = text(&input.name);
        let text = if input.takes == Takes::Instant { text.trim_end_matches('Z').to_owned() } else { text };
        Field::filter(input, text, errors)
    };
    let is_first = |input: &description::Input| FIRST.contains(&input.name.as_str());
    let (first, more): (Vec<_>, Vec<_>) = filters.iter().partition(|input| is_first(input));
    let mut first: Vec<Field> = first.into_iter().map(field).collect();
    first.sort_by_key(|field| field.name != "search");
    let mut more: Vec<Field> = more.into_iter().map(field).collect();
    if first.is_empty() {
        std::mem::swap(&mut first, &mut more);
    }
    let is_used = |field: &Field| !field.text.is_empty();

    let table = Table::of(&visit.api, root, kind, results(found), kind.columns, kind.many.to_owned()).await;
    let kept = |name: &str| !["cursor", "done"].contains(&name);
    let here = |cursor: Option<String>| {
        let pairs = given.iter().filter(|(name, _)| kept(name)).map(|(name, value)| (name.as_str(), value.as_str()));
        with_query(kind.path, pairs.chain(cursor.as_deref().map(|cursor| ("cursor", cursor))))
    };
    let neighbour = |side: &str| {
        let link = found[side].as_str()?.split_once('?')?.1;
        let cursor = form_urlencoded::parse(link.as_bytes()).find(|(name, _)| name == "cursor")?.1.into_owned();
        Some(format!("{root}{}", here(Some(cursor))))
    };
    let is_filter = |name: &str| filters.iter().any(|input| input.name == name);
    let hidden: Vec<_> = given.iter().filter(|(name, _)| kept(name) && !is_filter(name)).cloned().collect();
    let mut frame = visit.frame(kind.many);
    frame.notice = match refusal {
        Some(refusal) => Some(wrong_filter(refusal, &filters)),
        None => visit.done().and_then(|name| done(kind, &name)),
    };
    let create = kind.create.filter(|action| (action.offered)(&visit.actor, &Value::Null));
    let query = here(None);
    let list = ListPage {
        of: owner(visit, kind, given).await,
        kind,
        table,
        uses_more: more.iter().any(is_used),
        is_refused: refusal.is_some(),
        is_filtered: first.iter().chain(&more).any(is_used),
        create: create.map(|action| (action.label, format!("{root}{}/new", kind.path))),
        export: format!("{root}{}", query.replacen(kind.path, &format!("{}/csv", kind.path), 1)),
        clear: with_query(&format!("{root}{}", kind.path), hidden.iter().map(|(name, value)| (name, value))),
        previous: neighbour("previous"),
        next: neighbour("next"),
        frame,
        first,
        more,
        hidden,
    };
    match refusal {
        Some(refusal) => logged(page(refusal.status(), &list), refusal),
        None => page(axum::http::StatusCode::OK, &list),
    }
}

/// What is said above a list whose filter is wrong: also of what is no field of the filter, such as a cursor.
fn wrong_filter(refusal: &Refusal, filters: &[description::Input]) -> Notice {
    let elsewhere = refusal.errors.iter().filter(|(name, _)| !filters.iter().any(|input| input.name == **name));
    let elsewhere: Vec<String> = elsewhere.map(|(name, messages)| format!("{}: {}", label(name), messages.join(" "))).collect();
    let text = match elsewhere.as_slice() {
        [] => "The filter is not valid. Please look at the fields below.".to_owned(),
        elsewhere => format!("This address is not valid. {}", elsewhere.join(" ")),
    };
    Notice { text, is_error: true }
}

/// The endpoint whose deliveries are listed.
async fn owner(visit: &Visit, kind: &Kind, given: &[(String, String)]) -> Option<(String, String)> {
    let (_, id) = given.iter().find(|(name, _)| kind.path == kinds::DELIVERIES.path && name == "webhook_endpoint_id")?;
    let endpoint = visit.api.get(&format!("/api/webhook-endpoints/{id}")).await.ok()?.body;
    let here = format!("{}webhook-endpoints/{}", visit.place.root, endpoint["id"]);
    Some((kinds::text(&endpoint, "url").to_owned(), here))
}
