//! Each query can use its index: even with sequential scans switched off, no plan has one, and each list walks the index that was
//! made for its filter.

use chrono::{DateTime, TimeZone as _, Utc};
use lease_core::event::{EventType, SubjectKind, Viewer};
use lease_core::gateway::{ChargeKey, RefundKey};
use lease_core::id::{
    CreditCardId, CustomerId, EventId, InvoiceId, LeadId, MailId, PaymentId, ProposalId, RefundId, ServiceId, TradeId, UserId,
    VehicleId, WebhookDeliveryId, WebhookEndpointId,
};
use lease_core::model::{
    ChassisNumber, DeliveryAttempt, DeliveryState, DeliveryStatus, InvoiceStatus, LeadStatus, MailState, PaymentStatus,
    ProposalStatus, RefundStatus, Role, ServiceKind, TradeStatus, Vin,
};
use lease_core::money::Currency;
use lease_core::page::{Cursor, PageRequest, Place, PriceKey};
use lease_core::repository::{
    AccountRepository as _, CardFilter, CardRepository as _, ContactFilter, CustomerFilter, DirectoryRepository as _,
    EventFilter, EventRepository as _, InvoiceFilter, LeadFilter, MailRepository as _, PaymentFilter, ProposalFilter,
    RecordedAttempt, RefundFilter, ServiceFilter, ServiceRepository as _, TokenFilter, TradeFilter, TradeRepository as _,
    TradeSort, UnderWay, UserFilter, VehicleFilter, VehicleRepository as _, WebhookDeliveryFilter, WebhookEndpointFilter,
    WebhookRepository as _,
};
use lease_core::text::Search;
use lease_store_postgres::{PostgresOptions, PostgresRepository};
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use crate::support::{TestDatabase, WORLD, explain};

const BULK: &str = include_str!("support/bulk.sql");

/// Makes reading as expensive as in a table that does not fit into memory, so that plans read only what they need.
pub(crate) const AS_IF_LARGE: &str = "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; \
    set cpu_tuple_cost = 1; set plan_cache_mode = force_generic_plan";

/// A store with one connection and many rows.
async fn filled(database: &TestDatabase) -> PostgresRepository {
    database.connection().await.execute(WORLD).await.unwrap();
    database.connection().await.execute(BULK).await.unwrap();
    PostgresRepository::connect(&database.url(), PostgresOptions::default().with_max_connections(1)).await.unwrap()
}

/// A store whose plans are made as for tables that are too large to scan.
async fn store(database: &TestDatabase) -> PostgresRepository {
    let store = filled(database).await;
    store.connection().await.unwrap().execute(AS_IF_LARGE).await.unwrap();
    store
}

/// The plan of the statement that was prepared last.
async fn last_plan(store: &PostgresRepository) -> String {
    let last = sqlx::raw_sql(
        "select name, cardinality(parameter_types)::text from pg_prepared_statements order by prepare_time desc limit 1",
    )
    .fetch_one(&mut *store.connection().await.unwrap())
    .await
    .unwrap();
    explain(store, &last.get::<String, _>(0), last.get::<String, _>(1).parse().unwrap()).await
}

/// Runs a list and expects these indexes in its plan, and no scan of a table.
macro_rules! walks {
    ($store:expr, $list:expr, $($index:literal),+) => {
        $list.await.unwrap();
        let plan = last_plan($store).await;
        assert!(!plan.contains("Seq Scan"), "{}\n{plan}", stringify!($list));
        $(assert!(plan.contains($index), "{} does not use {}\n{plan}", stringify!($list), $index);)+
    };
}

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 1, 0, 0, 0).unwrap()
}

/// A page in the middle of a list.
fn page() -> PageRequest {
    PageRequest::new(25, Some(Cursor::After(1_500.into()))).unwrap()
}

/// A page in the middle of a list that is sorted by price.
fn page_by_price(sort: TradeSort) -> PageRequest {
    let price = Some(PriceKey { is_descending: !sort.is_ascending(), amount: 100.into() });
    PageRequest::new(25, Some(Cursor::After(Place { id: 1_500, price }))).unwrap()
}

fn customer() -> Option<CustomerId> {
    CustomerId::new(7)
}

