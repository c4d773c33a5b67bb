//! Lists (rule 6.5): filters, pages, and the links to the neighbouring pages. The parameters of a filter are declared once, in
//! [`Filter::read`]: the same calls read a request and describe it in the document.

use std::borrow::Cow;
use std::convert::Infallible;
use std::str::FromStr;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use form_urlencoded::Serializer;
use lease_core::id::Id;
use lease_core::input::{Field, FromScalar as _, Invalid, Scalar, choice};
use lease_core::model::{ChassisNumber, ExternalId, Role, Vin};
use lease_core::money::{Currency, check_amount};
use lease_core::openapi;
use lease_core::page::{Cursor, DEFAULT_LIMIT, MAX_LIMIT, Page, PageRequest};
use lease_core::permission::{Act, Actor, Resource};
use lease_core::text::{EXTERNAL_ID_MAX, NAME_MAX, Search, TITLE_MAX, check_line, comparison_key};
use percent_encoding::percent_decode;
use rust_decimal::Decimal;
use strum::VariantArray;
use utoipa::ToSchema;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{Ref, RefOr, Required, Schema};

use crate::problem::{Messages, Problem};
use crate::views::Listing;

/// The filter of a list.
pub(crate) trait Filter: Sized {
    /// The kind of the rows.
    const RESOURCE: Resource;
    /// Whether the list can be sorted by price, so that its cursors may name one.
    const HAS_PRICES: bool = false;

    /// Reads the filter, each parameter by its name.
    fn read(params: &mut Params) -> Self;
}

/// The query of a list.
#[derive(Debug)]
pub(crate) struct List<F> {
    filter: F,
    page: PageRequest,
    errors: Messages,
    /// The names of the parameters that were given and are known to administrative users alone.
    reserved: Vec<String>,
    links: Links,
}

impl<F: Filter> List<F> {
    /// The filter and the requested page, and the links that the response needs.
    ///
    /// # Errors
    /// 401 or 403 if the actor may read no rows of the kind; 400 if a parameter is wrong.
    pub(crate) fn for_reader(mut self, actor: &Actor) -> Result<(F, PageRequest, Links), Problem> {
        actor.require(F::RESOURCE, Act::Read)?;
        if !actor.role().is_some_and(Role::is_staff) {
            self.errors.extend(self.reserved.into_iter().map(unknown));
        }
        if self.errors.is_empty() { Ok((self.filter, self.page, self.links)) } else { Err(Problem::invalid(self.errors)) }
    }
}

/// The path and the parameters of a list, from which the links to other pages are made.
#[derive(Debug)]
pub(crate) struct Links {
    path: String,
    pairs: Vec<(String, String)>,
}

impl Links {
    /// The response with this page.
    pub(crate) fn respond<T, V>(&self, page: Page<T>, view: impl FnMut(T) -> V) -> axum::Json<Listing<V>> {
        axum::Json(Listing::new(page, |cursor| self.link(cursor), view))
    }

    fn link(&self, cursor: Cursor) -> String {
        let kept = self.pairs.iter().filter(|(name, _)| name != CURSOR);
        let query = Serializer::new(String::new()).extend_pairs(kept).append_pair(CURSOR, &cursor.encode()).finish();
        format!("{}?{query}", self.path)
    }
}

const CURSOR: &str = "cursor";

impl<F: Filter, S: Send + Sync> FromRequestParts<S> for List<F> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = match OriginalUri::from_request_parts(parts, state).await {
            Ok(OriginalUri(uri)) => uri.path().to_owned(),
            Err(never) => match never {},
        };
        let mut params = Params::parse(parts.uri.query().unwrap_or_default());
        let page = params.page(F::HAS_PRICES);
        let filter = F::read(&mut params);
        params.refuse_unknown();
        let reserved = params.reserved();
        let Params { pairs, errors, .. } = params;
        Ok(Self { filter, page, errors, reserved, links: Links { path, pairs } })
    }
}

/// The query of an endpoint that has the filter of a list, and no pages.
#[derive(Debug)]
pub(crate) struct Filtered<F>(Result<F, Messages>);

impl<F: Filter> Filtered<F> {
    /// The filter.
    ///
    /// # Errors
    /// 401 or 403 if the actor may read no rows of the kind; 400 if a parameter is wrong.
    pub(crate) fn for_reader(self, actor: &Actor) -> Result<F, Problem> {
        actor.require(F::RESOURCE, Act::Read)?;
        self.0.map_err(Problem::invalid)
    }
}

impl<F: Filter, S: Send + Sync> FromRequestParts<S> for Filtered<F> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let mut params = Params::parse(parts.uri.query().unwrap_or_default());
        let filter = F::read(&mut params);
        params.refuse_unknown();
        Ok(Self(if params.errors.is_empty() { Ok(filter) } else { Err(params.errors) }))
    }
}

impl<F: Filter> utoipa::IntoParams for Filtered<F> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut params = Params::default();
        F::read(&mut params);
        params.known
    }
}

impl<F: Filter> utoipa::IntoParams for List<F> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut params = Params::default();
        params.page(F::HAS_PRICES);
        F::read(&mut params);
        params.known
    }
}

