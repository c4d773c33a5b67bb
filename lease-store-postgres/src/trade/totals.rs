use chrono::{DateTime, Utc};
use lease_core::money::Currency;
use lease_core::repository::{Counted, RepositoryError, WeeklyTotal};
use rust_decimal::Decimal;
use sqlx::QueryBuilder;

use crate::database::Database;
use crate::row::Fields;

/// What is counted, and where it is: the currency, the amount and whether a row counts, the table, and when a row was made.
const COUNTED: [(Counted, &str, &str, &str); 3] = [
    (Counted::Trades, "null::text, null::numeric, true", "trades", "created_at"),
    (Counted::Invoices, "currency, amount, true", "invoices", "issued_at"),
    (Counted::Payments, "currency, amount, status = 'succeeded'", "payments", "created_at"),
];

pub(super) async fn weekly(database: &Database, since: DateTime<Utc>) -> Result<Vec<WeeklyTotal>, RepositoryError> {
    let statement = || {
        let mut query = QueryBuilder::new(
            "select counted, week, currency, count(*) filter (where counts), sum(amount) filter (where counts) from (",
        );
        for (place, (_, values, table, made)) in COUNTED.iter().enumerate() {
            let union = if place == 0 { "" } else { " union all " };
            query.push(format_args!("{union}select {place} as counted, floor(extract(epoch from {made} - "));
            query.push_bind(since).push(") / 604800)::bigint as week, ").push(values);
            query.push(format_args!(" from {table} where {made} >= ")).push_bind(since);
        }
        // Whether a row counts is judged here, so that it is the index of the weeks that finds it.
        query.push(") made (counted, week, currency, amount, counts) group by counted, week, currency");
        query.push(" having bool_or(counts) order by counted, week, currency");
        query
    };
    let rows = database.read(statement).await?;
    rows.iter().map(|row| read(Fields::of(row))).collect()
}

fn read(mut fields: Fields<'_>) -> Result<WeeklyTotal, RepositoryError> {
    let (place, week): (i32, i64) = (fields.get()?, fields.get()?);
    let counted = usize::try_from(place).ok().and_then(|place| COUNTED.get(place)).map(|(counted, ..)| *counted);
    let code: Option<&str> = fields.get()?;
    let currency = code.map(|code| fields.some("currency", Currency::from_stored(code))).transpose()?;
    let count: i64 = fields.get()?;
    let sum: Option<Decimal> = fields.get()?;
    // With the digits of the currency, like every other amount.
    let mut amount = sum.unwrap_or_default().normalize();
    amount.rescale(amount.scale().max(currency.map_or(0, Currency::digits)));
    Ok(WeeklyTotal {
        counted: fields.some("counted", counted)?,
        week: fields.parsed(week.try_into())?,
        count: fields.parsed(count.try_into())?,
        currency,
        amount,
    })
}
