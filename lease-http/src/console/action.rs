//! What can be done (rules 10.3, 10.4): a form, or a page that asks for a confirmation and a reason; and the request that is then sent
//! to the API.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use lease_core::permission::{Act, Grant, Resource};
use serde_json::{Map, Value};

use super::Console;
use super::api::{Answer, Guards, Refusal};
use super::description::{self, Input};
use super::form::{self, Control, ONCE, Posted, TAG};
use super::kinds::{self, Action, Kind};
use super::names;
use super::object::{heading, parse_id, read};
use super::page::{Fields, Frame, Labelled, Notice, logged, message, not_found, page, refusal, secret, see_other};
use super::value::Showing;
use super::visit::Visit;
use super::words::label;

/// The form of an action.
#[derive(Template)]
#[template(path = "console/form.html")]
struct FormPage<'a> {
    frame: Frame<'a>,
    kind: &'static Kind,
    action: &'static Action,
    /// What it is done with, and where that is.
    object: Option<(String, String)>,
    facts: Vec<Labelled>,
    fields: Fields,
    once: String,
    tag: String,
    back: String,
    button: String,
}

/// What an action is about to be done with.
struct Target {
    kind: &'static Kind,
    action: &'static Action,
    /// The object, as it is now, unless one is made.
    object: Option<Answer>,
}

impl Target {
    fn present(&self) -> Option<&Value> {
        self.object.as_ref().map(|answer| &answer.body)
    }

    /// The object that a form of changes begins with.
    fn changed(&self) -> Option<&Value> {
        self.present().filter(|_| self.action.method == "PATCH")
    }

    /// The inputs that this visitor may fill in.
    fn inputs(&self, visit: &Visit) -> Vec<Input> {
        let grants_roles = visit.actor.grant(Resource::User, Act::GrantRoles) == Grant::All;
        let is_role = |name: &str| ["is_staff", "is_superuser"].contains(&name);
        let mut inputs = description::fields(self.action.method, self.action.path, self.action.fields);
        inputs.retain(|input| grants_roles || !is_role(&input.name));
        inputs
    }
}

/// Shows the form that makes an object.
pub(super) async fn show_new(State(console): State<Console>, visit: Visit, Path(path): Path<String>) -> Response {
    match creation(&visit, &path) {
        Ok(target) => form(&console, &visit, &target, None, None).await,
        Err(response) => *response,
    }
}

/// Makes an object.
pub(super) async fn create(State(console): State<Console>, visit: Visit, Path(path): Path<String>, request: Request) -> Response {
    let posted = match Posted::of(&visit, &request) {
        Ok(posted) => posted,
        Err(response) => return *response,
    };
    match creation(&visit, &path) {
        Ok(target) => carry_out(&console, &visit, &target, &posted).await,
        Err(response) => *response,
    }
}

/// Shows the form of an action.
pub(super) async fn show(
    State(console): State<Console>,
    visit: Visit,
    Path((path, id, name)): Path<(String, String, String)>,
) -> Response {
    match target(&visit, &path, &id, &name).await {
        Ok(target) => form(&console, &visit, &target, None, None).await,
        Err(response) => *response,
    }
}

