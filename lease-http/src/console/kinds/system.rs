//! What happened, and who is told of it.

use lease_core::permission::{Act, Resource};

use super::{Action, Kind, Related, may, text};
use crate::console::words::event_type;

pub(in crate::console) static EVENTS: Kind = Kind {
    path: "events",
    subject: "event",
    one: "Event",
    many: "Events",
    none: "Nothing has happened yet that the filter says.",
    fields: &["id", "type", "occurred_at", "actor", "subject", "trade_id", "changes", "data", "request_id"],
    columns: &["occurred_at", "actor", "subject", "changes"],
    name: |event| event_type(text(event, "type")),
    related: &[],
    create: None,
    actions: &[],
};

const ENDPOINT_FIELDS: &[&str] = &["url", "description", "event_types", "is_active"];

pub(super) static ENDPOINTS: Kind = Kind {
    path: "webhook-endpoints",
    subject: "webhook_endpoint",
    one: "Webhook endpoint",
    many: "Webhook endpoints",
    none: "Create an endpoint, so that another system is told of what happens here.",
    fields: &["id", "url", "description", "is_active", "disabled_reason", "event_types", "created_at"],
    columns: &["description", "is_active", "disabled_reason", "event_types", "created_at"],
    name: |endpoint| text(endpoint, "url").to_owned(),
    related: &[Related::to("Deliveries", "webhook-deliveries", "webhook_endpoint_id")],
    create: Some(&Action::create(
        "/api/webhook-endpoints",
        "New endpoint",
        &["url", "description", "event_types"],
        |actor, _| may(actor, Resource::WebhookEndpoint, Act::Create),
    )),
    actions: &[
        Action::edit("/api/webhook-endpoints/{id}", ENDPOINT_FIELDS, |actor, _| {
            may(actor, Resource::WebhookEndpoint, Act::Update)
        }),
        Action {
            is_grave: false,
            ..Action::act(
                ("test", "Send a test"),
                "/api/webhook-endpoints/{id}/test",
                &[],
                |actor, _| may(actor, Resource::WebhookEndpoint, Act::Update),
                ("It is sent a test in the background. The deliveries show what came of it.", "The test is queued."),
            )
        },
        Action::act(
            ("rotate-secret", "Rotate the secret"),
            "/api/webhook-endpoints/{id}/rotate-secret",
            &[],
            |actor, _| may(actor, Resource::WebhookEndpoint, Act::Update),
            ("It gets a new secret, which is shown once. The one before signs as well for 24 hours.", "The secret is rotated."),
        ),
        Action::delete(
            ("delete", "Delete"),
            "/api/webhook-endpoints/{id}",
            |actor, _| may(actor, Resource::WebhookEndpoint, Act::Delete),
            ("The endpoint and its deliveries are deleted. This cannot be undone.", "The endpoint is deleted."),
        )
        .for_ever(),
    ],
};

pub(in crate::console) static DELIVERIES: Kind = Kind {
    path: "webhook-deliveries",
    subject: "webhook_delivery",
    one: "Webhook delivery",
    many: "Webhook deliveries",
    none: "Nothing was delivered to this endpoint yet. Send it a test.",
    fields: &["id", "type", "status", "webhook_endpoint_id", "event_id", "next_attempt_at", "created_at", "tries"],
    columns: &["status", "next_attempt_at", "created_at"],
    name: |delivery| event_type(text(delivery, "type")),
    related: &[],
    create: None,
    actions: &[Action {
        is_grave: false,
        ..Action::act(
            ("redeliver", "Deliver again"),
            "/api/webhook-deliveries/{id}/redeliver",
            &[],
            |actor, _| may(actor, Resource::WebhookEndpoint, Act::Update),
            ("It is sent once more in the background, whatever became of it so far.", "It is queued once more."),
        )
    }],
};
