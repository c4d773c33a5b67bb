//! A store under test, and the few steps that most cases start with.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use chrono::{DateTime, NaiveDate, Utc};

use super::Handles;
use super::build::*;
use super::commits::Commits as _;
use crate::account::{AccountChange, AccountSnapshot, CustomerChange, Token};
use crate::catalog::{VehicleChange, VehicleSnapshot};
use crate::decision::RowChange;
use crate::directory::{ContactsOfLead, LeadChange};
use crate::id::NewIds;
use crate::id::{
    ContactId, CreditCardId, CustomerId, InvoiceId, LeadId, PaymentId, ProposalId, ServiceId, Stored, TradeId, UserId, VehicleId,
    Version, Versioned,
};
use crate::lifecycle::{Opening, TradeChanges, TradeMove, TradeSnapshot};
use crate::model::VehicleTransfer;
use crate::model::{
    Account, Agreement, ContactOwner, CreditCard, Lead, OfferedVehicle, Proposal, ProposalState, Role, Service, ServiceKind,
    Trade, User, Vehicle,
};
use crate::repository::{Guarantee, Repository, RepositoryError, TokenKey, TradeKey, TradeLoad, WalletKey};
use crate::wallet::{CardChange, DefaultCard, Wallet, WalletChange};

/// A store under test.
pub(super) struct World {
    pub(super) store: Arc<dyn Repository>,
    handles: Handles,
    made: AtomicU32,
    turns: AtomicUsize,
}

/// A trade with a single proposal, made by its owner.
pub(super) struct Deal {
    pub(super) owner: CustomerId,
    pub(super) vehicle: VehicleId,
    pub(super) trade: TradeId,
    pub(super) proposal: ProposalId,
}

impl World {
    pub(super) fn new(store: impl Into<Handles>) -> Self {
        let handles = store.into();
        Self { store: handles.clone().into(), handles, made: AtomicU32::new(0), turns: AtomicUsize::new(0) }
    }

    /// A handle for a task in a race: the two handles in turn.
    pub(super) fn handle(&self) -> Arc<dyn Repository> {
        let Handles(handles) = &self.handles;
        Arc::clone(&handles[self.turns.fetch_add(1, Ordering::Relaxed) % 2])
    }

    /// A number that was not used before, for names and VINs.
    pub(super) fn number(&self) -> u32 {
        self.made.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) async fn account(&self, role: Role) -> Account {
        self.register(user(self.number(), role)).await
    }

    pub(super) async fn register(&self, user: User) -> Account {
        self.store.create_account(&new_user(user), None).await.expect("create_account")
    }

    pub(super) async fn customer(&self) -> CustomerId {
        self.account(Role::Customer).await.customer_id.expect("a customer of the user")
    }

    /// Deactivates a user that has just been made.
    pub(super) async fn deactivate(&self, account: Account) {
        let change = AccountChange {
            id: account.user.id,
            expected: Version::FIRST,
            user: User { is_active: false, ..account.user.value },
            customer: CustomerChange::Keep,
            keep_token: None,
            needs_another_superuser: false,
        };
        self.store.commit_account(&change, None).await.expect("commit_account");
    }

    pub(super) async fn card(&self, customer: CustomerId) -> CreditCardId {
        self.card_of(credit_card(customer)).await
    }

    pub(super) async fn card_of(&self, card: CreditCard) -> CreditCardId {
        let change = WalletChange {
            customer_id: card.customer_id,
            expected: self.wallet(card.customer_id).await.version,
            card: CardChange::Create(card),
            others: DefaultCard::Keep,
        };
        self.store.commit_wallet(&change, None).await.expect("commit_wallet")
    }

    pub(super) async fn contact(&self, owner: ContactOwner) -> ContactId {
        self.store.commit_contact(&RowChange::Create(contact(owner)), None).await.expect("commit_contact")
    }

    pub(super) async fn lead(&self, lead: Lead) -> LeadId {
        let change = LeadChange { lead: RowChange::Create(lead), contacts: ContactsOfLead::Keep };
        self.store.commit_lead(&change, None).await.expect("commit_lead")
    }

    pub(super) async fn vehicle(&self, owner: CustomerId) -> VehicleId {
        self.vehicle_of(vehicle(owner, self.number())).await
    }

    pub(super) async fn vehicle_of(&self, vehicle: Vehicle) -> VehicleId {
        self.store.commit_vehicle(&RowChange::Create(vehicle), None).await.expect("commit_vehicle")
    }

    /// The change that makes this of a vehicle, and of what its live trade offers.
    pub(super) async fn editing(&self, id: VehicleId, edit: impl FnOnce(Vehicle) -> Vehicle) -> VehicleChange {
        let Versioned { version: expected, value: found } = self.load_vehicle(id).await;
        let vehicle = RowChange::Update { id, expected, value: edit(found.vehicle.value) };
        VehicleChange { vehicle, offered_in: found.live_trade.map(|trade| (trade.id, trade.version)) }
    }

