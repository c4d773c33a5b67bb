use std::borrow::Cow;

use lease_core::page::{Cursor, MAX_LIMIT, Page};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Listing<T> {
    /// Path and query of the page that follows in the list; `None` on the last page.
    pub next: Option<String>,
    /// Path and query of the page that precedes in the list; `None` on the first page.
    pub previous: Option<String>,
    /// The rows, newest first unless the operation says otherwise.
    pub results: Vec<T>,
}

impl<T> Listing<T> {
    /// A page that the engine has read. `link` gives the path and query of the page at a cursor, and `view` shows a row.
    pub fn new<R>(page: Page<R>, link: impl Fn(Cursor) -> String, view: impl FnMut(R) -> T) -> Self {
        Self {
            next: page.next.map(&link),
            previous: page.previous.map(&link),
            results: page.items.into_iter().map(view).collect(),
        }
    }
}

impl<T: ToSchema> PartialSchema for Listing<T> {
    fn schema() -> RefOr<Schema> {
        let link = |description: &str| {
            let types = SchemaType::Array(vec![Type::String, Type::Null]);
            ObjectBuilder::new().schema_type(types).description(Some(description)).examples([Value::Null])
        };
        let rows = ArrayBuilder::new()
            .items(Ref::from_schema_name(T::name()))
            .max_items(Some(MAX_LIMIT.into()))
            .description(Some("The rows, newest first unless the operation says otherwise."));
        ObjectBuilder::new()
            .description(Some("A page of a list."))
            .property("next", link("Path and query of the page that follows in the list; null on the last page."))
            .property("previous", link("Path and query of the page that precedes in the list; null on the first page."))
            .property("results", rows)
            .required("next")
            .required("previous")
            .required("results")
            .into()
    }
}

/// The page is named after its rows: `TradePage`.
impl<T: ToSchema> ToSchema for Listing<T> {
    fn name() -> Cow<'static, str> {
        format!("{}Page", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}