#[tokio::test]
async fn events_walk_their_indexes() {
    let database = TestDatabase::create().await;
    let store = &store(&database).await;
    let all = EventFilter::default;
    let own = EventFilter { visible_to: UserId::new(7).map(|user| Viewer { user, customer: customer() }), ..all() };
    let since = EventId::new(1_500);
    walks!(store, store.list_events(&all(), page()), "events_pkey");
    walks!(store, store.events_after(since, 1_000, &all()), "events_pkey");
    let of_trade = EventFilter { trade_id: TradeId::new(7), ..all() };
    walks!(store, store.list_events(&of_trade, page()), "events_trade_idx");
    walks!(store, store.events_after(since, 1_000, &of_trade), "events_trade_idx");
    let of_subject = EventFilter { subject: Some((SubjectKind::Vehicle, 7)), ..all() };
    walks!(store, store.list_events(&of_subject, page()), "events_subject_idx");
    for kind in [SubjectKind::Trade, SubjectKind::Proposal, SubjectKind::Invoice, SubjectKind::Payment] {
        let of_a_trade = EventFilter { subject: Some((kind, 7)), ..all() };
        walks!(store, store.list_events(&of_a_trade, page()), "events_trade_idx");
    }
    let by_a_user = EventFilter { actor_user_id: UserId::new(7), ..all() };
    walks!(store, store.list_events(&by_a_user, page()), "events_actor_idx");
    let of_a_type = EventFilter { types: vec![EventType::TradeCancelled], ..all() };
    walks!(store, store.list_events(&of_a_type, page()), "events_type_idx");
    walks!(store, store.list_events(&own, page()), "event_readers_pkey");
    walks!(store, store.events_after(since, 1_000, &own), "event_readers_pkey");
    walks!(store, store.find_event(since.unwrap(), own.visible_to), "events_pkey", "event_readers_pkey");
    database.drop().await;
}

#[tokio::test]
async fn lists_of_trades_walk_their_indexes() {
    let database = TestDatabase::create().await;
    let store = &store(&database).await;
    let all = TradeFilter::default;
    let dollars = || TradeFilter { currency: Some(Currency::USD), ..all() };
    for sort in [TradeSort::Price, TradeSort::PriceDescending] {
        for visible_to in [None, customer()] {
            let filter = TradeFilter { sort, visible_to, price_min: Some(1.into()), ..dollars() };
            walks!(store, store.list_trades(&filter, page_by_price(sort), now()), "proposals_asking_idx");
        }
    }
    // Whether it walks the trades or sorts what is asked depends on how much is asked.
    walks!(store, store.list_trades(&dollars(), page(), now()), "_idx on proposals a\n");
    walks!(store, store.list_trades(&all(), page(), now()), "trades_pkey");
    walks!(
        store,
        store.list_trades(&TradeFilter { visible_to: customer(), ..all() }, page(), now()),
        "trades_status_idx",
        "trade_parties_pkey"
    );
    walks!(
        store,
        store.list_trades(&TradeFilter { visible_to: customer(), make: Some("make7".into()), ..all() }, page(), now()),
        "trades_open_make_idx",
        "trade_parties_pkey"
    );
    walks!(
        store,
        store.list_trades(&TradeFilter { visible_to: customer(), model: Some("model7".into()), ..all() }, page(), now()),
        "trades_open_model_idx",
        "trade_parties_pkey"
    );
    walks!(
        store,
        store.list_trades(&TradeFilter { status: Some(TradeStatus::Open), ..all() }, page(), now()),
        "trades_status_idx"
    );
    walks!(
        store,
        store.list_trades(&TradeFilter { service_id: ServiceId::new(5), ..all() }, page(), now()),
        "trades_service_idx"
    );
    walks!(
        store,
        store.list_trades(&TradeFilter { vehicle_id: VehicleId::new(5), ..all() }, page(), now()),
        "trades_vehicle_idx"
    );
    walks!(
        store,
        store.list_trades(&TradeFilter { visible_to: customer(), customer_id: customer(), ..all() }, page(), now()),
        "trades_customer_id_id_key"
    );
    walks!(
        store,
        store.list_trades(&TradeFilter { counterparty_id: customer(), ..all() }, page(), now()),
        "trades_counterparty_idx"
    );
    walks!(store, store.list_trades(&TradeFilter { kind: Some(ServiceKind::Custom), ..all() }, page(), now()), "trades_kind_idx");
    walks!(store, store.list_trades(&TradeFilter { make: Some("make7".into()), ..all() }, page(), now()), "trades_make_idx");
    walks!(store, store.list_trades(&TradeFilter { model: Some("model7".into()), ..all() }, page(), now()), "trades_model_idx");
    walks!(
        store,
        store.list_trades(&TradeFilter { year_min: Some(1950), year_max: Some(1950), ..all() }, page(), now()),
        "trades_year_idx"
    );
    database.drop().await;
}

