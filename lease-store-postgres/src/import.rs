//! An import: all rows of another system at once, in one transaction on a connection of its own.
//!
//! Trades and their proposals refer to each other, and the constraints between them are checked after each statement. So a trade that was
//! agreed is written as if it had not been, and then both are moved on by one statement.

use std::collections::HashMap;

use lease_core::id::{Id, Stored, UserId};
use lease_core::import::Import;
use lease_core::model::{
    Customer, Invoice, LoginName, OfferedVehicle, Payment, Period, Proposal, ProposalState, ProposalStatus, Trade, TradeState,
    User,
};
use lease_core::repository::RepositoryError;
use sqlx::postgres::{PgConnection, Postgres};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, QueryBuilder, Row as _};

use crate::PostgresRepository;
use crate::check;
use crate::error::Failure;
use crate::row::{
    ANNOTATIONS, Fields, INVOICE_STATE, OFFERED, PAYMENT_STATE, TRADE_STATE, Table as _, Values, WriteTable, push_columns,
    write_annotations, write_invoice_state, write_payment_state, write_trade_state,
};

/// The most rows of a statement, so that it has fewer arguments than Postgres takes.
const ROWS_AT_ONCE: usize = 1_000;

/// The reason why nothing was imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The invariants do not hold in the import: the violations.
    #[error("the import breaks the invariants: {}", .0.join("; "))]
    Broken(Vec<String>),
    /// The database holds more than what a server makes that has just been started.
    #[error("the database holds {what} already: an import needs an empty database")]
    NotEmpty {
        /// What it holds.
        what: &'static str,
    },
    /// The superuser of the database has the user name or the e-mail address of a user of the import.
    #[error(
        "the superuser of the database has the user name or the e-mail address of user {0} of the import: take a database without it"
    )]
    SameName(UserId),
    /// The database cannot be reached, or refuses the rows.
    #[error(transparent)]
    Store(#[from] RepositoryError),
}

impl From<sqlx::Error> for ImportError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(Failure::from(error).into())
    }
}

impl PostgresRepository {
    /// Writes an import, or nothing. The database must be empty but for what a server makes when it is started: standard services that
    /// nothing uses are deleted, and one superuser stays, under a new id and without tokens.
    ///
    /// No events are recorded. Those that there were are cleared, and so the events of the imported rows count as cleared too.
    ///
    /// # Errors
    /// [`ImportError`].
    pub async fn import(&self, import: &Import) -> Result<(), ImportError> {
        let violations = import.books().violations();
        if !violations.is_empty() {
            return Err(ImportError::Broken(violations));
        }
        let connect = self.options.connect_options(self.connect.clone()).application_name("lease import");
        let mut connection = PgConnection::connect_with(&connect).await.map_err(check::connecting)?;
        connection.execute(AssertSqlSafe(self.options.begin())).await?;
        connection
            .execute("set local statement_timeout = 0; set local enable_seqscan = on; set local enable_hashjoin = on")
            .await?;
        Writer(&mut connection).write(import).await?;
        connection.execute(self.options.pooler.commit()).await?;
        connection.close().await?;
        Ok(())
    }
}

/// What may be in the database, and what that is called. Each is a condition for that it is.
const NOT_EMPTY: [(&str, &str); 7] = [
    ("customers", "exists (select from users where role <> 'superuser') or exists (select from customers)"),
    ("several superusers", "(select count(*) from users) > 1"),
    ("vehicles, trades or leads", "exists (select from vehicles) or exists (select from trades) or exists (select from leads)"),
    ("contacts or cards", "exists (select from contacts) or exists (select from credit_cards)"),
    (
        "services of its own",
        "exists (select from services where is_used or version > 1 or (name, kind) not in (('Lease', 'lease'), ('Sell', 'sell')))",
    ),
    ("webhook endpoints", "exists (select from webhook_endpoints)"),
    ("mails", "exists (select from mails)"),
];

/// Writes rows in a transaction.
struct Writer<'c>(&'c mut PgConnection);

