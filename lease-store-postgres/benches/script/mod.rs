//! A trade cycle as a `pgbench` script: the statements of the store, word for word, with named arguments.

use std::fmt::Write as _;

use lease_store_postgres::PostgresRepository;
use sqlx::Row as _;

/// A statement of the store, as its connection has prepared it.
#[derive(Debug)]
struct Statement {
    text: String,
    types: Vec<String>,
}

impl Statement {
    /// The statement with these arguments, as `(place, expression)`. All others are null: a name that pgbench does not know.
    fn call(&self, arguments: &[(usize, &str)]) -> String {
        let mut pieces = self.text.split('$');
        let mut script = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let digits = piece.len() - piece.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (place, rest) = piece.split_at(digits);
            let place: usize = place.parse().expect("only arguments have a dollar");
            let given = arguments.iter().find(|(number, _)| *number == place).map_or(":null", |(_, given)| given);
            write!(script, "({given})::{}{rest}", self.types[place - 1]).unwrap();
        }
        plainly_named(&script)
    }
}

/// The names of the columns without the annotations for sqlx, because pgbench makes variables of them.
fn plainly_named(script: &str) -> String {
    let mut plain = String::new();
    for (number, piece) in script.split('"').enumerate() {
        let is_name = number % 2 == 1;
        plain.push_str(if is_name { piece.split(['!', '?']).next().unwrap_or_default() } else { piece });
    }
    plain
}

/// The statements that a connection has prepared in a cycle.
#[derive(Debug)]
pub(crate) struct Statements(Vec<Statement>);

impl Statements {
    /// The statements of the store's only connection.
    pub(crate) async fn of(store: &PostgresRepository) -> Self {
        let rows = sqlx::query("select statement, parameter_types::text[] from pg_prepared_statements").fetch_all(store.pool());
        Self(rows.await.unwrap().iter().map(|row| Statement { text: row.get(0), types: row.get(1) }).collect())
    }

    /// The statement that contains these words.
    fn with(&self, words: &str) -> &Statement {
        let mut found = self.0.iter().filter(|statement| statement.text.contains(words));
        let statement = found.next().unwrap_or_else(|| panic!("the store sent nothing with {words}"));
        assert!(found.next().is_none(), "the store sent several statements with {words}");
        statement
    }

    /// The cycle of an owner and a buyer. It expects the variables [`KNOWN`], `owner`, `buyer`, `card` and `service`.
    pub(crate) fn cycle(&self) -> String {
        let make_vehicle = self.with("insert into vehicles (").call(&[
            (3, ":owner"),
            (4, ":vin"),
            (5, ":make"),
            (6, ":model"),
            (7, "2003"),
            (8, "''"),
            (10, "''"),
            (11, "''"),
            (12, ":now"),
            (13, ":make"),
            (14, ":model"),
            (15, "' ' || :vin || ' ' || :make || ' ' || :model"),
        ]);
        let open = self.with("insert into trades (").call(&[
            (3, ":vehicle_id"),
            (4, "1"),
            (5, ":service"),
            (7, ":owner"),
            (8, "''"),
            (9, "''"),
            (10, ":open"),
            (11, ":now"),
            (12, "''"),
        ]);
        [
            r"\set vin random(10000000000000000, 99999999999999999)".to_owned(),
            r"\set key random(1, 9000000000000000000)".to_owned(),
            self.with("select id from vehicles where vin").call(&[(1, ":vin")]) + ";",
            make_vehicle + r" \gset vehicle_",
            self.with("as asked (vehicle_id, service_id)").call(&[(1, ":vehicle_id"), (2, ":service"), (3, ":owner")]) + ";",
            open + r" \gset trade_",
            self.load(":trade", ":trade_id", ":owner", ":null"),
            self.commit("1", &[&terms(":owner", "450"), &BILL]) + r" \gset first_",
            self.load(":trade", ":trade_id", ":buyer", ":null"),
            self.commit("2", &[&terms(":buyer", "400")]) + r" \gset counter_",
            self.load(":proposal", ":counter_proposal", ":owner", ":null"),
            self.commit("3", &[&ACCEPTED, &agreement(":agreed")]) + ";",
            self.load(":trade", ":trade_id", ":owner", ":null"),
            self.load(":invoice", ":first_invoice", ":owner", ":card"),
            self.commit("4", &[&BEGUN]) + r" \gset begun_",
            self.commit("5", &[&SETTLED, &agreement(":completed")]) + ";",
        ]
        .join("\n")
    }

    fn load(&self, kind: &str, id: &str, viewer: &str, card: &str) -> String {
        let (kind, id) = (format!("'{{' || {kind} || '}}'"), format!("'{{' || {id} || '}}'"));
        self.with("as key (kind, id, place)").call(&[(1, &kind), (2, &id), (3, viewer), (4, card), (5, ":today")]) + ";"
    }

    fn commit(&self, version: &str, changes: &[&[(usize, &str)]]) -> String {
        let arguments = [&[(3, ":trade_id"), (4, version)], &*changes.concat()].concat();
        self.with("proposals_changed as (").call(&arguments)
    }
}

/// The variables that the script defines: the words of the schema, and the day.
pub(crate) const KNOWN: [(&str, &str); 18] = [
    ("accepted", "accepted"),
    ("agreed", "agreed"),
    ("completed", "completed"),
    ("invoice", "invoice"),
    ("make", "honda"),
    ("model", "accord"),
    ("no", "false"),
    ("now", "2026-01-01T00:00:00Z"),
    ("open", "open"),
    ("paid", "paid"),
    ("pending", "pending"),
    ("proposal", "proposal"),
    ("reference", "sandbox-reference"),
    ("succeeded", "succeeded"),
    ("today", "2026-01-01"),
    ("trade", "trade"),
    ("until", "2027-01-01"),
    ("usd", "USD"),
];

/// A new proposal, as the arguments of a commit.
const fn terms<'a>(author: &'a str, amount: &'a str) -> [(usize, &'a str); 8] {
    [(12, author), (13, amount), (14, ":usd"), (15, ":today"), (16, ":until"), (17, "''"), (19, ":now"), (20, ":pending")]
}

/// The invoice for the listing of the vehicle.
const BILL: [(usize, &str); 5] = [(23, ":owner"), (24, "49"), (25, ":usd"), (26, ":now"), (27, ":today")];

/// Accepts the counter-proposal and closes the others.
const ACCEPTED: [(usize, &str); 4] = [(8, ":counter_proposal"), (9, ":accepted"), (10, ":now"), (11, ":now")];

/// Marks the trade as agreed, or as completed with what was agreed.
fn agreement(status: &str) -> Vec<(usize, &str)> {
    let mut state = vec![(50, status), (51, ":buyer"), (52, ":counter_proposal"), (53, ":now")];
    if status == ":completed" {
        state.push((54, ":now"));
    }
    state
}

/// Begins a payment: the whole amount due is pending.
const BEGUN: [(usize, &str); 13] = [
    (28, ":first_invoice"),
    (29, "0"),
    (30, "49"),
    (31, ":open"),
    (35, ":first_invoice"),
    (36, ":card"),
    (37, ":owner"),
    (38, "49"),
    (39, ":usd"),
    (40, ":pending"),
    (43, ":no"),
    (44, ":key"),
    (45, ":now"),
];

/// Marks the payment as succeeded and the invoice as paid.
const SETTLED: [(usize, &str); 8] = [
    (28, ":first_invoice"),
    (29, "49"),
    (30, "0"),
    (31, ":paid"),
    (32, ":now"),
    (46, ":begun_payment"),
    (47, ":succeeded"),
    (49, ":reference"),
];