#[tokio::test]
async fn lists_of_rows_that_belong_to_trades_walk_their_indexes() {
    let database = TestDatabase::create().await;
    let store = &store(&database).await;
    let all = ProposalFilter::default;
    walks!(store, store.list_proposals(&all(), page(), now()), "proposals_pkey");
    walks!(
        store,
        store.list_proposals(&ProposalFilter { visible_to: customer(), ..all() }, page(), now()),
        "proposals_trade_owner_idx",
        "proposals_author_idx",
        "proposals_public_idx",
        "trade_parties_pkey"
    );
    walks!(
        store,
        store.list_proposals(&ProposalFilter { trade_id: TradeId::new(5), ..all() }, page(), now()),
        "proposals_agreed_key"
    );
    walks!(
        store,
        store.list_proposals(&ProposalFilter { customer_id: customer(), ..all() }, page(), now()),
        "proposals_author_idx"
    );
    walks!(
        store,
        store.list_proposals(&ProposalFilter { status: Some(ProposalStatus::Rejected), ..all() }, page(), now()),
        "proposals_status_idx"
    );
    walks!(
        store,
        store.list_proposals(
            &ProposalFilter { visible_to: customer(), status: Some(ProposalStatus::Rejected), ..all() },
            page(),
            now()
        ),
        "proposals_public_status_idx"
    );

    let all = InvoiceFilter::default;
    walks!(store, store.list_invoices(&all(), page(), now()), "invoices_pkey");
    walks!(
        store,
        store.list_invoices(&InvoiceFilter { visible_to: customer(), ..all() }, page(), now()),
        "invoices_customer_id_id_key"
    );
    walks!(
        store,
        store.list_invoices(&InvoiceFilter { status: Some(InvoiceStatus::Paid), ..all() }, page(), now()),
        "invoices_status_idx"
    );
    walks!(
        store,
        store.list_invoices(&InvoiceFilter { status: Some(InvoiceStatus::Open), ..all() }, page(), now()),
        "invoices_open_idx"
    );
    walks!(
        store,
        store.list_invoices(&InvoiceFilter { trade_id: TradeId::new(5), ..all() }, page(), now()),
        "invoices_trade_id_key"
    );

    let all = PaymentFilter::default;
    walks!(store, store.list_payments(&all(), page()), "payments_pkey");
    walks!(store, store.list_payments(&PaymentFilter { visible_to: customer(), ..all() }, page()), "payments_customer_idx");
    walks!(
        store,
        store.list_payments(&PaymentFilter { invoice_id: InvoiceId::new(5), ..all() }, page()),
        "payments_invoice_id_id_key"
    );
    walks!(
        store,
        store.list_payments(&PaymentFilter { credit_card_id: CreditCardId::new(5), ..all() }, page()),
        "payments_credit_card_idx"
    );
    walks!(
        store,
        store.list_payments(&PaymentFilter { status: Some(PaymentStatus::Failed), ..all() }, page()),
        "payments_status_idx"
    );
    for after in [None, PaymentId::new(7)] {
        walks!(store, store.payments_under_way(UnderWay::Pending, now(), after, 10), "payments_pending_idx");
        walks!(store, store.payments_under_way(UnderWay::RequiresAction, now(), after, 10), "payments_requires_action_idx");
    }
    walks!(store, store.find_charge_key(&ChargeKey::new("bulk-7".into())), "payments_charge_key_key");
    walks!(store, store.declines(customer().unwrap(), now(), 20), "payments_declines_idx", "card_refusals_customer_idx");
    walks!(store, store.purge_refused_cards(now(), 10), "card_refusals_refused_at_idx");
    for after in [None, ProposalId::new(5)] {
        walks!(store, store.expired_proposals(now(), after, 10), "proposals_end_idx");
    }
    for after in [None, InvoiceId::new(5)] {
        walks!(store, store.overdue_invoices(now(), after, 10), "invoices_to_fall_overdue_idx");
    }
    walks!(
        store,
        store.weekly_totals(now()),
        "trades_weekly_totals_idx",
        "invoices_weekly_totals_idx",
        "payments_weekly_totals_idx"
    );
    database.drop().await;
}