/// Reads the parameters of a query.
#[derive(Debug, Default)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
    /// The names of the parameters that have no value: they count as absent, if they are known at all.
    empty: Vec<String>,
    known: Vec<Parameter>,
    /// The name of one of those, if administrative users alone know it.
    reserved: Option<&'static str>,
    errors: Messages,
}

impl Params {
    fn parse(query: &str) -> Self {
        let mut params = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decode(name), decode(value)) {
                (Some(name), Some(value)) => match value.trim() {
                    // A form sends the fields that nobody filled in too.
                    "" => params.empty.push(name),
                    value => params.pairs.push((name, value.to_owned())),
                },
                (name, _) => params.wrong(&name.unwrap_or_else(|| name_of_garbage(pair)), "The value is not valid UTF-8."),
            }
        }
        params
    }

    /// An id.
    pub(crate) fn id<T: Id>(&mut self, name: &str, description: &str) -> Option<T> {
        self.read(name, description, reference::<openapi::Id>(), |text| {
            whole(text).and_then(T::new).ok_or("A positive whole number is required.".to_owned())
        })
    }

    /// One of the names of an enumeration.
    pub(crate) fn choice<T>(&mut self, name: &str, description: &str) -> Option<T>
    where
        T: VariantArray + Copy + Into<&'static str> + FromStr + ToSchema,
    {
        self.read(name, description, reference::<T>(), choice)
    }

    /// True or false.
    pub(crate) fn flag(&mut self, name: &str, description: &str) -> Option<bool> {
        let schema = ObjectBuilder::new().schema_type(Type::Boolean);
        self.read(name, description, schema, |text| bool::from_scalar(Scalar::Text(text.to_ascii_lowercase())))
    }

    /// The id after which a list that goes forward begins, or 0 for its very beginning.
    pub(crate) fn start(&mut self, name: &str, description: &str) -> Option<i64> {
        self.read(name, description, from_zero(), parse_start)
    }

    /// An instant.
    pub(crate) fn instant(&mut self, name: &str, description: &str) -> Option<DateTime<Utc>> {
        let schema = reference::<openapi::InstantInput>();
        self.read(name, description, schema, |text| DateTime::from_scalar(Scalar::Text(text.to_owned())))
    }

    /// Any number of values: the parameter is repeated, or has several between commas. `parse` finds what a value stands for.
    pub(crate) fn several<T, K: ToSchema>(
        &mut self,
        name: &str,
        description: &str,
        parse: impl Fn(&str) -> Result<Vec<T>, String>,
    ) -> Vec<T> {
        self.declare(name, description, ArrayBuilder::new().items(reference::<K>()).min_items(Some(1)));
        let given = self.pairs.iter().filter(|(other, _)| other == name).flat_map(|(_, values)| values.split(','));
        let found: Result<Vec<Vec<T>>, String> = given.map(parse).collect();
        let found = found.map_err(|message| self.wrong(name, &message));
        found.into_iter().flatten().flatten().collect()
    }

    /// Refuses the query if it does not have this parameter.
    pub(crate) fn require(&mut self, name: &str) {
        if self.pairs.iter().all(|(other, _)| other != name) {
            self.wrong(name, "This parameter is required here.");
        }
    }

    /// A model year.
    pub(crate) fn year(&mut self, name: &str, description: &str) -> Option<i32> {
        let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(9_999)).examples([2024]);
        self.read(name, description, schema, |text| {
            let year = whole(text).and_then(|year| i32::try_from(year).ok()).filter(|year| (0..=9_999).contains(year));
            year.ok_or("A year of at most four digits is required.".to_owned())
        })
    }

    /// An odometer reading.
    pub(crate) fn mileage(&mut self, name: &str, description: &str) -> Option<i64> {
        self.read(name, description, from_zero(), |text| {
            whole(text).filter(|mileage| *mileage >= 0).ok_or("A whole number that is not negative is required.".to_owned())
        })
    }

    /// An amount of money.
    pub(crate) fn amount(&mut self, name: &str, description: &str) -> Option<Decimal> {
        let schema = reference::<openapi::AmountInput>();
        self.read(name, description, schema, |text| {
            let amount = Decimal::from_scalar(Scalar::Text(text.to_owned()))?;
            Ok::<_, Invalid>(check_amount(amount)?)
        })
    }

    /// A currency.
    pub(crate) fn currency(&mut self, name: &str, description: &str) -> Option<Currency> {
        self.read(name, description, reference::<openapi::GivenCurrency>(), |text| {
            Currency::from_stored(text).ok_or("A three-letter currency code of ISO 4217 is required.".to_owned())
        })
    }

    /// A name, compared without regard to case.
    pub(crate) fn key(&mut self, name: &str, description: &str) -> Option<String> {
        self.read(name, description, text_schema(NAME_MAX), |text| check_line(text, NAME_MAX).map(comparison_key))
    }

    /// A vehicle identification number.
    pub(crate) fn vin(&mut self, name: &str, description: &str) -> Option<Vin> {
        self.read(name, description, reference::<openapi::VinInput>(), Vin::parse)
    }

    /// A chassis number.
    pub(crate) fn chassis_number(&mut self, name: &str, description: &str) -> Option<ChassisNumber> {
        self.read(name, description, reference::<openapi::ChassisNumberInput>(), ChassisNumber::parse)
    }

    /// What another system calls the object; the parameter is called `external_id`, and is an unknown one to customers.
    pub(crate) fn external_id(&mut self) -> Option<ExternalId> {
        const NAME: &str = "external_id";
        self.reserved = Some(NAME);
        let description = "Only the one with this external id. For administrative users.";
        // The page `/docs` reads patterns of parameters as a script without Unicode does, so that of a body would be an error there.
        self.read(NAME, description, text_schema(EXTERNAL_ID_MAX).min_length(Some(1)), ExternalId::parse)
    }

    /// Words to search for; the parameter is called `search`.
    pub(crate) fn search(&mut self, description: &str) -> Option<Search> {
        self.read("search", description, text_schema(TITLE_MAX), |text| check_line(text, TITLE_MAX).map(Search::new))
    }

    fn page(&mut self, has_prices: bool) -> PageRequest {
        let range = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(MAX_LIMIT))
            .default(Some(DEFAULT_LIMIT.into()));
        let limit = self.read("limit", "The maximum number of rows on the page.", range, |text| {
            let limit = whole(text).and_then(|limit| u8::try_from(limit).ok());
            limit.filter(|limit| (1..=MAX_LIMIT).contains(limit)).ok_or(format!("A number from 1 to {MAX_LIMIT} is required."))
        });
        let cursor = self.read(
            CURSOR,
            "The position of the page, taken from `next` or `previous` of another page.",
            ObjectBuilder::new()
                .schema_type(Type::String)
                .pattern(Some(if has_prices { Cursor::PRICED_PATTERN } else { Cursor::PATTERN }))
                .examples([Cursor::After(42.into()).encode()]),
            |text| {
                let cursor = Cursor::decode(text).filter(|cursor| has_prices || cursor.place().price.is_none());
                cursor.ok_or("The cursor is not valid.".to_owned())
            },
        );
        PageRequest::new(limit.unwrap_or(DEFAULT_LIMIT), cursor).unwrap_or_default()
    }

    fn read<T, E: ToString>(
        &mut self,
        name: &str,
        description: &str,
        schema: impl Into<RefOr<Schema>>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.declare(name, description, schema);
        let mut values = self.pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str());
        let outcome = match (values.next(), values.next()) {
            (None, _) => return None,
            (Some(value), None) => parse(value).map_err(|error| error.to_string()),
            (Some(_), Some(_)) => Err("The parameter is given more than once.".to_owned()),
        };
        outcome.map_err(|message| self.wrong(name, &message)).ok()
    }

    fn declare(&mut self, name: &str, description: &str, schema: impl Into<RefOr<Schema>>) {
        let mut parameter = Parameter::new(name);
        parameter.parameter_in = ParameterIn::Query;
        parameter.required = Required::False;
        parameter.description = Some(description.to_owned());
        parameter.schema = Some(schema.into());
        self.known.push(parameter);
    }

    fn refuse_unknown(&mut self) {
        let is_known = |name: &str| self.known.iter().any(|parameter| parameter.name == name);
        let names = self.pairs.iter().map(|(name, _)| name).chain(&self.empty);
        let unknown: Vec<String> = names.filter(|name| !is_known(name)).cloned().collect();
        self.errors.extend(unknown.into_iter().map(self::unknown));
    }

    /// The names of the parameters that were given and are known to administrative users alone.
    fn reserved(&self) -> Vec<String> {
        let given = self.pairs.iter().map(|(name, _)| name).chain(&self.empty);
        given.filter(|name| Some(name.as_str()) == self.reserved).cloned().collect()
    }

    fn wrong(&mut self, name: &str, message: &str) {
        self.errors.entry(name.to_owned()).or_default().push(message.to_owned());
    }
}

/// The message on a parameter that there is not.
fn unknown(name: String) -> (String, Vec<String>) {
    (name, vec!["There is no such parameter.".to_owned()])
}

/// The schema of a whole number that is not negative.
fn from_zero() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0))
        .maximum(Some(i64::MAX))
}

/// Parses an id after which something begins, or 0.
///
/// # Errors
/// The message for anything else.
pub(crate) fn parse_start(text: &str) -> Result<i64, String> {
    whole(text).filter(|start| *start >= 0).ok_or("An id is required, or 0 for the beginning.".to_owned())
}

/// A whole number, as it may be written in a body: `5` or `5.0`.
fn whole(text: &str) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    serde_json::from_str::<Field<i64>>(text).ok()?.given().copied()
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode(spaced.as_bytes()).decode_utf8().ok().map(Cow::into_owned)
}

/// The undecoded name, for one that is not valid UTF-8.
fn name_of_garbage(pair: &str) -> String {
    pair.split('=').next().unwrap_or_default().to_owned()
}

fn reference<T: ToSchema>() -> Ref {
    Ref::from_schema_name(T::name())
}

fn text_schema(max: usize) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).max_length(Some(max)).pattern(Some(openapi::LINE))
}
