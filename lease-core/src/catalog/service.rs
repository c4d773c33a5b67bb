use rust_decimal::Decimal;

use crate::decision::{Decision, RowChange};
use crate::error::{Error, Refusal};
use crate::event::{Audience, Event, EventType, IdRef, NewRow};
use crate::id::{Stored, Versioned};
use crate::input::{Field, FieldErrors, Form, Invalid, UpdateMode, as_given, choice, draft};
use crate::model::limits::MAX_DUE_DAYS;
use crate::model::{BillTo, InvoiceOn, Service, ServiceKind};
use crate::money::{Currency, Money};
use crate::permission::{Act, Actor, Grant, Resource};
use crate::text;

/// The number of days to pay, if none is given.
const DEFAULT_DUE_DAYS: u16 = 14;

draft! {
    /// The fields for creating or updating a service.
    pub struct ServiceDraft as ServiceInput {
        /// The name of the service.
        pub name: Field<String> as required Name like "Handover",
        /// The kind of trade: it decides what terms are negotiated and whether the vehicle changes hands.
        pub kind: Field<String> as required ServiceKind like "custom",
        /// When a trade is invoiced: always `first_proposal` for `lease` and `acceptance` for `sell`; required for `custom`.
        pub invoice_on: Field<String> as nullable InvoiceOn like "acceptance",
        /// The party that is billed: `owner` by default; `counterparty` is possible only with `acceptance`.
        pub bill_to: Field<String> as nullable BillTo like "owner",
        /// The fee. With a fee of zero no invoice is issued.
        pub amount: Field<Decimal> as required AmountInput like "75.00",
        /// The currency of the fee.
        pub currency: Field<String> as required CurrencyInput,
        /// Days from issue to due date; 14 by default.
        pub payment_due_days: Field<i64> as nullable Days like 14,
        /// Anything else worth knowing.
        pub description: Field<String> as nullable FreeText like "We check the vehicle and hand it over.",
        /// Whether new trades may be opened under the service; true by default.
        pub is_active: Field<bool> as optional Flag,
    }
}

/// Services for a store that has none yet.
#[derive(Clone, Debug, PartialEq)]
pub struct FirstServices(pub Vec<Service>);

/// Creates a service.
///
/// # Errors
/// [`Error::PermissionDenied`]; invalid fields.
pub fn create_service(actor: &Actor, draft: &ServiceDraft) -> Result<Decision<RowChange<Service>>, Error> {
    actor.require(Resource::Service, Act::Create)?;
    let service = read(draft, UpdateMode::Full, None)?;
    let event = service_event(EventType::ServiceCreated, NewRow::Service(0), &service);
    Ok(Decision::new(RowChange::Create(service), [event]))
}

/// Changes a service. Once a trade uses it, its kind, `invoice_on`, `bill_to` and currency can no longer change (rule 5.1).
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; invalid fields; [`Refusal::ServiceInUse`].
pub fn update_service(
    service: &Versioned<Stored<Service>>,
    actor: &Actor,
    draft: &ServiceDraft,
    mode: UpdateMode,
) -> Result<Decision<RowChange<Service>>, Error> {
    require_act_on_service(service, actor, Act::Update)?;
    let value = read(draft, mode, Some(service))?;
    let fixed = |service: &Service| (service.kind, service.invoice_on, service.bill_to, service.fee.currency());
    if service.is_used && fixed(&value) != fixed(service) {
        return Err(Refusal::ServiceInUse.into());
    }
    let goes = service.is_active && !value.is_active;
    let updated = Service { is_active: goes || value.is_active, ..value.clone() };
    let updated = service_event(EventType::ServiceUpdated, service.id, &updated).changing(&service.value.value, &updated);
    let events: Vec<Event> = updated.if_changed().into_iter().chain(deactivated(service, &value)).collect();
    Ok(Decision::new(RowChange::update(service, value), events))
}

/// Deactivates a service: no new trade can be opened under it; trades that were opened before continue.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`].
pub fn deactivate_service(service: &Versioned<Stored<Service>>, actor: &Actor) -> Result<Decision<RowChange<Service>>, Error> {
    require_act_on_service(service, actor, Act::Delete)?;
    let value = Service { is_active: false, ..Service::clone(service) };
    let event = deactivated(service, &value);
    Ok(Decision::new(RowChange::update(service, value), event))
}

/// What happens when a service becomes `after`, which may be inactive.
fn deactivated(service: &Stored<Service>, after: &Service) -> Option<Event> {
    let after = Service { is_active: service.is_active && after.is_active, ..service.value.clone() };
    service_event(EventType::ServiceDeactivated, service.id, &after).changing(&service.value, &after).if_changed()
}

fn service_event(event_type: EventType, id: impl Into<IdRef>, service: &Service) -> Event {
    Event::new(event_type, id, Audience::Staff).fact("kind", <&str>::from(service.kind)).price(service.fee)
}

/// Succeeds if the actor may see the service: everybody may see active services, and staff may see all.
///
/// # Errors
/// [`Error::NotFound`].
pub fn require_visible_service(service: &Service, actor: &Actor) -> Result<(), Error> {
    match actor.require(Resource::Service, Act::Read)? {
        Grant::Active if !service.is_active => Err(Error::NotFound),
        _ => Ok(()),
    }
}