#[tokio::test]
async fn lists_of_refunds_walk_their_indexes() {
    let database = TestDatabase::create().await;
    let store = &store(&database).await;
    let all = RefundFilter::default;
    walks!(store, store.list_refunds(&all(), page()), "refunds_pkey");
    walks!(store, store.list_refunds(&RefundFilter { visible_to: customer(), ..all() }, page()), "refunds_customer_idx");
    walks!(store, store.list_refunds(&RefundFilter { payment_id: PaymentId::new(5), ..all() }, page()), "refunds_payment_idx");
    walks!(store, store.list_refunds(&RefundFilter { invoice_id: InvoiceId::new(5), ..all() }, page()), "refunds_invoice_idx");
    walks!(
        store,
        store.list_refunds(&RefundFilter { status: Some(RefundStatus::Failed), ..all() }, page()),
        "refunds_status_idx"
    );
    for after in [None, RefundId::new(7)] {
        walks!(store, store.pending_refunds(now(), after, 10), "refunds_pending_idx");
    }
    walks!(store, store.find_refund_key(&RefundKey::new("bulk-7".into())), "refunds_refund_key_key");
    database.drop().await;
}

#[tokio::test]
async fn lists_of_people_and_things_walk_their_indexes() {
    let database = TestDatabase::create().await;
    let store = &store(&database).await;
    let all = UserFilter::default;
    walks!(store, store.list_users(&all(), page()), "users_pkey");
    walks!(store, store.list_users(&UserFilter { visible_to: UserId::new(5), ..all() }, page()), "users_");
    let tokens = TokenFilter { user_id: UserId::new(5).unwrap() };
    walks!(
        store,
        store.list_tokens(&tokens, page(), now()),
        "Index Cond: ((user_id = $1) AND (epoch = ",
        "tokens_user_epoch_idx"
    );
    walks!(store, store.list_users(&UserFilter { is_active: Some(false), ..all() }, page()), "users_inactive_idx");
    walks!(store, store.list_users(&UserFilter { is_staff: Some(true), ..all() }, page()), "users_administrative_idx");
    walks!(store, store.list_users(&UserFilter { role: Some(Role::Superuser), ..all() }, page()), "users_administrative_idx");
    walks!(
        store,
        store.list_customers(&CustomerFilter { user_id: UserId::new(5), ..CustomerFilter::default() }, page()),
        "customers_user_id_key"
    );
    walks!(
        store,
        store.list_cards(&CardFilter { visible_to: customer(), ..CardFilter::default() }, page()),
        "credit_cards_customer_id_id_key"
    );
    walks!(
        store,
        store.list_contacts(&ContactFilter { customer_id: customer(), ..ContactFilter::default() }, page()),
        "contacts_customer_id_idx"
    );
    walks!(
        store,
        store.list_contacts(&ContactFilter { lead_id: LeadId::new(5), ..ContactFilter::default() }, page()),
        "contacts_lead_id_idx"
    );
    let all = LeadFilter::default;
    walks!(store, store.list_leads(&LeadFilter { status: Some(LeadStatus::Lost), ..all() }, page()), "leads_status_idx");
    walks!(store, store.list_leads(&LeadFilter { customer_id: customer(), ..all() }, page()), "leads_customer_id_idx");
    let all = VehicleFilter::default;
    walks!(
        store,
        store.list_vehicles(&VehicleFilter { visible_to: customer(), ..all() }, page()),
        "vehicles_customer_id_idx",
        "trades_open_vehicle_idx",
        "vehicle_parties_pkey"
    );
    // The walk starts at the cursor, however far into the list it is.
    walks!(
        store,
        store.list_vehicles(&VehicleFilter { visible_to: customer(), customer_id: CustomerId::new(8), ..all() }, page()),
        "Index Cond: ((customer_id = $4) AND (id < $6))"
    );
    walks!(
        store,
        store.list_vehicles(&VehicleFilter { visible_to: customer(), make: Some("make7".into()), ..all() }, page()),
        "trades_open_vehicle_make_idx",
        "vehicle_parties_pkey"
    );
    walks!(
        store,
        store.list_vehicles(&VehicleFilter { visible_to: customer(), model: Some("model7".into()), ..all() }, page()),
        "trades_open_vehicle_model_idx",
        "vehicle_parties_pkey"
    );
    walks!(store, store.list_vehicles(&VehicleFilter { make: Some("make7".into()), ..all() }, page()), "vehicles_make_idx");
    walks!(store, store.list_vehicles(&VehicleFilter { model: Some("model7".into()), ..all() }, page()), "vehicles_model_idx");
    walks!(
        store,
        store.list_vehicles(&VehicleFilter { year_min: Some(1950), year_max: Some(1950), ..all() }, page()),
        "vehicles_year_idx"
    );
    walks!(
        store,
        store.list_vehicles(&VehicleFilter { vin: Some(Vin::parse("1HGCM82633A004352").unwrap()), ..all() }, page()),
        "vehicles_vin_key"
    );
    let chassis_number = Some(ChassisNumber::parse("GJ7-123456").unwrap());
    walks!(store, store.list_vehicles(&VehicleFilter { chassis_number, ..all() }, page()), "vehicles_chassis_number_key");
    walks!(
        store,
        store.list_services(&ServiceFilter { kind: Some(ServiceKind::Custom), ..ServiceFilter::default() }, page()),
        "services_kind_idx"
    );
    walks!(
        store,
        store.list_services(&ServiceFilter { is_active: Some(false), ..ServiceFilter::default() }, page()),
        "services_active_idx"
    );
    database.drop().await;
}

