//! Credit cards (rule 5.6): how they are checked, stored and deleted, and which one is the default.

mod changes;

pub use changes::{CardChange, DefaultCard, RefusedCard, Wallet, WalletChange};

use chrono::{DateTime, NaiveDate, Utc};
use secrecy::{ExposeSecret, SecretString};

use crate::decision::Decision;
use crate::error::Error;
use crate::event::{Audience, Event, EventType, IdRef, NewRow};
use crate::gateway::{CardDetails, CardNumber, CardToken, GatewayInfo, TokenizedCard, parse_cvc};
use crate::id::{CreditCardId, Stored, Versioned};
use crate::input::{Field, FieldErrors, Form, Invalid, UpdateMode, as_given, draft};
use crate::model::limits::{EXPIRY_YEARS, MAX_HOLDER_DIGITS, MONTHS};
use crate::model::{CardBrand, CreditCard, is_card_expired};
use crate::permission::{Act, Actor, Resource};
use crate::text;

draft! {
    /// The fields for storing or updating a credit card.
    pub struct CardDraft as NewCreditCardInput {
        /// The card number. It is passed to the gateway and never stored; it cannot be changed.
        pub number: Field<SecretString> as required CardNumberInput,
        /// The month at the end of which the card expires.
        pub exp_month: Field<i64> as required Month,
        /// The year in which the card expires: this year or later.
        pub exp_year: Field<i64> as required ExpiryYear,
        /// The security code. It is passed to the gateway and never stored; it cannot be changed.
        pub cvc: Field<SecretString> as nullable SecurityCode like "123",
        /// The name on the card.
        pub holder_name: Field<String> as required HolderName,
        /// Whether to make this the default card. A customer's first card always is.
        pub is_default: Field<bool> as nullable Flag,
    }
}

draft! {
    /// The fields for storing a card that was entered in the browser, with a gateway that takes no card numbers.
    pub struct EnteredCardDraft as EnteredCreditCardInput {
        /// The provider's name for the card.
        pub payment_method: Field<String> as required PaymentMethod,
        /// Never given here: a number belongs to the provider alone.
        pub number: Field<SecretString> as nullable Nothing,
        /// Whether to make this the default card. A customer's first card always is.
        pub is_default: Field<bool> as nullable Flag,
    }
}

/// A card whose fields are valid, to be passed to the gateway.
#[derive(Clone, Debug)]
pub struct CheckedCard {
    /// The details for the gateway.
    pub details: CardDetails,
    /// Whether it is to be the default.
    pub wants_default: bool,
}

impl CheckedCard {
    /// What is kept of the card, with the gateway's token.
    #[must_use]
    pub fn tokenized(&self, token: CardToken) -> TokenizedCard {
        let CardDetails { number, exp_month, exp_year, holder_name, .. } = &self.details;
        TokenizedCard {
            token,
            brand: number.brand(),
            last4: number.last4(),
            exp_month: *exp_month,
            exp_year: *exp_year,
            holder_name: holder_name.clone(),
        }
    }
}

/// A card that was entered in the browser, as the request names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCard {
    /// The provider's name for the card.
    pub payment_method: String,
    /// Whether it is to be the default.
    pub wants_default: bool,
}

/// Checks what a provider, or an app, says of a card.
///
/// # Errors
/// Invalid fields: `last4` that is not four digits, an expiry that is none or has passed.
pub fn check_tokenized(card: &TokenizedCard, today: NaiveDate) -> Result<(), Error> {
    let mut errors = FieldErrors::default();
    if card.last4.len() != 4 || !card.last4.bytes().all(|byte| byte.is_ascii_digit()) {
        errors.add("last4", Invalid::NotFourDigits);
    }
    if !MONTHS.contains(&card.exp_month) || !EXPIRY_YEARS.contains(&card.exp_year) {
        errors.add("exp_year", Invalid::NotAnExpiry);
    } else if is_card_expired(card.exp_month, card.exp_year, today) {
        errors.add("exp_year", Invalid::CardExpired);
    }
    if errors.is_empty() { Ok(()) } else { Err(errors.into()) }
}

/// Checks a new card that was entered in the browser.
///
/// # Errors
/// [`Error::PermissionDenied`]; invalid fields, such as a number.
pub fn check_entered_card(actor: &Actor, draft: &EnteredCardDraft) -> Result<NamedCard, Error> {
    actor.require_customer(Resource::CreditCard, Act::Create)?;
    let mut form = Form::new(UpdateMode::Full);
    let payment_method = form.required("payment_method", &draft.payment_method, None, |name| text::name(name));
    if !matches!(draft.number, Field::Missing) {
        form.errors.add("number", Invalid::CardNumberNotTaken);
    }
    let wants_default = form.optional("is_default", &draft.is_default, None, false, as_given);
    let (Some(payment_method), Some(wants_default)) = (payment_method, wants_default) else { return Err(form.errors.into()) };
    form.finish()?;
    Ok(NamedCard { payment_method, wants_default })
}