    pub(super) async fn edit(&self, id: VehicleId, edit: impl FnOnce(Vehicle) -> Vehicle) {
        let change = self.editing(id, edit).await;
        self.store.write(change.into(), None).await.expect("a change of a vehicle");
    }

    pub(super) async fn service(&self, kind: ServiceKind) -> ServiceId {
        self.service_of(service(kind)).await
    }

    pub(super) async fn service_of(&self, service: Service) -> ServiceId {
        self.store.commit_service(&RowChange::Create(service), None).await.expect("commit_service")
    }

    /// The change that opens a trade of this vehicle by its owner.
    pub(super) async fn opening(&self, vehicle: VehicleId, service: ServiceId) -> Opening {
        let loaded = self.load_vehicle(vehicle).await;
        let offered = OfferedVehicle::from(&loaded.vehicle.value);
        opening(Trade { offered, ..trade(vehicle, service, loaded.vehicle.customer_id) }, loaded.version)
    }

    pub(super) async fn open(&self, vehicle: VehicleId, service: ServiceId) -> TradeId {
        self.store.open_trade(&self.opening(vehicle, service).await, None).await.expect("open_trade")
    }

    /// An open trade, with a new vehicle and a new service.
    pub(super) async fn trade(&self, owner: CustomerId) -> TradeId {
        let service = self.service(ServiceKind::Custom).await;
        self.open(self.vehicle(owner).await, service).await
    }

    /// An open trade of a new customer, with the owner's proposal.
    pub(super) async fn deal(&self) -> Deal {
        let owner = self.customer().await;
        let trade = self.trade(owner).await;
        let vehicle = self.load(TradeKey::Trade(trade)).await.trade.vehicle_id;
        Deal { owner, vehicle, trade, proposal: self.propose(trade, owner).await }
    }

    pub(super) async fn propose(&self, trade: TradeId, author: CustomerId) -> ProposalId {
        self.propose_as(proposal(trade, author)).await
    }

    pub(super) async fn propose_as(&self, proposal: Proposal) -> ProposalId {
        self.commit(proposal.trade_id, &proposed(proposal)).await.proposal.unwrap()
    }

    pub(super) async fn decide(&self, trade: TradeId, proposal: ProposalId, state: ProposalState) {
        self.commit(trade, &TradeChanges { decided: Some((proposal, state)), ..TradeChanges::default() }).await;
    }

    /// The agreement on a proposal with a counterparty.
    async fn agreement(&self, proposal: ProposalId, counterparty: CustomerId) -> Agreement {
        let days = self.load(TradeKey::Proposal(proposal)).await.value.proposal.unwrap().proposal.period;
        Agreement { days, ..agreement(proposal, counterparty) }
    }

    pub(super) async fn agree(&self, trade: TradeId, proposal: ProposalId, counterparty: CustomerId) {
        let agreement = self.agreement(proposal, counterparty).await;
        let changes = agreed(proposal, TradeMove::Agree(agreement));
        self.commit(trade, &changes).await;
    }

    /// Cancels a trade, and closes its pending proposals.
    pub(super) async fn cancel(&self, trade: TradeId) {
        let at = at(9);
        let changes = TradeChanges { state: Some(cancelled(at)), close_others: Some(at), ..TradeChanges::default() };
        self.commit(trade, &changes).await;
    }

    /// Cancels a trade that is agreed on this proposal.
    pub(super) async fn rescind(&self, trade: TradeId, proposal: ProposalId) {
        let agreement = self.load(TradeKey::Trade(trade)).await.trade.agreement().copied();
        let agreement = agreement.map(|agreement| Agreement { days: None, ..agreement });
        let changes = TradeChanges {
            decided: Some((proposal, ProposalState::Rescinded { at: at(9) })),
            state: Some(TradeMove::Cancel { at: at(9), reason: "A mistake".into(), agreement }),
            ..TradeChanges::default()
        };
        self.commit(trade, &changes).await;
    }

    /// Ends the agreed days of a trade that is completed.
    pub(super) async fn end(&self, trade: TradeId, end: NaiveDate) {
        let agreement = self.load(TradeKey::Trade(trade)).await.trade.agreement().copied().unwrap();
        let days = agreement.days.and_then(|days| days.ended(end));
        let state = Some(TradeMove::Complete(Agreement { days, ..agreement }, at(10)));
        self.commit(trade, &TradeChanges { state, ..TradeChanges::default() }).await;
    }

    pub(super) async fn complete(&self, trade: TradeId, proposal: ProposalId, counterparty: CustomerId) {
        let agreement = self.agreement(proposal, counterparty).await;
        let changes = agreed(proposal, TradeMove::Complete(agreement, at(10)));
        self.commit(trade, &changes).await;
    }