/// Carries out an action.
pub(super) async fn act(
    State(console): State<Console>,
    visit: Visit,
    Path((path, id, name)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    let posted = match Posted::of(&visit, &request) {
        Ok(posted) => posted,
        Err(response) => return *response,
    };
    match target(&visit, &path, &id, &name).await {
        Ok(target) => carry_out(&console, &visit, &target, &posted).await,
        Err(response) => *response,
    }
}

/// What makes an object of this kind.
fn creation(visit: &Visit, path: &str) -> Result<Target, Box<Response>> {
    let kind = kinds::by_path(path).ok_or_else(|| Box::new(not_found(visit)))?;
    let action = kind.create.ok_or_else(|| Box::new(not_found(visit)))?;
    Ok(Target { kind, action, object: None })
}

async fn target(visit: &Visit, path: &str, id: &str, name: &str) -> Result<Target, Box<Response>> {
    let (Some(kind), Some(id)) = (kinds::by_path(path), parse_id(id)) else { return Err(Box::new(not_found(visit))) };
    let action = kind.actions.iter().find(|action| action.name == name).ok_or_else(|| Box::new(not_found(visit)))?;
    let object = read(&visit.api, kind, id).await.map_err(|refused| Box::new(refusal(visit, &refused)))?;
    Ok(Target { kind, action, object: Some(object) })
}

/// The page with the form: as it was sent, if it was, with what is wrong with it.
async fn form(console: &Console, visit: &Visit, target: &Target, posted: Option<&Posted>, refused: Option<&Refusal>) -> Response {
    let (kind, action) = (target.kind, target.action);
    let is_offered = (action.offered)(&visit.actor, target.present().unwrap_or(&Value::Null));
    if !is_offered && refused.is_none() {
        return message(visit, StatusCode::FORBIDDEN, action.label, "You cannot do this, or not in the state that it is in now.");
    }
    let root = visit.place.root.as_str();
    let none = BTreeMap::new();
    let errors = refused.map_or(&none, |refused| &refused.errors);
    let inputs = target.inputs(visit);
    let mut prefilled = target.changed().cloned();
    if prefilled.is_none() && target.present().is_none() {
        // A contact may be made from the page of whoever it belongs to.
        let given: Map<String, Value> = visit.place.parameters().map(|(name, value)| (name, Value::String(value))).collect();
        prefilled = (!given.is_empty()).then_some(Value::Object(given));
    }
    let fields = form::fields(&inputs, posted, prefilled.as_ref(), errors);
    let (object, facts) = match target.present() {
        Some(object) => {
            let names = names::of(&visit.api, std::slice::from_ref(object), kind.columns).await;
            let showing = Showing { root, names: &names };
            let facts = kind.columns.iter().map(|column| (label(column), showing.field(object, column)));
            let here = format!("{root}{}/{}", kind.path, object["id"]);
            let facts = if action.is_grave { facts.collect() } else { Vec::new() };
            (Some((heading(&visit.api, kind, object).await, here)), facts)
        }
        None => (None, Vec::new()),
    };
    let once = match posted.map(|posted| posted.text(ONCE)).filter(|once| !once.is_empty() && refused.is_none()) {
        Some(once) => once.to_owned(),
        None => fresh_key(console),
    };
    let title = object.as_ref().map_or_else(|| action.label.to_owned(), |(name, _)| format!("{}: {name}", action.label));
    let mut frame = visit.frame(title);
    frame.notice = refused.map(Notice::refused);
    let button = if action.name == "edit" { "Save" } else { action.label }.to_owned();
    let back = object.as_ref().map_or_else(|| format!("{root}{}", kind.path), |(_, here)| here.clone());
    let tag = target.object.as_ref().and_then(|answer| answer.tag.clone()).unwrap_or_default();
    let form = FormPage { frame, kind, action, object, facts, fields, once, tag, back, button };
    match refused {
        Some(refused) => logged(page(refused.status(), &form), refused),
        None => page(StatusCode::OK, &form),
    }
}

/// Sends the request of an action, and leads to what came of it.
async fn carry_out(console: &Console, visit: &Visit, target: &Target, posted: &Posted) -> Response {
    let (kind, action, root) = (target.kind, target.action, visit.place.root.as_str());
    let mut body = posted.body(&target.inputs(visit), target.changed());
    body.extend(action.sends.iter().map(|(name, value)| ((*name).to_owned(), Value::Bool(*value))));
    let id = target.present().map(|object| object["id"].to_string());
    let path = action.path.replace("{id}", id.as_deref().unwrap_or_default());
    let filled = |name: &str| Some(posted.text(name).to_owned()).filter(|text| !text.is_empty());
    let (once, tag) = (filled(ONCE), filled(TAG));
    let guards = Guards {
        idempotency_key: once.as_deref().filter(|_| action.method == "POST"),
        tag: tag.as_deref().filter(|_| action.name == "edit"),
    };
    let body = (action.method != "DELETE").then_some(Value::Object(body));
    let answer = match visit.api.send(action.method, &path, body.as_ref(), guards).await {
        Ok(answer) => answer.body,
        Err(refused) => return form(console, visit, target, Some(posted), Some(&refused)).await,
    };
    let object = id.or_else(|| Some(answer["id"].as_i64()?.to_string()));
    let object =
        object.filter(|_| action.name != "delete").map_or_else(|| kind.path.to_owned(), |id| format!("{}/{id}", kind.path));
    if let Some(shown) = answer["secret"].as_str() {
        let text = "This is the secret that signs what is sent, as Standard Webhooks says. It is shown only here: put it where the receiver finds it.";
        return secret(visit, action.done, text, shown, format!("{root}{object}"));
    }
    see_other(&format!("{root}{object}?done={}", action.name))
}

/// A key under which a form does what it does only once.
fn fresh_key(console: &Console) -> String {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => hex::encode(bytes),
        Err(_) => console.app.engine.now().timestamp_micros().to_string(),
    }
}
