//! Vehicles and services.

use chrono::Datelike as _;
use lease_core::id::{ServiceId, Stored, VehicleId};
use lease_core::model::{Annotations, BillTo, InvoiceOn, Service, ServiceKind, Vehicle};
use lease_core::money::Money;
use lease_core::text::{FREE_TEXT_MAX, NAME_MAX};

use super::metadata::Metadata;
use super::{Mapping, last_id};
use crate::amount::amount;
use crate::report::Table;
use crate::rows::{Rows, ServiceRow, VehicleRow};
use crate::text;

/// The first model year.
const FIRST_YEAR: i64 = 1886;
/// Django gives as many days to pay.
pub(super) const DUE_DAYS: u16 = 30;

impl Mapping {
    pub(super) fn vehicles(&mut self, rows: &Rows) {
        let rows = self.notes.by_id(Table::Vehicles, &rows.vehicles, |row| row.id);
        self.import.last_ids.vehicle = last_id(&rows);
        for (id, row) in rows {
            let (Some(vehicle_id), Some(customer_id)) = (VehicleId::new(id), self.customer(row.customer)) else {
                self.notes.dropped(Table::Vehicles, id, "its customer is not taken");
                continue;
            };
            let mut value = Vehicle {
                customer_id,
                identity: None,
                make: self.name(id, "make", [&row.make, &row.machine_make, &row.make_model, &row.machine_make_model]),
                model: self.name(id, "model", [&row.model, &row.machine_model, &row.make_model, &row.machine_make_model]),
                year: self.year(id, row),
                color: String::new(),
                mileage: None,
                license_plate: String::new(),
                description: String::new(),
                created_at: self.past(row.created_at),
                annotations: Annotations::default(),
            };
            value.annotations = metadata(row, &value).annotations();
            self.import.vehicles.push(Stored { id: vehicle_id, value });
        }
    }

    /// The first of these that says anything.
    fn name(&mut self, id: i64, what: &str, names: [&Option<String>; 4]) -> String {
        for (place, name) in names.into_iter().enumerate() {
            let cleaned = text::line(name.as_deref(), NAME_MAX);
            if !cleaned.text.is_empty() {
                if place > 0 {
                    self.notes.changed(Table::Vehicles, id, format!("its {what} was empty"));
                }
                return self.notes.text(Table::Vehicles, id, cleaned);
            }
        }
        self.notes.changed(Table::Vehicles, id, format!("its {what} was empty"));
        "Unknown".to_owned()
    }

    fn year(&mut self, id: i64, row: &VehicleRow) -> i32 {
        let last = i64::from(self.terms.now.year()) + 1;
        let is_year = |year: &i64| (FIRST_YEAR..=last).contains(year);
        let of_machine = row.machine_year.filter(is_year);
        let year = row.year.filter(is_year).or(of_machine).unwrap_or_else(|| row.year.unwrap_or(last).clamp(FIRST_YEAR, last));
        if Some(year) != row.year {
            self.notes.changed(Table::Vehicles, id, "its year was none that a vehicle can have");
        }
        i32::try_from(year).unwrap_or_default()
    }

    pub(super) fn services(&mut self, rows: &Rows) {
        let rows = self.notes.by_id(Table::Services, &rows.services, |row| row.id);
        self.import.last_ids.service = last_id(&rows);
        for (id, row) in rows {
            let value = self.service(id, row);
            self.import.services.extend(ServiceId::new(id).map(|id| Stored { id, value }));
        }
    }

    fn service(&mut self, id: i64, row: &ServiceRow) -> Service {
        let fee = amount(row.cost, self.terms.currency);
        match fee {
            Some(rounding) => self.notes.rounded(Table::Services, id, rounding),
            None => self.notes.changed(Table::Services, id, "its cost is no amount, so it is not active"),
        }
        let kind = match row.service_type {
            Some(1) => ServiceKind::Lease,
            Some(2) => ServiceKind::Sell,
            _ => ServiceKind::Custom,
        };
        let at_the_start = row.when_to_pay == Some(1);
        let invoice_on = if at_the_start { InvoiceOn::FirstProposal } else { InvoiceOn::Acceptance };
        let name = self.notes.text(Table::Services, id, text::line(row.name.as_deref(), NAME_MAX));
        Service {
            name: if name.is_empty() { format!("Service {id}") } else { name },
            kind,
            invoice_on: kind.fixed_invoice_on().unwrap_or(invoice_on),
            bill_to: BillTo::Owner,
            fee: fee.map_or_else(|| Money::zero(self.terms.currency), |rounding| rounding.money),
            payment_due_days: DUE_DAYS,
            description: self.notes.text(Table::Services, id, text::free(row.description.as_deref(), FREE_TEXT_MAX)),
            is_active: fee.is_some(),
            is_used: false,
        }
    }
}

fn metadata(row: &VehicleRow, vehicle: &Vehicle) -> Metadata {
    let mut metadata = Metadata::default();
    for (name, text) in [
        ("make_model", &row.make_model),
        ("category", &row.category),
        ("machine_make_model", &row.machine_make_model),
        ("machine_make", &row.machine_make),
        ("machine_model", &row.machine_model),
        ("machine_category", &row.machine_category),
    ] {
        metadata.put_text(name, text.as_deref());
    }
    metadata.put_number("machine_year", row.machine_year);
    metadata.put_number("year", row.year.filter(|year| *year != i64::from(vehicle.year)));
    metadata
}
