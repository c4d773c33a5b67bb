//! What is on offer: vehicles (spec 6.2) and services (spec 5.1).

mod service;
mod vehicle;

pub use service::{ServiceDraft, create_service, deactivate_service, standard_services, update_service, visible_service};
pub use vehicle::{VehicleDraft, create_vehicle, delete_vehicle, update_vehicle, visible_vehicle};
