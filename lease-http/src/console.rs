//! The staff console (chapter 10): pages for staff and superusers, made by the server. They need no scripts, and nothing from
//! elsewhere.
//!
//! The console is a reader of the API within the same process. It asks with the rights of whoever is logged in, and has no rules, no
//! filters and no checks of its own: [`description`] takes the inputs from the description of the API, and [`kinds`] says what is
//! shown of each kind of object.

mod action;
mod api;
mod assets;
mod csv;
mod description;
mod facts;
mod form;
mod home;
mod kinds;
mod list;
mod lookup;
mod names;
mod object;
mod page;
mod place;
mod plot;
mod session;
mod value;
mod visit;
mod words;

use axum::Router;
use axum::routing::{get, post};

use crate::state::AppState;

/// What the pages are made of.
#[derive(Clone, Debug)]
struct Console {
    app: AppState,
    /// The API, without the layers around it: the request for a page has passed them already.
    api: Router,
}

/// The pages of the console, which ask this API.
pub(crate) fn router(app: AppState, api: Router) -> Router {
    Router::new()
        .route("/console", get(home::show))
        .route("/console/login", get(session::show_login).post(session::log_in))
        .route("/console/logout", post(session::log_out))
        .route("/console/assets/{file}", get(assets::file))
        .route("/console/{kind}", get(list::show))
        .route("/console/{kind}/csv", get(csv::export))
        .route("/console/{kind}/new", get(action::show_new).post(action::create))
        .route("/console/{kind}/{id}", get(object::show))
        .route("/console/{kind}/{id}/{action}", get(action::show).post(action::act))
        .with_state(Console { app, api })
}
