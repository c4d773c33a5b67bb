//! Trades, and what is traded.

use lease_core::permission::{Act, Resource};

use super::{Action, Kind, Related, joined, may, offers, text};

pub(super) static TRADES: Kind = Kind {
    path: "trades",
    subject: "trade",
    one: "Trade",
    many: "Trades",
    none: "Trades appear here as soon as customers offer their vehicles.",
    fields: &[
        "id",
        "title",
        "status",
        "description",
        "customer_id",
        "counterparty_id",
        "service_id",
        "vehicle_id",
        "asking",
        "accepted_proposal_id",
        "invoice_id",
        "start_date",
        "end_date",
        "created_at",
        "agreed_at",
        "completed_at",
        "cancelled_at",
        "cancel_reason",
        "external_id",
        "metadata",
        "vehicle",
        "available_actions",
    ],
    columns: &["status", "customer_id", "counterparty_id", "service_id", "asking", "created_at"],
    name: |trade| {
        let vehicle = &trade["vehicle"];
        match text(trade, "title") {
            "" => joined(&[text(vehicle, "make"), text(vehicle, "model")]),
            title => title.to_owned(),
        }
    },
    related: &[
        Related::to("Proposals", "proposals", "trade_id"),
        Related::to("Invoice", "invoices", "trade_id"),
        Related { title: "Payments", kind: "payments", parameter: "invoice_id", field: "invoice_id" },
        Related { title: "Refunds", kind: "refunds", parameter: "invoice_id", field: "invoice_id" },
    ],
    create: None,
    actions: &[
        Action {
            facts: &["status", "vehicle_id", "customer_id", "counterparty_id", "start_date", "end_date"],
            ..Action::act(
                ("end", "End early"),
                "/api/trades/{id}/end",
                &["end_date", "reason"],
                |_, trade| offers(trade, "end"),
                (
                    "The vehicle is free again from the new end on. What was agreed stays in the accepted proposal.",
                    "The days end earlier now.",
                ),
            )
        },
        Action {
            facts: &[
                "status",
                "vehicle_id",
                "customer_id",
                "counterparty_id",
                "start_date",
                "end_date",
                "accepted_proposal_id",
                "invoice_id",
            ],
            needs_reason: |trade| trade["status"] == "agreed",
            is_final: true,
            ..Action::act(
                ("cancel", "Cancel trade"),
                "/api/trades/{id}/cancel",
                &["reason"],
                |_, trade| offers(trade, "cancel"),
                (
                    "Pending proposals are closed. If the trade was agreed, the accepted proposal is rescinded and its days are free \
                     again. An invoice remains as it is.",
                    "The trade is cancelled.",
                ),
            )
        },
    ],
};

pub(super) static PROPOSALS: Kind = Kind {
    path: "proposals",
    subject: "proposal",
    one: "Proposal",
    many: "Proposals",
    none: "Proposals appear here as soon as customers make them in trades.",
    fields: &[
        "id",
        "trade_id",
        "customer_id",
        "status",
        "amount",
        "currency",
        "start_date",
        "end_date",
        "message",
        "created_at",
        "expires_at",
        "decided_at",
        "available_actions",
    ],
    columns: &["status", "trade_id", "customer_id", "amount", "start_date", "end_date", "created_at"],
    name: |_| String::new(),
    related: &[],
    create: None,
    actions: &[],
};

pub(super) static VEHICLES: Kind = Kind {
    path: "vehicles",
    subject: "vehicle",
    one: "Vehicle",
    many: "Vehicles",
    none: "Vehicles appear here as soon as customers enter them.",
    fields: &[
        "id",
        "make",
        "model",
        "year",
        "customer_id",
        "vin",
        "chassis_number",
        "license_plate",
        "color",
        "mileage",
        "description",
        "created_at",
        "external_id",
        "metadata",
    ],
    columns: &["year", "customer_id", "vin", "license_plate", "mileage", "created_at"],
    name: |vehicle| joined(&[text(vehicle, "make"), text(vehicle, "model")]),
    related: &[Related::to("Trades", "trades", "vehicle_id")],
    create: None,
    actions: &[Action::edit(
        "/api/vehicles/{id}",
        &["make", "model", "year", "vin", "chassis_number", "license_plate", "color", "mileage", "description"],
        |actor, _| may(actor, Resource::Vehicle, Act::Update),
    )],
};

const SERVICE_FIELDS: &[&str] =
    &["name", "kind", "amount", "currency", "invoice_on", "bill_to", "payment_due_days", "description", "is_active"];

pub(super) static SERVICES: Kind = Kind {
    path: "services",
    subject: "service",
    one: "Service",
    many: "Services",
    none: "Create a service, so that customers can open trades under it.",
    fields: &[
        "id",
        "name",
        "kind",
        "is_active",
        "amount",
        "currency",
        "invoice_on",
        "bill_to",
        "payment_due_days",
        "description",
    ],
    columns: &["kind", "is_active", "amount", "invoice_on", "bill_to", "payment_due_days"],
    name: |service| text(service, "name").to_owned(),
    related: &[Related::to("Trades", "trades", "service_id")],
    create: Some(&Action::create("/api/services", "New service", SERVICE_FIELDS, |actor, _| {
        may(actor, Resource::Service, Act::Create)
    })),
    actions: &[
        Action::edit("/api/services/{id}", SERVICE_FIELDS, |actor, _| may(actor, Resource::Service, Act::Update)),
        Action::delete(
            ("deactivate", "Deactivate"),
            "/api/services/{id}",
            |actor, service| may(actor, Resource::Service, Act::Delete) && service["is_active"] == true,
            ("No new trades can be opened under it. Those that are open go on.", "The service is deactivated."),
        ),
    ],
};
