//! An app with a payment gateway of its own, for a provider that the engine does not know. The answer to a charge gets lost; the
//! payment is settled later, and the card is charged once.
//!
//! `cargo run -p lease-examples --bin own_gateway`
#![expect(clippy::print_stdout, reason = "printing is what this program is for")]

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::NaiveDate;
use lease_core::LeaseEngine;
use lease_core::account::RegistrationDraft;
use lease_core::catalog::VehicleDraft;
use lease_core::gateway::{
    CardDetails, CardToken, Charge, ChargeOutcome, GatewayError, GatewayInfo, PaymentGateway, RefundOutcome, RefundRequest,
    Tokenization,
};
use lease_core::id::InvoiceId;
use lease_core::invoicing::PaymentDraft;
use lease_core::lifecycle::{ProposalDraft, TradeDraft};
use lease_core::model::{PaymentStatus, ServiceKind};
use lease_core::money::{Currency, Money};
use lease_core::page::PageRequest;
use lease_core::permission::Actor;
use lease_core::repository::ServiceFilter;
use lease_core::wallet::CardDraft;
use lease_store_memory::MemoryRepository;
use rust_decimal::Decimal;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The provider: it remembers under each key what it did. A real gateway would send requests to it, with the key as the idempotency
/// key, and keep nothing itself.
#[derive(Debug, Default)]
struct AcmePay {
    charges: Mutex<HashMap<String, ChargeOutcome>>,
    refunds: Mutex<HashMap<String, RefundOutcome>>,
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

#[lease_core::async_trait]
impl PaymentGateway for AcmePay {
    fn info(&self) -> GatewayInfo {
        GatewayInfo { kind: "acme", publishable_key: None, is_sandbox: false, takes_card_numbers: true }
    }

    /// The provider takes the number, and gives a token for it. Neither is ever printed or stored here.
    async fn tokenize(&self, card: &CardDetails) -> Result<Tokenization, GatewayError> {
        Ok(Tokenization::Accepted(CardToken::new(format!("acme_{}", card.number.last4()))))
    }

    /// A key is charged once, however often this is called. Here the answer to the first call gets lost: an error says that nobody
    /// knows what happened, and never that the card was not charged. That would be [`ChargeOutcome::Declined`].
    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        let mut charges = lock(&self.charges);
        if let Some(known) = charges.get(charge.key.as_str()) {
            return Ok(known.clone());
        }
        println!("the provider charges {}", charge.amount);
        let reference = format!("acme_charge_{}", charge.payment);
        charges.insert(charge.key.as_str().to_owned(), ChargeOutcome::Succeeded { reference });
        Err(GatewayError::new("the connection was lost"))
    }

    /// `None` only if the provider has certainly not received the charge: it is then made anew, under the same key.
    async fn find_charge(&self, charge: &Charge) -> Result<Option<ChargeOutcome>, GatewayError> {
        Ok(lock(&self.charges).get(charge.key.as_str()).cloned())
    }

    /// No charge of this provider waits for its payer, so there is nothing to give up.
    async fn cancel_charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        self.charge(charge).await
    }

    async fn refund(&self, refund: &RefundRequest) -> Result<RefundOutcome, GatewayError> {
        let new = RefundOutcome::Succeeded { reference: format!("acme_refund_{}", refund.refund) };
        Ok(lock(&self.refunds).entry(refund.key.as_str().to_owned()).or_insert(new).clone())
    }

    async fn find_refund(&self, refund: &RefundRequest) -> Result<Option<RefundOutcome>, GatewayError> {
        Ok(lock(&self.refunds).get(refund.key.as_str()).cloned())
    }
}

#[tokio::main]
async fn main() -> Outcome {
    let engine = LeaseEngine::builder(Arc::new(MemoryRepository::default()), Arc::new(AcmePay::default())).build()?;
    let fee = Money::parse("49.00", Currency::USD)?;
    engine.ensure_standard_services(fee, fee).await?;
    let olivia = register(&engine, "olivia").await?;
    let card = CardDraft {
        number: "4242424242424242".into(),
        exp_month: 12.into(),
        exp_year: 2099.into(),
        holder_name: "Olivia Example".into(),
        ..CardDraft::default()
    };
    let credit_card_id = engine.create_card(&olivia, &card).await?.id.into();
    let invoice = offer(&engine, &olivia).await?;

    let payment = engine.pay_invoice(&olivia, invoice, &PaymentDraft { credit_card_id, ..PaymentDraft::default() }).await?.stored;
    println!("the payment is {}", PaymentStatus::from(&payment.state));
    // In a server, `run_maintenance` does this.
    let payment = engine.settle_payment(payment.id).await?;
    println!("asked again, the payment is {}", PaymentStatus::from(&payment.state));
    Ok(())
}

/// Olivia offers her car for lease, and is billed with her first proposal.
async fn offer(engine: &LeaseEngine, olivia: &Actor) -> Outcome<InvoiceId> {
    let vin = "1HGCM82633A004352".into();
    let car = VehicleDraft { vin, make: "Honda".into(), model: "Accord".into(), year: 2003.into(), ..VehicleDraft::default() };
    let vehicle_id = engine.create_vehicle(olivia, &car).await?.id.into();
    let kind = Some(ServiceKind::Lease);
    let services =
        engine.list_services(olivia, ServiceFilter { kind, ..ServiceFilter::default() }, PageRequest::default()).await?;
    let service_id = services.items.first().ok_or("the standard services were created at the start")?.id.into();
    let trade = engine.open_trade(olivia, &TradeDraft { vehicle_id, service_id, ..TradeDraft::default() }).await?.stored.id;
    let terms = ProposalDraft {
        amount: Decimal::from(450).into(),
        start_date: NaiveDate::from_ymd_opt(2030, 7, 1).unwrap_or_default().into(),
        end_date: NaiveDate::from_ymd_opt(2031, 7, 1).unwrap_or_default().into(),
        ..ProposalDraft::default()
    };
    engine.propose(olivia, trade, &terms).await?;
    Ok(engine.get_trade(olivia, trade).await?.stored.invoice_id.ok_or("the service has a fee")?)
}

async fn register(engine: &LeaseEngine, name: &str) -> Outcome<Actor> {
    let draft = RegistrationDraft {
        username: name.into(),
        email: format!("{name}@example.com").into(),
        first_name: name.into(),
        last_name: "Example".into(),
        password: "a horse of another colour".into(),
        password2: "a horse of another colour".into(),
        ..RegistrationDraft::default()
    };
    let registered = engine.register(Actor::Anonymous, &draft).await?;
    Ok(engine.authenticate(&registered.token).await?.actor)
}
