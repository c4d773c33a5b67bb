use strum::VariantArray as _;

/// Declares the types of events, grouped by the kind of object that they are about.
macro_rules! event_types {
    ($($(#[$kind_doc:meta])* $kind:ident {$($(#[$doc:meta])* $variant:ident = $name:literal,)+})+) => {
        /// The type of an event (rule 8.3). Its name is that of the kind of object, a dot, and what happened: `trade.agreed`.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, strum::Display, strum::EnumString, strum::IntoStaticStr,
            strum::VariantArray,
        )]
        pub enum EventType {$($(
            $(#[$doc])*
            #[strum(serialize = $name)]
            $variant,
        )+)+}

        /// The kind of an object that an event is about: what stands before the dot of the type.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, strum::Display, strum::EnumString, strum::IntoStaticStr,
            strum::VariantArray,
        )]
        #[strum(serialize_all = "snake_case")]
        pub enum SubjectKind {$(
            $(#[$kind_doc])*
            $kind,
        )+}

        impl EventType {
            /// The kind of object that events of this type are about.
            #[must_use]
            pub const fn subject_kind(self) -> SubjectKind {
                match self {$(
                    $(Self::$variant)|+ => SubjectKind::$kind,
                )+}
            }
        }
    };
}

crate::as_text::as_text!(EventType, SubjectKind);

impl EventType {
    /// The types that a pattern names: the one of this name, or with `trade.*` all about objects of a kind. Other texts name none.
    ///
    /// ```
    /// use lease_core::event::EventType::{self, TokenCreated, TokenRevoked};
    ///
    /// assert_eq!(EventType::named("token.revoked"), [TokenRevoked]);
    /// assert_eq!(EventType::named("token.*"), [TokenCreated, TokenRevoked]);
    /// assert_eq!(EventType::named("token"), []);
    /// ```
    #[must_use]
    pub fn named(pattern: &str) -> Vec<Self> {
        match pattern.strip_suffix(".*").map(str::parse::<SubjectKind>) {
            Some(Ok(kind)) => Self::VARIANTS.iter().copied().filter(|one| one.subject_kind() == kind).collect(),
            Some(Err(_)) => Vec::new(),
            None => pattern.parse().into_iter().collect(),
        }
    }
}

impl SubjectKind {
    /// The name of a fact that is the id of such an object.
    pub(super) const fn id_field(self) -> &'static str {
        match self {
            Self::User => "user_id",
            Self::Token => "token_id",
            Self::Customer => "customer_id",
            Self::CreditCard => "credit_card_id",
            Self::Contact => "contact_id",
            Self::Lead => "lead_id",
            Self::Vehicle => "vehicle_id",
            Self::Service => "service_id",
            Self::Trade => "trade_id",
            Self::Proposal => "proposal_id",
            Self::Invoice => "invoice_id",
            Self::Payment => "payment_id",
            Self::Refund => "refund_id",
            Self::WebhookEndpoint => "webhook_endpoint_id",
        }
    }
}

