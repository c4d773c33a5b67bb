//! A whole Django Lease API: a thousand ordinary objects, and with ids from a thousand on every oddity that the guide names. As a dump,
//! and as the SQL that makes such a database.

use serde_json::{Map, Value, json};

/// Hashes of `Grüße an 3 Pferde!` that Django made, by each of its hashers: those of the users 1 to 6, in this order. Those after them
/// have the first.
pub(crate) const HASHES: [&str; 6] = [
    "pbkdf2_sha256$20000$short$QIqA7ViJXeEIRVLEXCN+afM7FSrZJd0G8yg5909PuW8=",
    "pbkdf2_sha1$100000$Zt8vPwQe2nB4$f563Z/CQdHzFzUnf9EZy9lziybU=",
    "argon2$argon2id$v=19$m=512,t=2,p=2$c29tZXNhbHQx$M/x+qUcuaAuc/hpl7XAeIY5llfxV2+v4JSR3IaZZJSs",
    "bcrypt_sha256$$2b$06$8UboO3uLyAxInEuY3mkuA.BBUBEDXLgL1uzNg77HpwJNFPyg62ivG",
    "bcrypt$$2b$06$pF2MZW1tz8bhbKmgCiZ5SeA7jbKVvOwSl6ZflPxV2LZy9vwJWLsCW",
    "scrypt$1024$salziges$8$1$UP1aFou6lwajU7B3VPIdyE3oc+fP3vMHdkd/xpabYhtSM5CdVlItHIzbS68uoGg9TJGzyvc5o6SlX1KzCZNweg==",
];

/// A password in the clear.
pub(crate) const IN_THE_CLEAR: &str = "Sonnenblume7";

/// The numbers of all cards.
pub(crate) const CARD_NUMBER: &str = "4242424242424242";

/// The users with ordinary customers, whose ids are 200 higher.
const PEOPLE: i64 = 110;
/// Who owns the vehicles of the odd trades, and who deals with them.
const OWNER: i64 = 201;
const OTHER: i64 = 202;

const LEASE: i64 = 1;
const SALE: i64 = 2;

const CREATED: &str = "2022-07-30T12:31:24.366Z";
const UPDATED: &str = "2022-08-02T08:00:00Z";

/// The token of a user.
pub(crate) fn token(user: i64) -> String {
    format!("{user:040x}")
}

#[derive(Default)]
struct Whole(Vec<Value>);

impl Whole {
    fn add(&mut self, model: &str, pk: impl Into<Value>, mut fields: Value) {
        let fields_of = fields.as_object_mut().unwrap();
        if model.starts_with("app_lease.") && model != "app_lease.proposal" {
            fields_of.entry("created_at").or_insert(CREATED.into());
            fields_of.entry("updated_at").or_insert(UPDATED.into());
        }
        self.0.push(json!({"model": model, "pk": pk.into(), "fields": fields}));
    }

    fn user(&mut self, id: i64, username: &str, email: &str, password: &str, role: &str) {
        let fields = json!({
            "password": password, "last_login": null, "is_superuser": role == "superuser", "username": username, "first_name": "Ada",
            "last_name": format!("Nr. {id}"), "email": email, "is_staff": role != "customer", "is_active": true,
            "date_joined": "2022-07-30T12:31:09.581Z", "groups": [], "user_permissions": [],
        });
        self.add("auth.user", id, fields);
    }

    fn customer(&mut self, id: i64, user: impl Into<Value>) {
        let fields = json!({
            "user": user.into(), "first_name": "Ada", "last_name": "Lovelace", "job": "Soil scientist", "notes": "Calls on Mondays.",
            "dob": "1990-12-31", "status": 1,
        });
        self.add("app_lease.customer", id, fields);
    }

    fn vehicle(&mut self, id: i64, customer: i64, make: &str, year: i64) {
        let fields = json!({
            "customer": customer, "make_model": "Acura RSX", "make": make, "model": "RSX", "category": "Van/Minivan",
            "machine_make_model": "Case 821FXR", "machine_make": "Liebherr", "machine_model": null, "machine_category": "Tractor",
            "year": year, "machine_year": 2004,
        });
        self.add("app_lease.vehicle", id, fields);
    }

    fn trade(&mut self, id: i64, vehicle: i64, service: i64, status: i64) {
        self.add("app_lease.trade", id, json!({"service": service, "vehicle": vehicle, "note": "Well kept.", "status": status}));
    }