/// Checks a new card.
///
/// # Errors
/// [`Error::PermissionDenied`]; invalid fields, such as a number if the gateway takes none.
pub fn check_card(actor: &Actor, draft: &CardDraft, gateway: &GatewayInfo, today: NaiveDate) -> Result<CheckedCard, Error> {
    actor.require_customer(Resource::CreditCard, Act::Create)?;
    if !gateway.takes_card_numbers {
        return Err(FieldErrors::one("number", Invalid::CardNumberNotTaken).into());
    }
    let mut form = Form::new(UpdateMode::Full);
    let number = form.required("number", &draft.number, None, |number| CardNumber::parse(number.expose_secret()));
    let brand = number.as_ref().map_or(CardBrand::Unknown, CardNumber::brand);
    let cvc = form.optional("cvc", &draft.cvc, None, None, |cvc| parse_cvc(cvc, brand).map(Some));
    let face = read_face(&mut form, draft, None, today);
    let wants_default = form.optional("is_default", &draft.is_default, None, false, as_given);
    let (Some(number), Some(cvc), Some(face), Some(wants_default)) = (number, cvc, face, wants_default) else {
        return Err(form.errors.into());
    };
    let Face { exp_month, exp_year, holder_name } = face;
    Ok(CheckedCard { details: CardDetails { number, exp_month, exp_year, cvc, holder_name }, wants_default })
}

/// Stores a card that the gateway can charge. The first card of a customer becomes the default. A holder's name that cards cannot have
/// here, such as a number, is left out.
#[must_use]
pub fn store_card(
    wallet: &Versioned<Wallet>,
    card: &TokenizedCard,
    wants_default: bool,
    now: DateTime<Utc>,
) -> Decision<WalletChange> {
    let is_default = wants_default || wallet.newest_other.is_none();
    let TokenizedCard { token, brand, last4, exp_month, exp_year, holder_name } = card.clone();
    // A name from elsewhere may be anything.
    let holder_name = self::holder_name(&holder_name).unwrap_or_default();
    let card = CreditCard {
        customer_id: wallet.customer_id,
        brand,
        last4,
        exp_month,
        exp_year,
        holder_name,
        is_default,
        token,
        created_at: now,
        deleted_at: None,
    };
    let others = if is_default { DefaultCard::Clear } else { DefaultCard::Keep };
    let added = card_event(EventType::CreditCardAdded, NewRow::CreditCard, &card).fact("is_default", is_default);
    let events = std::iter::once(added).chain(is_default.then(|| replaced_default(wallet)).flatten());
    let events: Vec<Event> = events.collect();
    Decision::new(change(wallet, CardChange::Create(card), others), events)
}

/// Changes the expiry or the holder's name, or makes the card the default. Another card becomes the default only by being made
/// so: `is_default: false` on the default card has no effect.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; invalid fields.
pub fn update_card(
    wallet: &Versioned<Wallet>,
    actor: &Actor,
    draft: &CardDraft,
    mode: UpdateMode,
    today: NaiveDate,
) -> Result<Decision<WalletChange>, Error> {
    let card = own_card(wallet, actor, Act::Update)?;
    let mut form = Form::new(mode);
    let face = read_face(&mut form, draft, Some(card), today);
    let wants_default = form.optional("is_default", &draft.is_default, Some(&card.is_default), false, as_given);
    let (Some(face), Some(wants_default)) = (face, wants_default) else { return Err(form.errors.into()) };
    let takes_over = wants_default && !card.is_default;
    let Face { exp_month, exp_year, holder_name } = face;
    let value =
        CreditCard { exp_month, exp_year, holder_name, is_default: wants_default || card.is_default, ..card.value.clone() };
    let others = if takes_over { DefaultCard::Clear } else { DefaultCard::Keep };
    let updated = card_event(EventType::CreditCardUpdated, card.id, &value).changing(&card.value, &value).if_changed();
    let events: Vec<Event> = updated.into_iter().chain(takes_over.then(|| replaced_default(wallet)).flatten()).collect();
    Ok(Decision::new(change(wallet, CardChange::Update(card.id, value), others), events))
}

