//! Pages of every list, with the filters that users use, by customers and by staff.

use lease_core::LeaseEngine;
use lease_core::id::{CustomerId, InvoiceId, PaymentId, ServiceId, TradeId, UserId, VehicleId};
use lease_core::model::{InvoiceStatus, PaymentStatus, ProposalStatus, RefundStatus, ServiceKind, TradeStatus};
use lease_core::page::{Cursor, DEFAULT_LIMIT, PageRequest, Place, PriceKey};
use lease_core::permission::Actor;
use lease_core::repository::{InvoiceFilter, PaymentFilter, ProposalFilter, RefundFilter, TradeFilter, TradeSort, VehicleFilter};
use lease_core::text::Search;

use crate::{Side, Times, customer};

/// The number of times that each page is read on each side.
const READS: u64 = 60;

/// A list with its request.
enum List {
    Trades(TradeFilter),
    Proposals(ProposalFilter),
    Invoices(InvoiceFilter),
    Payments(PaymentFilter),
    Refunds(RefundFilter),
    Vehicles(VehicleFilter),
}
use List::{Invoices, Payments, Proposals, Refunds, Trades, Vehicles};

impl List {
    /// A place in the middle of the list, where this is the id in the middle. Prices are from 100 to 5,099.
    fn place(&self, id: i64) -> Place {
        let sort = if let Trades(filter) = self { filter.sort } else { TradeSort::Newest };
        let key = PriceKey { is_descending: !sort.is_ascending(), amount: 2_600.into() };
        Place { id, price: sort.is_by_price().then_some(key) }
    }

    /// Reads a page; returns the number of its rows.
    async fn read(self, engine: &LeaseEngine, actor: &Actor, page: PageRequest) -> usize {
        match self {
            Trades(filter) => engine.list_trades(actor, filter, page).await.unwrap().items.len(),
            Proposals(filter) => engine.list_proposals(actor, filter, page).await.unwrap().items.len(),
            Invoices(filter) => engine.list_invoices(actor, filter, page).await.unwrap().items.len(),
            Payments(filter) => engine.list_payments(actor, filter, page).await.unwrap().items.len(),
            Refunds(filter) => engine.list_refunds(actor, filter, page).await.unwrap().items.len(),
            Vehicles(filter) => engine.list_vehicles(actor, filter, page).await.unwrap().items.len(),
        }
    }
}

/// The rows that the requests of a round are about.
struct Drawn {
    customer: i64,
    trade: i64,
}

impl Drawn {
    fn customer(&self) -> Option<CustomerId> {
        CustomerId::new(self.customer)
    }

    fn trade(&self) -> Option<TradeId> {
        TradeId::new(self.trade)
    }
}

