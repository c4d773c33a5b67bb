//! Contacts (rule 6.3) and leads (rule 6.4).

mod contact;
mod lead;

pub use contact::{ContactDraft, create_contact, delete_contact, require_visible_contact, update_contact};
pub use lead::{ContactsOfLead, ConversionDraft, LeadChange, LeadDraft, convert_lead, create_lead, delete_lead, update_lead};
