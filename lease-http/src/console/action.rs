//! What can be done (rules 10.3, 10.4): a form, or a page that asks for a confirmation and a reason; and the request that is then sent
//! to the API.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use lease_core::permission::{Act, Grant, Resource};
use serde_json::{Map, Value};

use super::Console;
use super::api::{Answer, Guards, Refusal};
use super::description::{self, Input};
use super::form::{self, Control, ONCE, Posted, TAG};
use super::kinds::{self, Action, Kind};
use super::lookup;
use super::names;
use super::object::{parse_id, read};
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
    /// The list that it is in.
    list: String,
    /// What it is done with, and where that is.
    object: Option<(String, String)>,
    facts: Vec<Labelled>,
    fields: Fields,
    once: String,
    tag: String,
    shown: String,
    back: String,
    button: &'static str,
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

    /// The number of the object that is there.
    fn id(&self) -> Option<i64> {
        self.present()?["id"].as_i64()
    }

    /// What the form begins with: the object that it changes, or else what the link to it says, such as whose contact is made.
    fn prefilled(&self, visit: &Visit) -> Option<Value> {
        let given = || visit.place.parameters().map(|(name, value)| (name, Value::String(value))).collect::<Map<_, _>>();
        let given = || Some(given()).filter(|given| self.object.is_none() && !given.is_empty()).map(Value::Object);
        self.changed().cloned().or_else(given)
    }

    /// The inputs that this visitor may fill in.
    fn inputs(&self, visit: &Visit) -> Vec<Input> {
        let grants_roles = visit.actor.grant(Resource::User, Act::GrantRoles) == Grant::All;
        let is_role = |name: &str| ["is_staff", "is_superuser"].contains(&name);
        let mut inputs = description::fields(self.action.method, self.action.path, self.action.fields);
        inputs.retain(|input| grants_roles || !is_role(&input.name));
        let needs_reason = self.present().is_some_and(self.action.needs_reason);
        inputs.iter_mut().filter(|input| input.name == "reason").for_each(|input| input.is_required |= needs_reason);
        inputs
    }

    /// What is said where a reason is missing that the console asks for.
    fn missing_reason(&self, posted: &Posted) -> Option<(String, Vec<String>)> {
        let is_missing = self.present().is_some_and(self.action.needs_reason) && posted.text("reason").trim().is_empty();
        is_missing.then(|| ("reason".to_owned(), vec!["Say why. The history shows it.".to_owned()]))
    }

    /// The body of the request.
    fn body(&self, inputs: &[Input], posted: &Posted) -> Map<String, Value> {
        let sent = self.action.sends.iter().map(|(name, value)| ((*name).to_owned(), Value::Bool(*value)));
        posted.body(inputs, self.changed().is_some()).into_iter().chain(sent).collect()
    }
}

/// Shows the form that makes an object.
pub(super) async fn show_new(State(console): State<Console>, visit: Visit, Path(path): Path<String>) -> Response {
    match creation(&visit, &path) {
        Ok(target) => form(&console, &visit, &target, None).await,
        Err(response) => *response,
    }
}

/// Makes an object.
pub(super) async fn create(State(console): State<Console>, visit: Visit, Path(path): Path<String>, posted: Posted) -> Response {
    if let Err(refused) = posted.require_own(&visit) {
        return *refused;
    }
    match creation(&visit, &path) {
        Ok(target) => carry_out(&console, &visit, target, posted).await,
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
        Ok(target) => form(&console, &visit, &target, None).await,
        Err(response) => *response,
    }
}