#[tokio::test]
async fn webhooks_walk_their_indexes() {
    let database = TestDatabase::create().await;
    let store = &store(&database).await;
    store.connection().await.unwrap().execute("update event_log set last_id = 4000").await.unwrap();
    for is_active in [true, false] {
        let filter = WebhookEndpointFilter { is_active: Some(is_active) };
        walks!(store, store.list_endpoints(&filter, page()), "webhook_endpoints_active_idx");
    }
    let endpoint_id = WebhookEndpointId::new(20);
    let to_one = WebhookDeliveryFilter { endpoint_id, status: None };
    walks!(store, store.list_deliveries(&to_one, page()), "webhook_deliveries_endpoint_idx");
    let failed = WebhookDeliveryFilter { endpoint_id, status: Some(DeliveryStatus::Failed) };
    walks!(store, store.list_deliveries(&failed, page()), "webhook_deliveries_status_idx");
    walks!(
        store,
        store.queue_deliveries(now(), 10),
        "webhook_endpoints_active_idx",
        "webhook_positions_pkey",
        "Index Cond: (id > behind.last_event_id)"
    );
    walks!(
        store,
        store.claim_deliveries(now(), now(), 2, &[(endpoint_id.unwrap(), 1)]),
        "webhook_endpoints_active_idx",
        "webhook_deliveries_pending_idx",
        "AND (next_attempt_at <= $1))",
        "events_pkey"
    );
    let attempt = RecordedAttempt {
        delivery_id: WebhookDeliveryId::new(1).unwrap(),
        held_until: now(),
        attempt: DeliveryAttempt { at: now(), status: None, milliseconds: 1, response: String::new(), error: None },
        state: DeliveryState::Failed,
    };
    walks!(store, store.record_attempts(&[attempt]), "webhook_deliveries_pkey", "webhook_positions_pkey");
    walks!(store, store.first_needed_event(), "webhook_endpoints_active_idx", "webhook_deliveries_needed_idx", "events_pkey");
    walks!(store, store.purge_deliveries(now(), 10), "webhook_deliveries_created_at_idx", "webhook_deliveries_pkey");
    database.drop().await;
}