event_types! {
    /// A user.
    User {
        /// Somebody registered: a user and its customer were created.
        UserRegistered = "user.registered",
        /// A user was created by somebody else.
        UserCreated = "user.created",
        /// A user's data changed.
        UserUpdated = "user.updated",
        /// A user's password changed.
        UserPasswordChanged = "user.password_changed",
        /// A user was deactivated.
        UserDeactivated = "user.deactivated",
        /// A user was activated again.
        UserReactivated = "user.reactivated",
        /// A user logged in.
        UserLoggedIn = "user.logged_in",
    }
    /// A token.
    Token {
        /// A token was created.
        TokenCreated = "token.created",
        /// One token, or several of a user, were revoked.
        TokenRevoked = "token.revoked",
    }
    /// A customer.
    Customer {
        /// A customer's profile changed.
        CustomerUpdated = "customer.updated",
    }
    /// A credit card.
    CreditCard {
        /// A credit card was added.
        CreditCardAdded = "credit_card.added",
        /// A credit card changed.
        CreditCardUpdated = "credit_card.updated",
        /// A credit card was deleted.
        CreditCardDeleted = "credit_card.deleted",
    }
    /// A contact.
    Contact {
        /// A contact was created.
        ContactCreated = "contact.created",
        /// A contact changed.
        ContactUpdated = "contact.updated",
        /// A contact was deleted.
        ContactDeleted = "contact.deleted",
    }
    /// A lead.
    Lead {
        /// A lead was created.
        LeadCreated = "lead.created",
        /// A lead changed.
        LeadUpdated = "lead.updated",
        /// A lead was deleted, together with its contacts.
        LeadDeleted = "lead.deleted",
        /// A lead was converted to a customer, to whom its contacts went.
        LeadConverted = "lead.converted",
    }
    /// A vehicle.
    Vehicle {
        /// A vehicle was created.
        VehicleCreated = "vehicle.created",
        /// A vehicle changed.
        VehicleUpdated = "vehicle.updated",
        /// A vehicle was deleted.
        VehicleDeleted = "vehicle.deleted",
        /// A vehicle changed hands.
        VehicleTransferred = "vehicle.transferred",
    }
    /// A service.
    Service {
        /// A service was created.
        ServiceCreated = "service.created",
        /// A service changed.
        ServiceUpdated = "service.updated",
        /// A service was deactivated.
        ServiceDeactivated = "service.deactivated",
    }
    /// A trade.
    Trade {
        /// A trade was opened: a vehicle was offered under a service.
        TradeOpened = "trade.opened",
        /// The owner changed a trade's title or description.
        TradeAmended = "trade.amended",
        /// A trade was agreed: both parties are bound.
        TradeAgreed = "trade.agreed",
        /// A trade was completed: it is agreed, and nothing is owed.
        TradeCompleted = "trade.completed",
        /// A trade was cancelled.
        TradeCancelled = "trade.cancelled",
        /// The agreed days of a trade were ended early.
        TradeEnded = "trade.ended",
    }
    /// A proposal.
    Proposal {
        /// A proposal was made.
        ProposalMade = "proposal.made",
        /// A proposal was replaced by a later one by the same author.
        ProposalSuperseded = "proposal.superseded",
        /// A proposal was withdrawn by its author.
        ProposalWithdrawn = "proposal.withdrawn",
        /// A proposal was rejected by the trade's owner.
        ProposalRejected = "proposal.rejected",
        /// A proposal was accepted.
        ProposalAccepted = "proposal.accepted",
        /// A proposal was closed: another one was accepted, or the trade was cancelled.
        ProposalClosed = "proposal.closed",
        /// A proposal had expired.
        ProposalExpired = "proposal.expired",
        /// A proposal had been accepted, and staff cancelled the agreed trade.
        ProposalRescinded = "proposal.rescinded",
    }
    /// An invoice.
    Invoice {
        /// An invoice was issued.
        InvoiceIssued = "invoice.issued",
        /// Another field of an invoice changed, such as what was paid of it.
        InvoiceUpdated = "invoice.updated",
        /// An invoice was paid in full.
        InvoicePaid = "invoice.paid",
        /// An invoice was voided.
        InvoiceVoided = "invoice.voided",
        /// An invoice was written off.
        InvoiceWrittenOff = "invoice.written_off",
        /// An invoice was still open after its due date.
        InvoiceOverdue = "invoice.overdue",
    }
    /// A payment.
    Payment {
        /// A payment was begun.
        PaymentBegun = "payment.begun",
        /// A payment waits for its payer.
        PaymentRequiresAction = "payment.requires_action",
        /// A payment succeeded.
        PaymentSucceeded = "payment.succeeded",
        /// A payment failed.
        PaymentFailed = "payment.failed",
        /// A payment was cancelled before its payer acted.
        PaymentCancelled = "payment.cancelled",
    }
    /// A refund.
    Refund {
        /// A refund was begun.
        RefundBegun = "refund.begun",
        /// A refund succeeded.
        RefundSucceeded = "refund.succeeded",
        /// A refund failed.
        RefundFailed = "refund.failed",
    }
    /// A webhook endpoint.
    WebhookEndpoint {
        /// A webhook endpoint was created.
        WebhookEndpointCreated = "webhook_endpoint.created",
        /// A webhook endpoint changed.
        WebhookEndpointUpdated = "webhook_endpoint.updated",
        /// A webhook endpoint was deleted, with its deliveries.
        WebhookEndpointDeleted = "webhook_endpoint.deleted",
        /// A webhook endpoint was switched off by itself.
        WebhookEndpointDisabled = "webhook_endpoint.disabled",
    }
}