impl Writer<'_> {
    async fn write(&mut self, import: &Import) -> Result<(), ImportError> {
        self.0.execute("lock table users, services, vehicles, trades in exclusive mode").await?;
        for (what, condition) in NOT_EMPTY {
            if sqlx::query(AssertSqlSafe(format!("select {condition}"))).fetch_one(&mut *self.0).await?.try_get(0)? {
                return Err(ImportError::NotEmpty { what });
            }
        }
        let superuser = self.take_superuser().await?;
        self.0.execute("delete from services").await?;
        self.clear_events().await?;
        let kept = superuser.as_ref().map(|superuser| make_room(superuser, import)).transpose()?;
        let users: Vec<_> = import.users.iter().chain(&kept).cloned().collect();
        self.accounts(import, &users).await?;
        self.rows(&import.cards).await?;
        self.rows(&import.leads).await?;
        self.rows(&import.contacts).await?;
        self.rows(&import.vehicles).await?;
        self.rows(&import.services).await?;
        self.trades(import).await?;
        self.parties().await?;
        self.move_sequences(import).await
    }

    /// Deletes the superuser that there is, with its tokens, and returns it.
    async fn take_superuser(&mut self) -> Result<Option<Stored<User>>, ImportError> {
        let mut query = QueryBuilder::new("select ");
        push_columns::<User>(&mut query, "u");
        let row = query.push(" from users u").build().fetch_optional(&mut *self.0).await?;
        let superuser = row.map(|row| Fields::of(&row).row::<User>()).transpose()?;
        self.0.execute("delete from users").await?;
        Ok(superuser)
    }

    /// Takes the first place of the log, so that something counts as cleared even if there was nothing.
    async fn clear_events(&mut self) -> Result<(), ImportError> {
        let clear = "select place_events(9223372036854775807); delete from event_readers; delete from events; \
                     update event_log set last_id = greatest(last_id, 1), cleared_id = greatest(last_id, 1)";
        Ok(sqlx::raw_sql(clear).execute(&mut *self.0).await.map(drop)?)
    }

    async fn accounts(&mut self, import: &Import, users: &[Stored<User>]) -> Result<(), ImportError> {
        self.insert(User::NAME, &["id, last_login", User::WRITTEN], users, |values, user| {
            user.write(values.push_bind(user.id.get()).push_bind(user.last_login));
        })
        .await?;
        let names = users.iter().flat_map(|user| user.login_names().into_iter().map(|name| (name, user.id)));
        let names: HashMap<LoginName, UserId> = names.collect();
        let names: Vec<_> = names.into_iter().collect();
        self.insert("login_names", &["name, user_id"], &names, |values, (name, user)| {
            values.push_bind(name.as_str()).push_bind(user.get());
        })
        .await?;
        let active: HashMap<_, _> = users.iter().map(|user| (user.id, user.is_active)).collect();
        self.insert(Customer::NAME, &["id, is_active", Customer::WRITTEN], &import.customers, |values, customer| {
            let is_active = active.get(&customer.user_id).copied().unwrap_or_default();
            customer.write(values.push_bind(customer.id.get()).push_bind(is_active));
        })
        .await?;
        self.rows(&import.tokens).await
    }

    /// Trades, proposals, invoices and payments.
    async fn trades(&mut self, import: &Import) -> Result<(), ImportError> {
        let kinds: HashMap<_, _> = import.services.iter().map(|service| (service.id, service.kind)).collect();
        let columns = "id, vehicle_id, service_id, service_kind, customer_id, title, description, created_at, search_text";
        self.insert(Trade::NAME, &[columns, TRADE_STATE, OFFERED.0, ANNOTATIONS], &import.trades, |values, trade| {
            values
                .push_bind(trade.id.get())
                .push_bind(trade.vehicle_id.get())
                .push_bind(trade.service_id.get())
                .push_bind(kinds.get(&trade.service_id).map(|kind| <&str>::from(*kind)))
                .push_bind(trade.customer_id.get())
                .push_bind(&trade.title)
                .push_bind(&trade.description)
                .push_bind(trade.created_at)
                .push_bind(trade.search_text());
            write_trade_state(values, &not_agreed(trade));
            write_offered(values, &trade.offered);
            write_annotations(values, &trade.annotations);
        })
        .await?;
        let open: HashMap<_, _> = import.trades.iter().map(|trade| (trade.id, (trade.customer_id, trade.is_open()))).collect();
        let columns = "id, trade_id, trade_owner_id, is_public, customer_id, amount, currency, start_date, end_date, message, \
                       expires_at, created_at, status, decided_at";
        self.insert(Proposal::NAME, &[columns], &import.proposals, |values, proposal| {
            let (owner, is_open) =
                open.get(&proposal.trade_id).map_or((None, false), |(owner, is_open)| (Some(*owner), *is_open));
            let state = not_accepted(proposal.state);
            values
                .push_bind(proposal.id.get())
                .push_bind(proposal.trade_id.get())
                .push_bind(number(owner))
                .push_bind(is_open && owner == Some(proposal.customer_id))
                .push_bind(proposal.customer_id.get())
                .push_bind(proposal.amount.amount())
                .push_bind(proposal.amount.currency().code())
                .push_bind(proposal.period.map(Period::start))
                .push_bind(proposal.period.map(Period::end))
                .push_bind(&proposal.message)
                .push_bind(proposal.expires_at)
                .push_bind(proposal.created_at)
                .push_bind::<&str>(ProposalStatus::from(state).into())
                .push_bind(state.decided_at());
        })
        .await?;
        let agreed: Vec<_> = import.trades.iter().filter(|trade| trade.agreement().is_some()).collect();
        for agreed in agreed.chunks(ROWS_AT_ONCE) {
            self.agree(agreed).await?;
        }
        self.invoices(&import.invoices).await?;
        self.payments(&import.payments).await
    }

    /// Moves trades and their accepted proposals on.
    async fn agree(&mut self, trades: &[&Stored<Trade>]) -> Result<(), ImportError> {
        let mut query = QueryBuilder::<Postgres>::new(format!("with agreed (id, {TRADE_STATE}) as ("));
        query.push_values(trades, |mut values, trade| {
            values.push_bind(trade.id.get());
            write_trade_state(&mut values, &trade.state);
        });
        query.push(
            "), accepted as (update proposals p set status = case agreed.status when 'cancelled' then 'rescinded' else 'accepted' end \
             from agreed where p.id = agreed.accepted_proposal_id) update trades t set (",
        );
        query.push(TRADE_STATE).push(") = row(agreed.").push(TRADE_STATE.replace(", ", ", agreed."));
        query.push(") from agreed where t.id = agreed.id");
        Ok(query.build().execute(&mut *self.0).await.map(drop)?)
    }

    async fn invoices(&mut self, invoices: &[Stored<Invoice>]) -> Result<(), ImportError> {
        let columns =
            "id, trade_id, proposal_id, customer_id, amount, currency, paid, pending, refunded, issued_at, due_date, overdue_at";
        self.insert(Invoice::NAME, &[columns, INVOICE_STATE], invoices, |values, invoice| {
            values
                .push_bind(invoice.id.get())
                .push_bind(invoice.trade_id.get())
                .push_bind(invoice.proposal_id.get())
                .push_bind(invoice.customer_id.get())
                .push_bind(invoice.amount.amount())
                .push_bind(invoice.amount.currency().code())
                .push_bind(invoice.paid.amount())
                .push_bind(invoice.pending.amount())
                .push_bind(invoice.refunded.amount())
                .push_bind(invoice.issued_at)
                .push_bind(invoice.due_date)
                .push_bind(invoice.overdue_at);
            write_invoice_state(values, &invoice.state);
        })
        .await
    }

    async fn payments(&mut self, payments: &[Stored<Payment>]) -> Result<(), ImportError> {
        let columns = "id, invoice_id, credit_card_id, customer_id, amount, currency, refunded, refunding, gateway_reference, is_late, \
                       charge_key, created_at";
        self.insert(Payment::NAME, &[columns, PAYMENT_STATE], payments, |values, payment| {
            values
                .push_bind(payment.id.get())
                .push_bind(payment.invoice_id.get())
                .push_bind(payment.credit_card_id.get())
                .push_bind(payment.customer_id.get())
                .push_bind(payment.amount.amount())
                .push_bind(payment.amount.currency().code())
                .push_bind(payment.refunded.amount())
                .push_bind(payment.refunding.amount())
                .push_bind(payment.gateway_reference.as_deref())
                .push_bind(payment.is_late)
                .push_bind(payment.charge_key.as_str())
                .push_bind(payment.created_at);
            write_payment_state(values, &payment.state);
        })
        .await
    }

    /// Who has to do with each trade and each vehicle, as the commits of a trade write it.
    async fn parties(&mut self) -> Result<(), ImportError> {
        let of_trades = "insert into trade_parties (customer_id, trade_id) select customer_id, id from trades \
                         union select counterparty_id, id from trades where counterparty_id is not null \
                         union select customer_id, trade_id from proposals";
        let of_vehicles = "insert into vehicle_parties (customer_id, vehicle_id) select distinct party.id, v.id \
                           from vehicles v join trades t on t.vehicle_id = v.id, unnest(array[t.customer_id, t.counterparty_id]) as party (id) \
                           where v.customer_id in (t.customer_id, t.counterparty_id) and party.id is not null";
        for statement in [of_trades, of_vehicles] {
            self.0.execute(statement).await?;
        }
        Ok(())
    }

    /// New rows get ids after all that the other system gave.
    async fn move_sequences(&mut self, import: &Import) -> Result<(), ImportError> {
        let last = &import.last_ids;
        let last_ids = [
            ("users", number(last.user)),
            ("tokens", None),
            ("customers", number(last.customer)),
            ("credit_cards", number(last.credit_card)),
            ("leads", number(last.lead)),
            ("contacts", number(last.contact)),
            ("vehicles", number(last.vehicle)),
            ("services", number(last.service)),
            ("trades", number(last.trade)),
            ("proposals", number(last.proposal)),
            ("invoices", number(last.invoice)),
            ("payments", number(last.payment)),
        ];
        for (table, last) in last_ids {
            let mut query =
                QueryBuilder::<Postgres>::new(format!("select setval(pg_get_serial_sequence('{table}', 'id'), last) from "));
            query
                .push("(select greatest(max(id), ")
                .push_bind(last)
                .push(format!(") as last from {table}) t where last is not null"));
            query.build().execute(&mut *self.0).await?;
        }
        Ok(())
    }

    /// Inserts the rows of a table that is written as a whole.
    async fn rows<T: WriteTable>(&mut self, rows: &[Stored<T>]) -> Result<(), ImportError> {
        self.insert(T::NAME, &["id", T::WRITTEN], rows, |values, row| row.write(values.push_bind(row.id.get()))).await
    }

    async fn insert<R>(
        &mut self,
        table: &str,
        columns: &[&str],
        rows: &[R],
        write: impl Fn(&mut Values<'_>, &R),
    ) -> Result<(), ImportError> {
        let columns = columns.join(", ");
        let overriding = if columns.starts_with("id") { "overriding system value " } else { "" };
        for rows in rows.chunks(ROWS_AT_ONCE) {
            let mut query = QueryBuilder::<Postgres>::new(format!("insert into {table} ({columns}) {overriding}"));
            query.push_values(rows, |mut values, row| write(&mut values, row));
            query.build().persistent(false).execute(&mut *self.0).await?;
        }
        Ok(())
    }
}