#[tokio::test]
async fn mails_walk_their_indexes() {
    let database = TestDatabase::create().await;
    let store = &store(&database).await;
    walks!(store, store.claim_mails(now(), now(), 10), "Index Cond: (next_attempt_at <= $1)", "mails_pending_idx");
    walks!(store, store.record_mail(MailId::new(1).unwrap(), now(), MailState::Sent), "mails_pkey");
    walks!(store, store.purge_mails(now(), 10), "mails_done_idx");
    for after in [None, customer()] {
        walks!(
            store,
            store.earlier_proposers(TradeId::new(7).unwrap(), ProposalId::new(1_000).unwrap(), after, 10),
            "Index Cond: ((trade_id = $1) AND (customer_id > $2) AND (id < $3))",
            "proposals_made_idx"
        );
    }
    database.drop().await;
}

/// Rule 9.2: what is claimed is read, and neither what is not due nor what was delivered.
#[tokio::test]
async fn claiming_reads_what_is_due_only() {
    let database = TestDatabase::create().await;
    let store = filled(&database).await;
    let held_until = now() + chrono::Duration::minutes(1);
    // From the sixth time on, a plan that was made once may be used again.
    for _ in 0..8 {
        let before = entries_read(&store).await;
        let deliveries = store.claim_deliveries(now(), held_until, 1, &[]).await.unwrap().len();
        let mails = store.claim_mails(now(), held_until, 20).await.unwrap().len();
        let read = entries_read(&store).await - before;
        assert!(mails == 20 && read < 1_000, "{read} entries for {deliveries} deliveries and {mails} mails");
    }
    store.close().await;
    database.drop().await;
}

/// Nearly all pending proposals have expired and nearly no invoice is overdue, yet a list does not read all the others.
#[tokio::test]
async fn pending_and_overdue_rows_that_are_rare_are_found_by_their_index() {
    let database = TestDatabase::create().await;
    let store = filled(&database).await;
    let not_due =
        "update invoices set status = 'open', voided_at = null, void_reason = null, due_date = '2027-01-01' where id > 50";
    store.connection().await.unwrap().execute(not_due).await.unwrap();
    store.connection().await.unwrap().execute("vacuum analyze").await.unwrap();
    let page = || PageRequest::new(25, None).unwrap();
    let all = ProposalFilter::default;
    let mut before = entries_read(&store).await;
    for visible_to in [None, customer()] {
        for status in [ProposalStatus::Pending, ProposalStatus::Accepted, ProposalStatus::Withdrawn] {
            store.list_proposals(&ProposalFilter { visible_to, status: Some(status), ..all() }, page(), now()).await.unwrap();
            let after = entries_read(&store).await;
            assert!(after - before < 60, "{status:?} reads {}", after - before);
            before = after;
        }
    }
    store.list_invoices(&InvoiceFilter { overdue: Some(true), ..InvoiceFilter::default() }, page(), now()).await.unwrap();
    let read = entries_read(&store).await - before;
    assert!(read < 60, "overdue reads {read}");
    store.close().await;
    database.drop().await;
}

/// Rule 8.8: what is decided, or recorded as overdue, costs nothing when more of it is looked for.
#[tokio::test]
async fn what_time_brought_is_found_without_what_is_recorded() {
    let database = TestDatabase::create().await;
    let store = filled(&database).await;
    let recorded = "update proposals set status = 'expired', decided_at = expires_at where expires_at is not null and status = 'pending' and id % 49 > 0; \
        update invoices set overdue_at = '2026-01-16' where status = 'open' and id % 49 > 0";
    store.connection().await.unwrap().execute(recorded).await.unwrap();
    store.connection().await.unwrap().execute("vacuum analyze").await.unwrap();
    for limit in [10, 1_000] {
        let before = entries_read(&store).await;
        let found = store.expired_proposals(now(), None, limit).await.unwrap().len()
            + store.overdue_invoices(now(), None, limit).await.unwrap().len();
        let read = entries_read(&store).await - before;
        assert!(found > 10 && read <= i64::try_from(found).unwrap() + 20, "{read} entries for {found}");
    }
    store.close().await;
    database.drop().await;
}

