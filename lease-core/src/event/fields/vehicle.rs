use super::{Described, Fields};
use crate::model::{ChassisNumber, Vehicle, Vin};

impl Described for Vehicle {
    fn fields(&self) -> Fields {
        vec![
            ("customer_id", self.customer_id.get().into()),
            ("vin", self.vin().as_ref().map(Vin::as_str).into()),
            ("chassis_number", self.chassis_number().map(ChassisNumber::as_str).into()),
            ("make", self.make.as_str().into()),
            ("model", self.model.as_str().into()),
            ("year", self.year.into()),
            ("color", self.color.as_str().into()),
            ("mileage", self.mileage.into()),
            ("license_plate", self.license_plate.as_str().into()),
            ("description", self.description.as_str().into()),
        ]
    }
}
