//! Vehicles (rule 6.2) and services (rule 5.1).

mod service;
mod vehicle;

pub use service::{
    FirstServices, ServiceDraft, create_service, deactivate_service, require_visible_service, standard_services, update_service,
};
pub use vehicle::{
    LiveTrade, TakenBy, VehicleChange, VehicleDraft, VehicleSnapshot, create_vehicle, delete_vehicle, require_visible_vehicle,
    update_vehicle,
};