    /// A trade with a vehicle of its own.
    fn deal(&mut self, id: i64, service: i64, status: i64) {
        self.vehicle(id, OWNER, "Honda", 2005);
        self.trade(id, id, service, status);
    }

    fn proposal(&mut self, id: i64, trade: i64, by: i64, accepted_by: Option<i64>, amount: f64, status: i64) {
        let fields = json!({
            "trade": trade, "created_by_customer": by, "accepted_by_customer": accepted_by, "note": "Take it.", "system_note": null,
            "total_amount": amount, "total_days_to_pay": 1021, "down_payment": 5070.6, "_status": status, "pay_frequency": 4,
        });
        self.add("app_lease.proposal", id, fields);
    }

    fn invoice(&mut self, id: i64, trade: i64, customer: i64, amount: f64, status: i64) {
        let fields = json!({
            "trade": trade, "customer": customer, "system_note": null, "amount": amount, "_status": status, "due_date": "2022-08-29",
        });
        self.add("app_lease.invoice", id, fields);
    }

    fn payment(&mut self, id: i64, invoice: i64, card: i64, amount: f64) {
        self.add("app_lease.payment", id, json!({"creditcard": card, "invoice": invoice, "amount": amount}));
    }

    fn people(&mut self) {
        for user in 1..=PEOPLE {
            let hash = usize::try_from(user - 1).ok().and_then(|place| HASHES.get(place));
            let password = hash.copied().unwrap_or(if user > 100 { IN_THE_CLEAR } else { HASHES[0] });
            self.user(user, &format!("user{user}"), &format!("user{user}@example.com"), password, "customer");
            self.add("authtoken.token", token(user), json!({"user": user, "created": CREATED}));
            self.customer(user + 200, user);
            let lead = json!({
                "first_name": "Alexis", "last_name": "Ruiz", "source": "https://www.example.com", "notes": null, "dob": "1974-05-31",
            });
            self.add("app_lease.lead", user, lead);
            let contact = json!({
                "customer": user + 200, "lead": null, "phone": "+491701234567", "email": "", "note": "At night.", "type": 2,
            });
            self.add("app_lease.contact", user, contact);
            let card = json!({
                "customer": user + 200, "name_in_card": "Ada Lovelace", "provider": "VISA", "expire_month": 7, "expire_year": 2031,
                "security_code": "987", "card_number": CARD_NUMBER,
            });
            self.add("app_lease.creditcard", user, card);
        }
    }

    fn market(&mut self) {
        for (id, cost, service_type) in [(LEASE, 49.99, 1), (SALE, 199.0, 2), (3, 0.1 + 0.2, 7), (4, -1.0, 1)] {
            let fields = json!({
                "name": format!("Service {id}"), "cost": cost, "description": null, "when_to_pay": 1, "service_type": service_type,
            });
            self.add("app_lease.service", id, fields);
        }
        for id in 1..=90 {
            self.vehicle(id, id + 200, "Volvo", 2019);
            self.trade(id, id, SALE, 1);
            self.proposal(id, id, id + 200, None, 25_353.0, 1);
            self.proposal(id + 100, id, id + 201, None, 24_000.5, 1);
        }
    }