/// A list, its caller (a customer or staff), and its filter.
type Case = (&'static str, bool, fn(&Drawn) -> List);

fn trades(set: impl FnOnce(&mut TradeFilter)) -> List {
    let mut filter = TradeFilter::default();
    set(&mut filter);
    Trades(filter)
}

fn vehicles(set: impl FnOnce(&mut VehicleFilter)) -> List {
    let mut filter = VehicleFilter::default();
    set(&mut filter);
    Vehicles(filter)
}

const CUSTOMER: bool = true;
const STAFF: bool = false;

const CASES: &[Case] = &[
    ("trades", CUSTOMER, |_| trades(|_| {})),
    ("trades: open", CUSTOMER, |_| trades(|of| of.status = Some(TradeStatus::Open))),
    ("trades: completed", CUSTOMER, |_| trades(|of| of.status = Some(TradeStatus::Completed))),
    ("trades: a service", CUSTOMER, |_| trades(|of| of.service_id = ServiceId::new(1))),
    ("trades: a kind", CUSTOMER, |_| trades(|of| of.kind = Some(ServiceKind::Sell))),
    ("trades: a make", CUSTOMER, |_| trades(|of| of.make = Some("make3".to_owned()))),
    ("trades: a make and model", CUSTOMER, |_| {
        trades(|of| {
            of.make = Some("make3".to_owned());
            of.model = Some("model3".to_owned());
        })
    }),
    ("trades: years", CUSTOMER, |_| trades(|of| (of.year_min, of.year_max) = (Some(2000), Some(2012)))),
    ("trades: by price", CUSTOMER, |_| trades(|of| of.sort = TradeSort::Price)),
    ("trades: a make, the dearest first", CUSTOMER, |_| {
        trades(|of| (of.sort, of.make) = (TradeSort::PriceDescending, Some("make3".to_owned())))
    }),
    ("trades: prices", CUSTOMER, |_| trades(|of| (of.price_min, of.price_max) = (Some(1_000.into()), Some(1_200.into())))),
    ("trades: a low price", CUSTOMER, |_| trades(|of| of.price_max = Some(101.into()))),
    ("trades: a low mileage", CUSTOMER, |_| trades(|of| of.mileage_max = Some(20_000))),
    ("trades: own", CUSTOMER, |drawn| trades(|of| of.customer_id = drawn.customer())),
    ("trades", STAFF, |_| trades(|_| {})),
    ("trades: open", STAFF, |_| trades(|of| of.status = Some(TradeStatus::Open))),
    ("trades: agreed", STAFF, |_| trades(|of| of.status = Some(TradeStatus::Agreed))),
    ("trades: a service", STAFF, |_| trades(|of| of.service_id = ServiceId::new(2))),
    ("trades: a vehicle", STAFF, |drawn| trades(|of| of.vehicle_id = VehicleId::new(drawn.trade))),
    ("trades: a customer", STAFF, |drawn| trades(|of| of.customer_id = drawn.customer())),
    ("trades: a make", STAFF, |_| trades(|of| of.make = Some("make3".to_owned()))),
    ("trades: a model", STAFF, |_| trades(|of| of.model = Some("model3".to_owned()))),
    ("trades: a status, kind and make", STAFF, |_| {
        trades(|of| {
            of.status = Some(TradeStatus::Completed);
            of.kind = Some(ServiceKind::Lease);
            of.make = Some("make3".to_owned());
        })
    }),
    ("trades: a year", STAFF, |_| trades(|of| (of.year_min, of.year_max) = (Some(2003), Some(2003)))),
    ("trades: years", STAFF, |_| trades(|of| (of.year_min, of.year_max) = (Some(2000), Some(2012)))),
    ("proposals", CUSTOMER, |_| Proposals(ProposalFilter::default())),
    ("proposals: pending", CUSTOMER, |_| {
        Proposals(ProposalFilter { status: Some(ProposalStatus::Pending), ..ProposalFilter::default() })
    }),
    ("proposals: accepted", CUSTOMER, |_| {
        Proposals(ProposalFilter { status: Some(ProposalStatus::Accepted), ..ProposalFilter::default() })
    }),
    ("proposals: expired", CUSTOMER, |_| {
        Proposals(ProposalFilter { status: Some(ProposalStatus::Expired), ..ProposalFilter::default() })
    }),
    ("proposals: a trade", CUSTOMER, |drawn| Proposals(ProposalFilter { trade_id: drawn.trade(), ..ProposalFilter::default() })),
    ("proposals: own", CUSTOMER, |drawn| {
        Proposals(ProposalFilter { customer_id: drawn.customer(), ..ProposalFilter::default() })
    }),
    ("proposals", STAFF, |_| Proposals(ProposalFilter::default())),
    ("proposals: accepted", STAFF, |_| {
        Proposals(ProposalFilter { status: Some(ProposalStatus::Accepted), ..ProposalFilter::default() })
    }),
    ("proposals: pending", STAFF, |_| {
        Proposals(ProposalFilter { status: Some(ProposalStatus::Pending), ..ProposalFilter::default() })
    }),
    ("proposals: expired", STAFF, |_| {
        Proposals(ProposalFilter { status: Some(ProposalStatus::Expired), ..ProposalFilter::default() })
    }),
    ("proposals: rejected", STAFF, |_| {
        Proposals(ProposalFilter { status: Some(ProposalStatus::Rejected), ..ProposalFilter::default() })
    }),
    ("proposals: a customer", STAFF, |drawn| {
        Proposals(ProposalFilter { customer_id: drawn.customer(), ..ProposalFilter::default() })
    }),
    ("invoices", CUSTOMER, |_| Invoices(InvoiceFilter::default())),
    ("invoices: open", CUSTOMER, |_| Invoices(InvoiceFilter { status: Some(InvoiceStatus::Open), ..InvoiceFilter::default() })),
    ("invoices: a trade", CUSTOMER, |drawn| Invoices(InvoiceFilter { trade_id: drawn.trade(), ..InvoiceFilter::default() })),
    ("invoices", STAFF, |_| Invoices(InvoiceFilter::default())),
    ("invoices: paid", STAFF, |_| Invoices(InvoiceFilter { status: Some(InvoiceStatus::Paid), ..InvoiceFilter::default() })),
    ("invoices: overdue", STAFF, |_| Invoices(InvoiceFilter { overdue: Some(true), ..InvoiceFilter::default() })),
    ("invoices: not overdue", STAFF, |_| Invoices(InvoiceFilter { overdue: Some(false), ..InvoiceFilter::default() })),
    ("invoices: a customer", STAFF, |drawn| {
        Invoices(InvoiceFilter { customer_id: drawn.customer(), ..InvoiceFilter::default() })
    }),
    ("payments", CUSTOMER, |_| Payments(PaymentFilter::default())),
    ("payments: succeeded", CUSTOMER, |_| {
        Payments(PaymentFilter { status: Some(PaymentStatus::Succeeded), ..PaymentFilter::default() })
    }),
    ("payments", STAFF, |_| Payments(PaymentFilter::default())),
    ("payments: succeeded", STAFF, |_| {
        Payments(PaymentFilter { status: Some(PaymentStatus::Succeeded), ..PaymentFilter::default() })
    }),
    ("payments: a customer", STAFF, |drawn| {
        Payments(PaymentFilter { customer_id: drawn.customer(), ..PaymentFilter::default() })
    }),
    ("refunds", CUSTOMER, |_| Refunds(RefundFilter::default())),
    ("refunds: a payment", CUSTOMER, |drawn| {
        Refunds(RefundFilter { payment_id: PaymentId::new(drawn.trade), ..RefundFilter::default() })
    }),
    ("refunds", STAFF, |_| Refunds(RefundFilter::default())),
    ("refunds: succeeded", STAFF, |_| Refunds(RefundFilter { status: Some(RefundStatus::Succeeded), ..RefundFilter::default() })),
    ("refunds: an invoice", STAFF, |drawn| {
        Refunds(RefundFilter { invoice_id: InvoiceId::new(drawn.trade), ..RefundFilter::default() })
    }),
    ("refunds: a customer", STAFF, |drawn| Refunds(RefundFilter { customer_id: drawn.customer(), ..RefundFilter::default() })),
    ("vehicles", CUSTOMER, |_| vehicles(|_| {})),
    ("vehicles: own", CUSTOMER, |drawn| vehicles(|of| of.customer_id = drawn.customer())),
    ("vehicles: a make", CUSTOMER, |_| vehicles(|of| of.make = Some("make3".to_owned()))),
    ("vehicles: years", CUSTOMER, |_| vehicles(|of| (of.year_min, of.year_max) = (Some(2000), Some(2012)))),
    ("vehicles", STAFF, |_| vehicles(|_| {})),
    ("vehicles: a customer", STAFF, |drawn| vehicles(|of| of.customer_id = drawn.customer())),
    ("vehicles: a make", STAFF, |_| vehicles(|of| of.make = Some("make3".to_owned()))),
    ("vehicles: a model", STAFF, |_| vehicles(|of| of.model = Some("model3".to_owned()))),
    ("vehicles: years", STAFF, |_| vehicles(|of| (of.year_min, of.year_max) = (Some(2000), Some(2012)))),
];

/// A word that occurs in one trade only, while every three letters of it occur in many others. The rows that its index finds have
/// to be compared, so only searches cost more if there are more rows to find.
const SEARCHES: &[Case] = &[
    ("trades: a search", CUSTOMER, |drawn| trades(|of| of.search = Some(Search::new(&format!("offer{}", drawn.trade))))),
    ("trades: a search", STAFF, |drawn| trades(|of| of.search = Some(Search::new(&format!("offer{}", drawn.trade))))),
];

/// Reads all lists that walk an index from row to row.
pub(crate) async fn lists(sides: &[Side; 2]) -> Vec<f64> {
    read(sides, CASES).await
}

/// Reads the lists that compare the rows that a trigram index finds.
pub(crate) async fn searches(sides: &[Side; 2]) -> Vec<f64> {
    read(sides, SEARCHES).await
}

/// Reads the first page of each list and one in the middle.
async fn read(sides: &[Side; 2], cases: &[Case]) -> Vec<f64> {
    let mut ratios = Vec::new();
    for case in cases {
        ratios.push(list(sides, case, false).await);
        ratios.push(list(sides, case, true).await);
    }
    ratios
}

async fn list(sides: &[Side; 2], (name, by_customer, list): &Case, in_the_middle: bool) -> f64 {
    // The second run is measured; the first one brings the pages into memory.
    read_each(sides, *by_customer, *list, in_the_middle).await;
    let (times, rows) = read_each(sides, *by_customer, *list, in_the_middle).await;
    let asker = if *by_customer { "a customer" } else { "staff" };
    let place = if in_the_middle { ", in the middle" } else { "" };
    let [few, many] = rows.map(|rows| rows as u64 / READS);
    times.report(&format!("{name}, by {asker}{place} ({few}, {many} rows)"))
}

/// Reads this many pages on each side; returns the durations and the numbers of rows.
async fn read_each(sides: &[Side; 2], by_customer: bool, list: fn(&Drawn) -> List, in_the_middle: bool) -> (Times, [usize; 2]) {
    let mut times = Times::default();
    let mut rows = [0, 0];
    for round in 0..READS {
        // The second side is asked for as many rows as the first one has, so that both do the same work.
        let mut limit = DEFAULT_LIMIT;
        for (number, side) in sides.iter().enumerate() {
            let drawn = Drawn { customer: Side::draw(round, side.trades / 10), trade: Side::draw(round, side.trades) };
            let actor = if by_customer { customer(drawn.customer) } else { Actor::Staff { user: UserId::new(1).unwrap() } };
            let middle = i64::try_from(side.trades / 2).unwrap();
            let list = list(&drawn);
            let page = PageRequest::new(limit, in_the_middle.then(|| Cursor::After(list.place(middle)))).unwrap();
            let (taken, found) = side.timed(list.read(&side.engine, &actor, page)).await;
            times.0[number].push(taken);
            rows[number] += found;
            limit = u8::try_from(found).unwrap().max(1);
        }
    }
    (times, rows)
}
