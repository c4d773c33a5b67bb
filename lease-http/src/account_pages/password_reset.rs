//! The page that sets a new password (rule 9.3).

use askama::Template;
use axum::extract::{OriginalUri, Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use lease_core::Error;
use lease_core::account::PasswordConfirmationDraft;
use lease_core::input::{FieldErrors, Invalid};
use utoipa_axum::router::OpenApiRouter;

use super::{Fields, Frame, bad_link, failed, invalid, message, not_allowed, page, problem, read};
use crate::auth::Unauthenticated;
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().route("/password-reset", get(show_password_reset).post(reset_password).fallback(not_allowed))
}

/// The form for a new password.
#[derive(Template)]
#[template(path = "account_pages/password_reset.html")]
struct PasswordForm<'a> {
    frame: Frame<'a>,
    token: &'a str,
    fields: [PasswordField<'a>; 2],
}

struct PasswordField<'a> {
    name: &'static str,
    label: &'static str,
    errors: &'a [Invalid],
}

impl<'a> PasswordForm<'a> {
    fn new(state: &'a AppState, uri: &Uri, token: &'a str, errors: &'a FieldErrors) -> Self {
        let field = |name, label| PasswordField { name, label, errors: errors.of(name) };
        Self {
            frame: Frame::new(state, "Set a new password", uri),
            token,
            fields: [field("password", "New password"), field("password2", "New password again")],
        }
    }
}

async fn show_password_reset(State(state): State<AppState>, OriginalUri(uri): OriginalUri) -> Response {
    let token = Fields::of_query(&uri).secret("token");
    match read(&token) {
        Some(token) => page(StatusCode::OK, &PasswordForm::new(&state, &uri, token, &FieldErrors::default())),
        None => bad_link(&state, &uri),
    }
}

async fn reset_password(
    State(state): State<AppState>,
    OriginalUri(uri): OriginalUri,
    nobody: Unauthenticated,
    request: Request,
) -> Response {
    let fields = match Fields::of_body(&request) {
        Ok(fields) => fields,
        Err(error) => return problem(&state, &uri, &error),
    };
    let draft = PasswordConfirmationDraft {
        token: fields.secret("token"),
        password: fields.secret("password"),
        password2: fields.secret("password2"),
    };
    match (state.engine.confirm_password_reset(&nobody, &draft).await, read(&draft.token)) {
        (Ok(()), _) => {
            let sentences = ["You can log in with it now.", "All devices that were logged in to your account were logged out."];
            message(&state, &uri, StatusCode::OK, "Your password is set", &sentences)
        }
        (Err(Error::Invalid(errors)), Some(token)) if errors.of("token").is_empty() => {
            invalid(page(StatusCode::BAD_REQUEST, &PasswordForm::new(&state, &uri, token, &errors)))
        }
        (Err(error), _) => failed(&state, &uri, error),
    }
}