    fn odd_people(&mut self) {
        self.user(1001, "USER1", "one@example.com", HASHES[0], "customer");
        self.user(1002, "bob", "User2@Example.com", HASHES[0], "customer");
        self.user(1003, "admin", "", HASHES[0], "superuser");
        self.user(1004, "clerk", "clerk@example.com", HASHES[0], "staff");
        self.user(1005, "not a name", "five@example.com", HASHES[0], "customer");
        self.user(1006, "", "six@example.com", "md5$Psu3FfI7QMRmKtkjWsOHV3$37fad060852e3aa2b0bec2084088bb00", "customer");
        self.user(1007, "nocustomer", "seven@example.com", HASHES[0], "customer");
        self.user(1008, "user50@example.com", "eight@example.com", "", "customer");
        for user in [1001, 1002, 1005, 1006, 1008] {
            self.customer(user + 200, user);
        }
        self.customer(2001, 999_999);
        self.customer(2002, Value::Null);
        self.customer(2003, 1);
        self.customer(2004, 1003);
        self.add("authtoken.token", "TOO-SHORT", json!({"user": 1001, "created": CREATED}));
        self.add("authtoken.token", token(888_888), json!({"user": 888_888, "created": CREATED}));
        let lead = |first_name: &str| json!({"first_name": first_name, "last_name": "", "source": "", "notes": "x", "dob": null});
        self.add("app_lease.lead", 1001, lead(""));
        self.add("app_lease.lead", 1, lead("Double"));
        self.add("app_lease.lead", 0, lead("Zero"));
        let contact = |customer: Value, lead: Value, email: &str| json!({"customer": customer, "lead": lead, "phone": null, "email": email, "note": "n".repeat(400), "type": 1});
        self.add("app_lease.contact", 1001, contact(json!(201), json!(2), "both@example.com"));
        self.add("app_lease.contact", 1002, contact(Value::Null, Value::Null, "neither@example.com"));
        self.add("app_lease.contact", 1003, contact(json!(201), Value::Null, ""));
        self.add("app_lease.contact", 1004, contact(json!(2001), Value::Null, "dropped@example.com"));
        self.vehicle(1001, 2001, "Honda", 2005);
        self.vehicle(1002, OWNER, "", 2005);
        self.vehicle(1003, OWNER, "Cugnot", 1769);
    }

    fn odd_trades(&mut self) {
        // A lease without days, and its invoice, which is overdue.
        self.deal(2001, LEASE, 1);
        self.proposal(2001, 2001, OWNER, None, 900.0, 1);
        self.invoice(2001, 2001, OWNER, 49.99, 1);
        // A sale that is complete, and a later trade of what was sold.
        self.deal(2002, SALE, 2);
        self.proposal(2002, 2002, OWNER, Some(OTHER), 18_500.0, 2);
        self.invoice(2002, 2002, OWNER, 199.0, 2);
        self.payment(2002, 2002, 1, 199.0);
        self.trade(2010, 2002, LEASE, 1);
        // Nobody knows what was accepted.
        self.deal(2003, SALE, 2);
        self.proposal(2003, 2003, OWNER, None, 18_500.0, 1);
        self.invoice(2003, 2003, OWNER, 199.0, 1);
        self.payment(2003, 2003, 1, 10.0);
        // Two proposals were accepted, and two invoices written.
        self.deal(2004, SALE, 2);
        self.proposal(2004, 2004, OTHER, Some(OWNER), 18_500.0, 2);
        self.proposal(2104, 2004, 203, Some(OWNER), 18_000.0, 2);
        self.invoice(2004, 2004, OWNER, 199.0, 1);
        self.invoice(2104, 2004, OWNER, 199.0, 2);
        self.payment(2104, 2104, 1, 199.0);
        // The owner's proposal was accepted by nobody.
        self.deal(2005, SALE, 2);
        self.proposal(2005, 2005, OWNER, None, 18_500.0, 2);
        // A proposal was accepted, and the trade is open, and a later trade of the vehicle too.
        self.deal(2006, SALE, 1);
        self.proposal(2006, 2006, OTHER, Some(OWNER), 18_500.0, 2);
        self.invoice(2006, 2006, OWNER, 199.0, 1);
        self.trade(2009, 2006, SALE, 1);
        self.proposal(2009, 2009, OWNER, None, 17_000.0, 1);
        // Cancelled after it was agreed, and of another status; a trade without a vehicle.
        self.deal(2007, SALE, 3);
        self.proposal(2007, 2007, OTHER, Some(OWNER), 18_500.0, 2);
        self.deal(2008, SALE, 9);
        self.trade(2011, 777_777, SALE, 1);
        // Two open trades of a vehicle.
        self.deal(2019, SALE, 1);
        self.proposal(2019, 2019, OWNER, None, 17_000.0, 1);
        self.trade(2119, 2019, SALE, 1);
        // Proposals of all kinds.
        self.deal(2012, SALE, 1);
        for (id, by, amount, status) in [
            (2012, OTHER, 100.0, 1),
            (2112, OTHER, 110.0, 1),
            (2212, OTHER, 120.0, 3),
            (2312, OTHER, 130.0, 4),
            (2412, OWNER, 140.0, 5),
            (2512, OTHER, 150.0, 9),
            (2612, 2001, 160.0, 1),
            (2712, OTHER, 0.0, 1),
            (2812, 203, 100.005, 1),
            (2912, OWNER, 170.0, 3),
        ] {
            self.proposal(id, 2012, by, None, amount, status);
        }
        self.proposal(2999, 777_777, OWNER, None, 100.0, 1);
    }