    /// Completes a trade, and transfers the vehicle.
    pub(super) async fn sell(&self, trade: TradeId, proposal: ProposalId, buyer: CustomerId) {
        let sold = self.load(TradeKey::Trade(trade)).await.value.trade;
        let transfer = VehicleTransfer { vehicle_id: sold.vehicle_id, from: sold.customer_id, to: buyer };
        let changes = agreed(proposal, TradeMove::Complete(agreement(proposal, buyer), at(10)));
        self.commit(trade, &TradeChanges { transfer: Some(transfer), ..changes }).await;
    }

    pub(super) async fn bill(&self, trade: TradeId, proposal: ProposalId, customer: CustomerId) -> InvoiceId {
        let invoice = crate::lifecycle::NewInvoice { proposal_id: Some(proposal), ..new_invoice(customer) };
        let changes = TradeChanges { new_invoice: Some(invoice), ..TradeChanges::default() };
        self.commit(trade, &changes).await.invoice.unwrap()
    }

    /// A pending payment with a new card of the customer billed.
    pub(super) async fn pay(&self, trade: TradeId) -> PaymentId {
        let invoice = self.load(TradeKey::Trade(trade)).await.value.invoice.unwrap();
        let card = self.card(invoice.customer_id).await;
        let payment = payment(invoice.id, card, invoice.customer_id, &format!("charge-{}", self.number()));
        self.commit(trade, &paying(payment)).await.payment.unwrap()
    }

    /// Commits changes to a trade at its present version.
    pub(super) async fn commit(&self, trade: TradeId, changes: &TradeChanges) -> NewIds {
        let version = self.load(TradeKey::Trade(trade)).await.version;
        self.store.commit_trade(trade, version, changes, None).await.expect("commit_trade")
    }

    pub(super) async fn load(&self, key: TradeKey) -> Versioned<TradeSnapshot> {
        self.load_as(key, None).await
    }

    pub(super) async fn load_as(&self, key: TradeKey, viewer: Option<CustomerId>) -> Versioned<TradeSnapshot> {
        self.load_at(key, viewer, base()).await
    }

    pub(super) async fn load_at(
        &self,
        key: TradeKey,
        viewer: Option<CustomerId>,
        now: DateTime<Utc>,
    ) -> Versioned<TradeSnapshot> {
        let load = TradeLoad { key, viewer, with_pending: true, card: None, now };
        self.store.load_trade(&load).await.expect("load_trade").expect("load_trade finds the trade")
    }

    pub(super) async fn load_vehicle(&self, id: VehicleId) -> Versioned<VehicleSnapshot> {
        self.store.load_vehicle(id, None, base()).await.expect("load_vehicle").expect("load_vehicle finds the vehicle")
    }

    pub(super) async fn load_account(&self, id: UserId) -> Versioned<AccountSnapshot> {
        self.store.load_account(id).await.expect("load_account").expect("load_account finds the user")
    }

    /// The token with the hash of this number, and its account.
    pub(super) async fn find_token(&self, number: u8) -> Option<(Stored<Token>, Account)> {
        self.store.find_token(TokenKey::Hash(token_hash(number))).await.expect("find_token")
    }

    pub(super) async fn wallet(&self, customer: CustomerId) -> Versioned<Wallet> {
        self.store.load_wallet(WalletKey::Customer(customer)).await.expect("load_wallet").expect("load_wallet finds the customer")
    }

    /// Asserts that a commit is a conflict and leaves everything as it was.
    pub(super) async fn assert_conflict<T: Debug>(&self, commit: impl Future<Output = Result<T, RepositoryError>>) {
        let before = self.dump().await;
        let result = commit.await;
        assert!(matches!(result, Err(RepositoryError::Conflict)), "expected a conflict, got {result:?}");
        assert_eq!(self.dump().await, before, "a refused commit left something behind");
    }

    /// Asserts that a commit would break a guarantee and leaves everything as it was.
    pub(super) async fn assert_taken<T: Debug>(
        &self,
        guarantee: Guarantee,
        commit: impl Future<Output = Result<T, RepositoryError>>,
    ) {
        let before = self.dump().await;
        let result = commit.await;
        let taken = matches!(result, Err(RepositoryError::Taken(which)) if which == guarantee);
        assert!(taken, "expected {guarantee} to be taken, got {result:?}");
        assert_eq!(self.dump().await, before, "a refused commit left something behind");
    }
}

/// An agreement without days.
pub(super) fn agreement(proposal_id: ProposalId, counterparty_id: CustomerId) -> Agreement {
    Agreement { counterparty_id, proposal_id, days: None, agreed_at: at(5) }
}

/// Changes that accept a proposal, close the others and change the state of the trade.
pub(super) fn agreed(proposal: ProposalId, to: TradeMove) -> TradeChanges {
    TradeChanges {
        decided: Some((proposal, ProposalState::Accepted { at: at(5) })),
        close_others: Some(at(5)),
        state: Some(to),
        ..TradeChanges::default()
    }
}