/// Rule 8.9: clearing reads the events that it clears and their readers, and no others.
#[tokio::test]
async fn clearing_events_reads_no_others() {
    let database = TestDatabase::create().await;
    let store = filled(&database).await;
    store.connection().await.unwrap().execute("update event_log set last_id = 4000").await.unwrap();
    let scans = async || {
        let scans =
            "select sum(seq_scan)::bigint from pg_stat_user_tables where relname in ('events', 'event_readers', 'trade_parties')";
        sqlx::query_scalar::<_, i64>(scans).fetch_one(&mut *store.connection().await.unwrap()).await.unwrap()
    };
    // From the sixth time on, a plan that was made once may be used again.
    for _ in 0..8 {
        let (entries, scanned) = (entries_read(&store).await, scans().await);
        assert_eq!(store.clear_events(now(), 50).await.unwrap(), 50);
        let read = entries_read(&store).await - entries;
        assert!(read < 300, "{read} entries for 50 events");
        assert_eq!(scans().await, scanned);
    }
    let left = "select (select count(*) from events) * 1000000 + (select count(*) from event_readers)";
    let left: i64 = sqlx::query_scalar(left).fetch_one(&mut *store.connection().await.unwrap()).await.unwrap();
    assert_eq!(left, 3_600_003_600);
    store.close().await;
    database.drop().await;
}

/// The number of index entries that were read so far, as Postgres counted them.
async fn entries_read(store: &PostgresRepository) -> i64 {
    store.connection().await.unwrap().execute("select pg_stat_force_next_flush()").await.unwrap();
    let read = "select sum(idx_tup_read)::bigint from pg_stat_user_indexes";
    sqlx::query_scalar(read).fetch_one(&mut *store.connection().await.unwrap()).await.unwrap()
}

/// A cached plan knows neither the length of a range nor the text of a search.
#[tokio::test]
async fn ranges_and_searches_are_planned_anew() {
    let database = TestDatabase::create().await;
    let store = &store(&database).await;
    let prepared = async || {
        sqlx::query("select from pg_prepared_statements").fetch_all(&mut *store.connection().await.unwrap()).await.unwrap().len()
    };
    let all = TradeFilter::default;
    // This query counts itself from the second time on.
    prepared().await;
    let before = prepared().await;
    store.list_trades(&TradeFilter { year_min: Some(1950), ..all() }, page(), now()).await.unwrap();
    store.list_trades(&TradeFilter { year_max: Some(1960), ..all() }, page(), now()).await.unwrap();
    store.list_trades(&TradeFilter { search: Some(Search::new("something")), ..all() }, page(), now()).await.unwrap();
    assert_eq!(prepared().await, before);
    store.list_trades(&TradeFilter { year_min: Some(1950), year_max: Some(1950), ..all() }, page(), now()).await.unwrap();
    assert_eq!(prepared().await, before + 1);
    database.drop().await;
}

/// A search finds rows by the trigrams of its words.
#[tokio::test]
async fn searches_use_their_trigrams() {
    let database = TestDatabase::create().await;
    let store = &store(&database).await;
    for table in ["users", "leads", "vehicles", "trades"] {
        let search = format!("select t.id from {table} t where t.search_text like '%something%' order by t.id desc limit 26");
        let statement = format!("prepare pinned as {search}");
        store.connection().await.unwrap().execute(AssertSqlSafe(statement)).await.unwrap();
        let plan = explain(store, "pinned", 0).await;
        store.connection().await.unwrap().execute("deallocate pinned").await.unwrap();
        assert!(plan.contains(&format!("{table}_search_idx")), "{plan}");
    }
    database.drop().await;
}

/// Expects that each statement that the store has prepared reads by an index with a condition.
pub(crate) async fn assert_rows_are_found_by_an_index(store: &PostgresRepository) {
    let prepared = "select name, cardinality(parameter_types)::text, statement from pg_prepared_statements";
    let prepared = sqlx::raw_sql(prepared).fetch_all(&mut *store.connection().await.unwrap()).await.unwrap();
    assert!(!prepared.is_empty());
    for row in prepared {
        let (name, statement): (String, String) = (row.get(0), row.get(2));
        let plan = explain(store, &name, row.get::<String, _>(1).parse().unwrap()).await;
        assert!(!plan.contains("Seq Scan"), "{statement}\n{plan}");
        let lines: Vec<_> = plan.lines().map(str::trim).collect();
        for pair in lines.windows(2) {
            let walks = pair[0].contains("Index Scan using") || pair[0].contains("Index Only Scan using");
            assert!(!walks || pair[1].starts_with("Index Cond"), "{} walks a whole index\n{statement}\n{plan}", pair[0]);
        }
    }
}