/// The superuser under an id after those of the import, if no user of it has its names.
fn make_room(superuser: &Stored<User>, import: &Import) -> Result<Stored<User>, ImportError> {
    let names = superuser.login_names();
    let has_one = |user: &&Stored<User>| user.login_names().iter().any(|name| names.contains(name));
    if let Some(same) = import.users.iter().find(has_one) {
        return Err(ImportError::SameName(same.id));
    }
    let last = import.last_ids.user.max(import.users.last().map(|user| user.id)).map_or(0, UserId::get);
    let id = UserId::new(last.saturating_add(1)).unwrap_or(superuser.id);
    Ok(Stored { id, value: superuser.value.clone() })
}

fn number<I: Id>(id: Option<I>) -> Option<i64> {
    id.map(I::get)
}

/// The state in which a trade is written first.
fn not_agreed(trade: &Trade) -> TradeState {
    match trade.agreement() {
        Some(agreement) => TradeState::Cancelled { cancelled_at: agreement.agreed_at, reason: String::new(), agreement: None },
        None => trade.state.clone(),
    }
}

/// The state in which a proposal is written first.
fn not_accepted(state: ProposalState) -> ProposalState {
    match state {
        ProposalState::Accepted { at } | ProposalState::Rescinded { at } => ProposalState::Closed { at },
        other => other,
    }
}

/// Writes the columns of what a trade offers.
fn write_offered(values: &mut Values<'_>, offered: &OfferedVehicle) {
    values
        .push_bind(offered.make_key())
        .push_bind(offered.model_key())
        .push_bind(offered.year)
        .push_bind(offered.vin().map(|vin| vin.as_str().to_owned()))
        .push_bind(offered.chassis_number().map(|number| number.as_str().to_owned()))
        .push_bind(offered.make.clone())
        .push_bind(offered.model.clone())
        .push_bind(offered.color.clone())
        .push_bind(offered.mileage)
        .push_bind(offered.license_plate.clone())
        .push_bind(offered.description.clone());
}
