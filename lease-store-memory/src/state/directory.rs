use lease_core::model::{Contact, ContactOwner, Lead, LeadStatus, Service, ServiceKind};

use super::table::Indexed;
use crate::index::{Kind, Term, text_terms};

impl Indexed for Contact {
    fn terms(&self) -> Vec<Term> {
        vec![owner(self.owner)]
    }
}

/// The term of an address book.
pub(crate) fn owner(owner: ContactOwner) -> Term {
    match owner {
        ContactOwner::Customer(id) => Term::id(Kind::Customer, id),
        ContactOwner::Lead(id) => Term::id(Kind::Lead, id),
    }
}

impl Indexed for Lead {
    fn terms(&self) -> Vec<Term> {
        let mut terms = vec![lead_status(LeadStatus::from(self.state))];
        terms.extend(self.customer_id().map(|id| Term::id(Kind::Customer, id)));
        terms.extend(text_terms(&self.search_text()));
        terms
    }
}

/// The term of leads of a status.
pub(crate) const fn lead_status(status: LeadStatus) -> Term {
    Term::number(Kind::Status, status as i64)
}

impl Indexed for Service {
    fn terms(&self) -> Vec<Term> {
        vec![Term::flag(self.is_active), service_kind(self.kind)]
    }
}

/// The term of services of a kind.
pub(crate) const fn service_kind(kind: ServiceKind) -> Term {
    Term::number(Kind::Business, kind as i64)
}