/// Deletes a card: it is no longer listed, but its payments remain. If it was the default, the newest other card becomes the
/// default.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`].
pub fn delete_card(wallet: &Versioned<Wallet>, actor: &Actor, now: DateTime<Utc>) -> Result<Decision<WalletChange>, Error> {
    let card = own_card(wallet, actor, Act::Delete)?;
    let others = match wallet.newest_other {
        Some(other) if card.is_default => DefaultCard::Becomes(other),
        _ => DefaultCard::Keep,
    };
    let value = CreditCard { is_default: false, deleted_at: Some(now), ..card.value.clone() };
    let deleted = card_event(EventType::CreditCardDeleted, card.id, &value).changing(&card.value, &value);
    let heir = match others {
        DefaultCard::Becomes(other) => Some(default_changed(wallet, other, true)),
        DefaultCard::Keep | DefaultCard::Clear => None,
    };
    let events: Vec<Event> = std::iter::once(deleted).chain(heir).collect();
    Ok(Decision::new(change(wallet, CardChange::Update(card.id, value), others), events))
}

fn card_event(event_type: EventType, id: impl Into<IdRef>, card: &CreditCard) -> Event {
    Event::new(event_type, id, Audience::customer(card.customer_id))
        .id("customer_id", card.customer_id)
        .fact("brand", <&str>::from(card.brand))
        .fact("last4", card.last4.as_str())
}

/// What happens to the card that was the default until another one takes over.
fn replaced_default(wallet: &Wallet) -> Option<Event> {
    wallet.default_other.map(|other| default_changed(wallet, other, false))
}

/// What happens to another card that becomes the default, or is it no more.
fn default_changed(wallet: &Wallet, other: CreditCardId, is_default: bool) -> Event {
    Event::new(EventType::CreditCardUpdated, other, Audience::customer(wallet.customer_id))
        .id("customer_id", wallet.customer_id)
        .change("is_default", !is_default, is_default)
}

/// The snapshot's card, if the actor may see it.
///
/// # Errors
/// [`Error::NotAuthenticated`], [`Error::NotFound`].
pub fn visible_card<'a>(wallet: &'a Wallet, actor: &Actor) -> Result<&'a Stored<CreditCard>, Error> {
    actor.require_view(Resource::CreditCard, |customer| customer == wallet.customer_id)?;
    wallet.card.as_ref().ok_or(Error::NotFound)
}

/// The snapshot's card, if the actor may do this to it.
fn own_card<'a>(wallet: &'a Wallet, actor: &Actor, act: Act) -> Result<&'a Stored<CreditCard>, Error> {
    let card = visible_card(wallet, actor)?;
    actor.require(Resource::CreditCard, act)?;
    Ok(card)
}

fn change(wallet: &Versioned<Wallet>, card: CardChange, others: DefaultCard) -> WalletChange {
    WalletChange { customer_id: wallet.customer_id, expected: wallet.version, card, others }
}

/// The details of a card that may change.
struct Face {
    exp_month: u32,
    exp_year: i32,
    holder_name: String,
}

fn read_face(form: &mut Form, draft: &CardDraft, current: Option<&Stored<CreditCard>>, today: NaiveDate) -> Option<Face> {
    let exp_month = form.required("exp_month", &draft.exp_month, current.map(|card| &card.exp_month), |month| {
        u32::try_from(*month).ok().filter(|month| MONTHS.contains(month)).ok_or(Invalid::NotAMonth)
    });
    let exp_year = form.required("exp_year", &draft.exp_year, current.map(|card| &card.exp_year), |year| {
        i32::try_from(*year).ok().filter(|year| EXPIRY_YEARS.contains(year)).ok_or(Invalid::NotAYear)
    });
    let holder_name =
        form.required("holder_name", &draft.holder_name, current.map(|card| &card.holder_name), |name| holder_name(name));
    let (exp_month, exp_year) = (exp_month?, exp_year?);
    // The holder's name of a card that has expired may still be changed.
    let is_new = current.is_none_or(|card| (card.exp_month, card.exp_year) != (exp_month, exp_year));
    if is_new && is_card_expired(exp_month, exp_year, today) {
        return form.wrong("exp_year", Invalid::CardExpired);
    }
    Some(Face { exp_month, exp_year, holder_name: holder_name? })
}

/// A name that holds no number of a card: people type it into the wrong field, and the name is stored and shown.
fn holder_name(text: &str) -> Result<String, Invalid> {
    let name = text::name(text)?;
    let digits = name.chars().filter(|character| character.is_numeric()).count();
    if digits <= MAX_HOLDER_DIGITS { Ok(name) } else { Err(Invalid::HolderIsNumber) }
}
