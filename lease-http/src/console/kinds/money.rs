//! Invoices, and the money that is paid on them.

use super::{Action, Kind, Related, joined, offers, text};
use crate::console::words::sentence;

pub(super) static INVOICES: Kind = Kind {
    path: "invoices",
    subject: "invoice",
    one: "Invoice",
    many: "Invoices",
    none: "Invoices appear here as soon as a trade owes its fee.",
    fields: &[
        "id",
        "number",
        "status",
        "is_overdue",
        "due_date",
        "customer_id",
        "trade_id",
        "proposal_id",
        "amount",
        "amount_paid",
        "amount_due",
        "amount_refunded",
        "currency",
        "issued_at",
        "paid_at",
        "voided_at",
        "void_reason",
        "written_off_at",
        "write_off_reason",
    ],
    columns: &["status", "due_date", "customer_id", "trade_id", "amount", "amount_due"],
    name: |invoice| text(invoice, "number").to_owned(),
    related: &[Related::to("Payments", "payments", "invoice_id"), Related::to("Refunds", "refunds", "invoice_id")],
    create: None,
    actions: &[
        Action {
            name: "move-due-date",
            label: "Move due date",
            meaning: "The customer has until the end of the new day to pay on time.",
            done: "The due date is moved.",
            is_grave: true,
            facts: &["status", "due_date", "customer_id", "amount_due", "issued_at"],
            needs_reason: |_| true,
            ..Action::edit("/api/invoices/{id}", &["due_date", "reason"], |_, invoice| offers(invoice, "move_due_date"))
        },
        Action::act(
            ("write-off", "Write off"),
            "/api/invoices/{id}/write-off",
            &["reason"],
            |_, invoice| offers(invoice, "write_off"),
            ("What is still due is given up; what was paid is kept. This cannot be undone.", "The invoice is written off."),
        )
        .for_ever(),
        Action::act(
            ("void", "Void"),
            "/api/invoices/{id}/void",
            &["reason"],
            |_, invoice| offers(invoice, "void"),
            ("The invoice counts as settled, as if it had never been owed. This cannot be undone.", "The invoice is void."),
        )
        .for_ever(),
    ],
};

pub(super) static PAYMENTS: Kind = Kind {
    path: "payments",
    subject: "payment",
    one: "Payment",
    many: "Payments",
    none: "Payments appear here as soon as customers pay their invoices.",
    fields: &[
        "id",
        "status",
        "amount",
        "amount_refunded",
        "currency",
        "invoice_id",
        "customer_id",
        "credit_card_id",
        "is_late",
        "failure_code",
        "next_action",
        "gateway_reference",
        "created_at",
        "settled_at",
        "available_actions",
    ],
    columns: &["status", "amount", "amount_refunded", "invoice_id", "customer_id", "failure_code", "created_at"],
    name: |_| String::new(),
    related: &[Related::to("Refunds", "refunds", "payment_id")],
    create: None,
    actions: &[
        Action {
            facts: &["status", "amount", "amount_refunded", "customer_id", "credit_card_id", "invoice_id"],
            makes: Some("refunds"),
            is_final: true,
            ..Action::act(
                ("refund", "Refund"),
                "/api/payments/{id}/refunds",
                &["amount", "reason", "note"],
                |_, payment| offers(payment, "refund"),
                (
                    "The money goes back to the card. The invoice and the trade stay as they are. Without an amount all is refunded \
                     that was not refunded yet.",
                    "The refund is made. Its state is beside its name.",
                ),
            )
        },
        Action {
            facts: &["status", "amount", "customer_id", "invoice_id", "created_at"],
            needs_reason: |_| true,
            ..Action::act(
                ("cancel", "Cancel payment"),
                "/api/payments/{id}/cancel",
                &["reason"],
                |_, payment| offers(payment, "cancel"),
                ("The card is not charged, and the invoice stays due.", "The payment is cancelled."),
            )
        },
    ],
};

pub(super) static REFUNDS: Kind = Kind {
    path: "refunds",
    subject: "refund",
    one: "Refund",
    many: "Refunds",
    none: "Refunds appear here as soon as a payment is refunded, from the page of the payment.",
    fields: &[
        "id",
        "status",
        "amount",
        "currency",
        "reason",
        "note",
        "payment_id",
        "invoice_id",
        "customer_id",
        "credit_note_number",
        "failure_code",
        "gateway_reference",
        "created_at",
        "settled_at",
    ],
    columns: &["status", "amount", "reason", "payment_id", "customer_id", "created_at"],
    name: |refund| text(refund, "credit_note_number").to_owned(),
    related: &[],
    create: None,
    actions: &[],
};

pub(super) static CREDIT_CARDS: Kind = Kind {
    path: "credit-cards",
    subject: "credit_card",
    one: "Credit card",
    many: "Credit cards",
    none: "Cards appear here as soon as customers store them.",
    fields: &["id", "brand", "last4", "holder_name", "exp_month", "exp_year", "is_default", "customer_id", "created_at"],
    columns: &["holder_name", "exp_month", "exp_year", "is_default", "customer_id", "created_at"],
    name: |card| match text(card, "last4") {
        "" => String::new(),
        last4 => joined(&[&sentence(text(card, "brand")), "•", last4]),
    },
    related: &[Related::to("Payments", "payments", "credit_card_id")],
    create: None,
    actions: &[],
};