    fn odd_money(&mut self) {
        for id in 2013..=2018 {
            self.deal(id, LEASE, 2);
            self.proposal(id, id, OWNER, Some(OTHER), 900.0, 2);
        }
        // Paid, without payments.
        self.invoice(2013, 2013, OWNER, 49.99, 2);
        // Paid with too much, and once more.
        self.invoice(2014, 2014, OWNER, 49.99, 2);
        self.payment(2014, 2014, 1, 60.0);
        self.payment(2114, 2014, 1, 5.0);
        // Billed to another than the owner, and over nothing.
        self.invoice(2015, 2015, 203, 49.99, 1);
        self.invoice(2016, 2016, OWNER, 0.0, 1);
        // Payments with another's card, over nothing and without a card; and one that counts.
        self.invoice(2017, 2017, OWNER, 49.99, 1);
        self.payment(2017, 2017, 3, 10.0);
        self.payment(2117, 2017, 1, 0.0);
        self.payment(2217, 2017, 777_777, 10.0);
        self.payment(2317, 2017, 1, 10.1);
        // Covered by its payments, though not marked as paid.
        self.invoice(2018, 2018, OWNER, 49.99, 1);
        self.payment(2018, 2018, 1, 49.99);
        self.invoice(2999, 777_777, OWNER, 49.99, 1);
        self.payment(2999, 777_777, 1, 10.0);
    }
}

/// All objects, as `dumpdata` writes them.
pub(crate) fn whole() -> Vec<Value> {
    let mut whole = Whole::default();
    whole.add("contenttypes.contenttype", 1, json!({"app_label": "admin", "model": "logentry"}));
    whole.people();
    whole.market();
    whole.odd_people();
    whole.odd_trades();
    whole.odd_money();
    whole.0
}

/// The statements that make these objects the rows of a database, where the engine is one that writes instants in this way.
pub(crate) fn sql(objects: &[Value], instant: fn(&str) -> String) -> Vec<String> {
    let mut statements = Vec::new();
    let mut known = Vec::new();
    for object in objects {
        let (model, fields) = (object["model"].as_str().unwrap(), object["fields"].as_object().unwrap());
        let table = model.replace('.', "_");
        let key = if model == "authtoken.token" { "key" } else { "id" };
        let columns: Map<String, Value> = std::iter::once((key.to_owned(), object["pk"].clone()))
            .chain(fields.iter().filter(|(_, value)| !value.is_array()).map(|(name, value)| (column(name), value.clone())))
            .collect();
        if !known.contains(&table) {
            let defined: Vec<_> = columns.keys().map(|name| format!("{name} {}", column_type(name))).collect();
            statements.push(format!("create table {table} ({})", defined.join(", ")));
            known.push(table.clone());
        }
        let names: Vec<_> = columns.keys().cloned().collect();
        let values: Vec<_> = columns.iter().map(|(name, value)| literal(name, value, instant)).collect();
        statements.push(format!("insert into {table} ({}) values ({})", names.join(", "), values.join(", ")));
    }
    statements
}

/// The column of a field: that of a reference ends in `_id`.
fn column(field: &str) -> String {
    let references = [
        "user",
        "customer",
        "lead",
        "service",
        "vehicle",
        "trade",
        "created_by_customer",
        "accepted_by_customer",
        "creditcard",
        "invoice",
    ];
    if references.contains(&field) { format!("{field}_id") } else { field.to_owned() }
}

fn column_type(column: &str) -> &'static str {
    match column {
        "is_active" | "is_staff" | "is_superuser" => "boolean",
        "cost" | "total_amount" | "down_payment" | "amount" => "double precision",
        "date_joined" | "last_login" | "created" | "created_at" | "updated_at" => "timestamp with time zone",
        "dob" | "due_date" => "date",
        "id" | "status" | "_status" | "type" | "service_type" | "when_to_pay" | "total_days_to_pay" | "pay_frequency" => "bigint",
        number if ["_id", "year", "_month"].iter().any(|end| number.ends_with(end)) => "bigint",
        _ => "text",
    }
}

fn literal(column: &str, value: &Value, instant: fn(&str) -> String) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    match value {
        Value::String(text) if column_type(column).starts_with("timestamp") => quoted(&instant(text)),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}