/// The two services that are created in a store without services (rule 5.1).
#[must_use]
pub fn standard_services(lease_fee: Money, sell_fee: Money) -> Decision<FirstServices> {
    let service = |name: &str, kind, invoice_on, fee| Service {
        name: name.to_owned(),
        kind,
        invoice_on,
        bill_to: BillTo::Owner,
        fee,
        payment_due_days: DEFAULT_DUE_DAYS,
        description: String::new(),
        is_active: true,
        is_used: false,
    };
    let services = vec![
        service("Lease", ServiceKind::Lease, InvoiceOn::FirstProposal, lease_fee),
        service("Sell", ServiceKind::Sell, InvoiceOn::Acceptance, sell_fee),
    ];
    let places = services.iter().zip(0..);
    let events: Vec<Event> =
        places.map(|(service, place)| service_event(EventType::ServiceCreated, NewRow::Service(place), service)).collect();
    Decision::new(FirstServices(services), events)
}

fn require_act_on_service(service: &Service, actor: &Actor, act: Act) -> Result<(), Error> {
    require_visible_service(service, actor)?;
    actor.require(Resource::Service, act).map(drop)
}

fn read(draft: &ServiceDraft, mode: UpdateMode, current: Option<&Stored<Service>>) -> Result<Service, FieldErrors> {
    let mut form = Form::new(mode);
    let name = form.required("name", &draft.name, current.map(|now| &now.name), |name| text::name(name));
    let kind = form.required("kind", &draft.kind, current.map(|now| &now.kind), |kind| choice(kind));
    let invoice_on = read_invoice_on(&mut form, draft, kind, current);
    let bill_to = form.optional("bill_to", &draft.bill_to, current.map(|now| &now.bill_to), BillTo::Owner, |to| choice(to));
    if (bill_to, invoice_on) == (Some(BillTo::Counterparty), Some(InvoiceOn::FirstProposal)) {
        form.errors.add("bill_to", Invalid::BilledToNobody);
    }
    let fee = read_fee(&mut form, draft, current);
    let due_days = form.optional(
        "payment_due_days",
        &draft.payment_due_days,
        current.map(|now| &now.payment_due_days),
        DEFAULT_DUE_DAYS,
        |days| {
            let in_range = u16::try_from(*days).ok().filter(|days| *days <= MAX_DUE_DAYS);
            in_range.ok_or(Invalid::DaysOutOfRange { min: 0, max: MAX_DUE_DAYS.into() })
        },
    );
    let description =
        form.optional("description", &draft.description, current.map(|now| &now.description), String::new(), |words| {
            text::free(words)
        });
    // If null were accepted, it would activate a deactivated service again.
    let is_active = match &draft.is_active {
        Field::Missing => Some(current.is_none_or(|now| now.is_active)),
        given => form.required("is_active", given, None, as_given),
    };
    let (Some(name), Some(kind), Some(invoice_on), Some(bill_to)) = (name, kind, invoice_on, bill_to) else {
        return Err(form.errors);
    };
    let (Some(fee), Some(payment_due_days), Some(description), Some(is_active)) = (fee, due_days, description, is_active) else {
        return Err(form.errors);
    };
    form.finish()?;
    let is_used = current.is_some_and(|now| now.is_used);
    Ok(Service { name, kind, invoice_on, bill_to, fee, payment_due_days, description, is_active, is_used })
}

/// Reads the moment of invoicing: the one that the kind prescribes, or the choice of a custom service.
fn read_invoice_on(
    form: &mut Form,
    draft: &ServiceDraft,
    kind: Option<ServiceKind>,
    current: Option<&Stored<Service>>,
) -> Option<InvoiceOn> {
    let given = form.optional("invoice_on", &draft.invoice_on, None, None, |on| choice(on).map(Some))?;
    let kept = current.filter(|_| form.mode == UpdateMode::Partial).map(|now| now.invoice_on);
    match (kind?.fixed_invoice_on(), given, kept) {
        (Some(fixed), Some(other), _) if other != fixed => {
            form.wrong("invoice_on", Invalid::InvoicedOtherwise { on: fixed.into() })
        }
        (Some(fixed), ..) => Some(fixed),
        (None, Some(chosen), _) => Some(chosen),
        (None, None, Some(kept)) => Some(kept),
        (None, None, None) => form.wrong("invoice_on", Invalid::RequiredForCustom),
    }
}

/// Reads the amount and the currency together, because the currency decides how many digits the amount may have.
fn read_fee(form: &mut Form, draft: &ServiceDraft, current: Option<&Stored<Service>>) -> Option<Money> {
    let present = current.map(|now| (now.fee.amount(), now.fee.currency()));
    let currency = form.required("currency", &draft.currency, present.as_ref().map(|(_, currency)| currency), |code| {
        // A currency that can no longer be chosen may stay.
        let kept = present.map(|(_, currency)| currency).filter(|currency| currency.code() == code.trim());
        kept.map_or_else(|| Currency::parse(code.trim()), Ok)
    });
    let amount = form.required("amount", &draft.amount, present.as_ref().map(|(amount, _)| amount), as_given);
    let (currency, amount) = (currency?, amount?);
    if present == Some((amount, currency)) {
        return current.map(|now| now.fee);
    }
    // If only the currency changes, the number stays the same: 49.00 USD becomes 49 JPY.
    Money::new(amount, currency).map_err(|error| form.errors.add("amount", error)).ok()
}