/// Carries out an action.
pub(super) async fn act(
    State(console): State<Console>,
    visit: Visit,
    Path((path, id, name)): Path<(String, String, String)>,
    posted: Posted,
) -> Response {
    if let Err(refused) = posted.require_own(&visit) {
        return *refused;
    }
    match target(&visit, &path, &id, &name).await {
        Ok(target) => carry_out(&console, &visit, target, posted).await,
        // A form that is sent twice has deleted it the first time.
        Err(gone) if name == "delete" && gone.status() == StatusCode::NOT_FOUND && kinds::by_path(&path).is_some() => {
            see_other(&visit.said_at(&path, &name))
        }
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
async fn form(console: &Console, visit: &Visit, target: &Target, sent: Option<(&Posted, &Refusal)>) -> Response {
    let (kind, action) = (target.kind, target.action);
    let is_offered = (action.offered)(&visit.actor, target.present().unwrap_or(&Value::Null));
    if !is_offered && sent.is_none() {
        return message(visit, StatusCode::FORBIDDEN, action.label, "You cannot do this, or not in the state that it is in now.");
    }
    let root = visit.place.root.as_str();
    let (posted, refused) = sent.unzip();
    let none = BTreeMap::new();
    let errors = refused.map_or(&none, |refused| &refused.errors);
    let inputs = target.inputs(visit);
    let (object, facts) = match target.present() {
        Some(object) => {
            let (name, facts) = facts(visit, target, object).await;
            (Some((name, format!("{root}{}/{}", kind.path, object["id"]))), facts)
        }
        None => (None, Vec::new()),
    };
    let title = object.as_ref().map_or_else(|| action.label.to_owned(), |(name, _)| format!("{}: {name}", action.label));
    let mut frame = visit.frame(title);
    frame.notice = refused.map(Notice::refused);
    let list = format!("{root}{}", kinds::list_of(kind, target.present().unwrap_or(&Value::Null)));
    let page_of = FormPage {
        kind,
        action,
        facts,
        fields: form::fields(&inputs, posted, target.prefilled(visit).as_ref(), errors),
        once: once(console, sent),
        tag: target.object.as_ref().and_then(|answer| answer.tag.clone()).unwrap_or_default(),
        shown: target.changed().map(|object| form::shown(&inputs, object)).unwrap_or_default(),
        back: object.as_ref().map_or_else(|| list.clone(), |(_, here)| here.clone()),
        list,
        button: action.button(),
        object,
        frame,
    };
    match refused {
        Some(refused) => logged(page(refused.status(), &page_of), refused),
        None => page(StatusCode::OK, &page_of),
    }
}

/// What the object of an act is called, and what the act is about, for whoever is to confirm it.
async fn facts(visit: &Visit, target: &Target, object: &Value) -> (String, Vec<Labelled>) {
    let kind = target.kind;
    let fields = match target.action {
        Action { is_grave: false, .. } => &[],
        Action { facts: [], .. } => kind.columns,
        Action { facts, .. } => facts,
    };
    let names = names::of(&visit.api, kind, std::slice::from_ref(object), fields).await;
    let showing = Showing { root: &visit.place.root, names: &names };
    let facts = fields.iter().map(|field| (label(field), showing.field(object, field)));
    (names::own(kind, object, &names), facts.collect())
}

/// The key of a form: another one, unless it is not known what came of the first.
fn once(console: &Console, sent: Option<(&Posted, &Refusal)>) -> String {
    match sent {
        Some((posted, refused)) if refused.is_open() => posted.text(ONCE).to_owned(),
        _ => fresh_key(console),
    }
}

/// Sends the request of an action, and leads to what came of it.
async fn carry_out(console: &Console, visit: &Visit, mut target: Target, mut posted: Posted) -> Response {
    let inputs = target.inputs(visit);
    let mut wrong = lookup::resolve(&visit.api, posted.fields_mut()).await;
    wrong.extend(target.missing_reason(&posted));
    if !wrong.is_empty() {
        return form(console, visit, &target, Some((&posted, &Refusal::invalid(wrong)))).await;
    }
    let body = target.body(&inputs, &posted);
    match send(visit, &target, &posted, &body).await {
        Ok(answer) => done(visit, &target, &answer),
        Err(refused) if refused.code == "precondition_failed" => {
            if let Some(id) = target.id()
                && let Ok(object) = read(&visit.api, target.kind, id).await
            {
                let is_done = body.iter().all(|(field, value)| object.body[field] == *value);
                target.object = Some(object);
                // A form that is sent twice has changed it the first time.
                if is_done && !body.is_empty() {
                    return see_other(&visit.said_at(&format!("{}/{id}", target.kind.path), target.action.name));
                }
            }
            form(console, visit, &target, Some((&posted, &refused))).await
        }
        Err(refused) => form(console, visit, &target, Some((&posted, &refused))).await,
    }
}

async fn send(visit: &Visit, target: &Target, posted: &Posted, body: &Map<String, Value>) -> Result<Value, Refusal> {
    let action = target.action;
    let path = action.path.replace("{id}", &target.id().unwrap_or_default().to_string());
    let filled = |name: &str| Some(posted.text(name)).filter(|text| !text.is_empty());
    let guards = Guards {
        idempotency_key: filled(ONCE).filter(|_| action.method == "POST"),
        tag: filled(TAG).filter(|_| action.method == "PATCH"),
    };
    let body = (action.method != "DELETE").then(|| Value::Object(body.clone()));
    Ok(visit.api.send(action.method, &path, body.as_ref(), guards).await?.body)
}

/// Leads to what came of an action.
fn done(visit: &Visit, target: &Target, answer: &Value) -> Response {
    let (kind, action) = (target.kind, target.action);
    let made = answer["id"].as_i64();
    let (list, id) = match action.makes {
        Some(list) => (list, made),
        None => (kind.path, target.id().or(made)),
    };
    let object = id.filter(|_| action.name != "delete").map_or_else(|| list.to_owned(), |id| format!("{list}/{id}"));
    if let Some(shown) = answer["secret"].as_str() {
        let text = "This is the secret that signs what is sent, as Standard Webhooks says. It is not shown on any other page: put it where the receiver finds it.";
        return secret(visit, action.done, text, shown, format!("{}{object}", visit.place.root));
    }
    see_other(&visit.said_at(&object, action.name))
}

/// A key under which a form does what it does only once.
fn fresh_key(console: &Console) -> String {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => hex::encode(bytes),
        Err(_) => console.app.engine.now().timestamp_micros().to_string(),
    }
}
