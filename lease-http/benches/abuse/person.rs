//! What people send to register and to log in.

use serde_json::{Value, json};

/// The password of everybody who has a usual one.
pub(crate) const PASSWORD: &str = "a horse of another colour";

/// The body of a registration that is right.
pub(crate) fn registration(name: &str, password: &str) -> Value {
    json!({"username": name, "email": format!("{name}@example.com"), "first_name": "Ann", "last_name": "Example",
           "password": password, "password2": password})
}

/// The body of a login with the usual password.
pub(crate) fn login(name: &str) -> Value {
    json!({"username": name, "password": PASSWORD})
}
