use std::fmt;

use chrono::{DateTime, Utc};

use crate::id::{CustomerId, Entity, VehicleId};
use crate::text::{comparison_key, search_text};

/// A vehicle, which its owner can offer. It has exactly one owner, and changes hands only by a completed sale (I6).
#[derive(Clone, Debug, PartialEq)]
pub struct Vehicle {
    /// The owner.
    pub customer_id: CustomerId,
    /// The vehicle identification number.
    pub vin: Vin,
    /// Manufacturer.
    pub make: String,
    /// Model.
    pub model: String,
    /// Model year, 1886 to next year.
    pub year: i32,
    /// Colour, or empty.
    pub color: String,
    /// The odometer reading.
    pub mileage: Option<i64>,
    /// License plate, or empty.
    pub license_plate: String,
    /// Anything else.
    pub description: String,
    /// When the vehicle was created.
    pub created_at: DateTime<Utc>,
}

impl Entity for Vehicle {
    type Id = VehicleId;
}

impl Vehicle {
    /// The text that `search` searches.
    #[must_use]
    pub fn search_text(&self) -> String {
        search_text(&[self.vin.as_str(), &self.make, &self.model, &self.color, &self.license_plate])
    }

    /// The form in which makes are compared.
    #[must_use]
    pub fn make_key(&self) -> String {
        comparison_key(&self.make)
    }

    /// The form in which models are compared.
    #[must_use]
    pub fn model_key(&self) -> String {
        comparison_key(&self.model)
    }
}

/// The transfer of a vehicle from one owner to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VehicleTransfer {
    /// The vehicle.
    pub vehicle_id: VehicleId,
    /// The previous owner.
    pub from: CustomerId,
    /// The new owner.
    pub to: CustomerId,
}

/// A vehicle identification number (ISO 3779): 17 digits and capitals without I, O and Q.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Vin([u8; 17]);

impl Vin {
    /// Parses a number in upper or lower case.
    ///
    /// # Errors
    /// A sentence that says what a valid number looks like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let in_alphabet = |byte: &u8| byte.is_ascii_digit() || (byte.is_ascii_uppercase() && !b"IOQ".contains(byte));
        let capitals = |mut vin: [u8; 17]| {
            vin.make_ascii_uppercase();
            vin
        };
        let vin = text.trim().as_bytes().try_into().ok().map(capitals).filter(|vin| vin.iter().all(in_alphabet));
        vin.map(Self).ok_or_else(|| "A VIN has 17 letters and digits, and no I, O or Q (ISO 3779).".to_owned())
    }

    /// The number in capitals.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // All bytes are ASCII.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Vin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Vin").field(&self.as_str()).finish()
    }
}
