use std::fmt;

use chrono::{DateTime, Utc};

use crate::id::{CustomerId, Entity, VehicleId};
use crate::input::Invalid;
use crate::model::Annotations;
use crate::text::{comparison_key, search_text};

/// A vehicle, which its owner can offer. It has exactly one owner, and changes hands only by a completed sale (I6).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Vehicle {
    /// The owner.
    pub customer_id: CustomerId,
    /// The number that tells it from all others. A vehicle that an import brought may have none until it is offered.
    pub identity: Option<VehicleIdentity>,
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
    /// What the company keeps with it.
    pub annotations: Annotations,
}

impl Entity for Vehicle {
    type Id = VehicleId;
}

impl Vehicle {
    /// The vehicle identification number, if it has one.
    #[must_use]
    pub const fn vin(&self) -> Option<Vin> {
        vin_of(self.identity.as_ref())
    }

    /// The chassis number, if it has one instead.
    #[must_use]
    pub const fn chassis_number(&self) -> Option<&ChassisNumber> {
        chassis_number_of(self.identity.as_ref())
    }

    /// The text that `search` searches.
    #[must_use]
    pub fn search_text(&self) -> String {
        let identity = self.identity.as_ref().map_or("", VehicleIdentity::as_str);
        search_text(&[identity, &self.make, &self.model, &self.color, &self.license_plate])
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

/// A vehicle as a trade offers it: as it is while the trade is open, and as it was then ever after (rule 4.13).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OfferedVehicle {
    /// As [`Vehicle::identity`].
    pub identity: Option<VehicleIdentity>,
    /// Manufacturer.
    pub make: String,
    /// Model.
    pub model: String,
    /// Model year.
    pub year: i32,
    /// Colour, or empty.
    pub color: String,
    /// The odometer reading.
    pub mileage: Option<i64>,
    /// License plate, or empty.
    pub license_plate: String,
    /// Anything else.
    pub description: String,
}

impl From<&Vehicle> for OfferedVehicle {
    fn from(vehicle: &Vehicle) -> Self {
        let Vehicle { identity, make, model, year, color, mileage, license_plate, description, .. } = vehicle.clone();
        Self { identity, make, model, year, color, mileage, license_plate, description }
    }
}

impl OfferedVehicle {
    /// As [`Vehicle::vin`].
    #[must_use]
    pub const fn vin(&self) -> Option<Vin> {
        vin_of(self.identity.as_ref())
    }

    /// As [`Vehicle::chassis_number`].
    #[must_use]
    pub const fn chassis_number(&self) -> Option<&ChassisNumber> {
        chassis_number_of(self.identity.as_ref())
    }

    /// As [`Vehicle::make_key`].
    #[must_use]
    pub fn make_key(&self) -> String {
        comparison_key(&self.make)
    }

    /// As [`Vehicle::model_key`].
    #[must_use]
    pub fn model_key(&self) -> String {
        comparison_key(&self.model)
    }
}

const fn vin_of(identity: Option<&VehicleIdentity>) -> Option<Vin> {
    match identity {
        Some(VehicleIdentity::Vin(vin)) => Some(*vin),
        Some(VehicleIdentity::Chassis(_)) | None => None,
    }
}

const fn chassis_number_of(identity: Option<&VehicleIdentity>) -> Option<&ChassisNumber> {
    match identity {
        Some(VehicleIdentity::Chassis(number)) => Some(number),
        Some(VehicleIdentity::Vin(_)) | None => None,
    }
}

/// The transfer of a vehicle from one owner to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct VehicleTransfer {
    /// The vehicle.
    pub vehicle_id: VehicleId,
    /// The previous owner.
    pub from: CustomerId,
    /// The new owner.
    pub to: CustomerId,
}

/// The number that tells a vehicle from all others: no two have the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum VehicleIdentity {
    /// Its vehicle identification number.
    Vin(Vin),
    /// Its chassis number, for a vehicle without a VIN.
    Chassis(ChassisNumber),
}

impl VehicleIdentity {
    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Vin(vin) => vin.as_str(),
            Self::Chassis(number) => number.as_str(),
        }
    }
}

/// A chassis number: 5 to 20 capitals, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChassisNumber(String);

impl ChassisNumber {
    /// Parses a number in upper or lower case.
    ///
    /// # Errors
    /// [`Invalid`]: what a valid number looks like.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let number = text.trim().to_ascii_uppercase();
        let in_alphabet = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase() || byte == b'-';
        if (5..=20).contains(&number.len()) && number.bytes().all(in_alphabet) {
            Ok(Self(number))
        } else {
            Err(Invalid::NotAChassisNumber)
        }
    }

    /// The number that is stored in a row. It was parsed once; what is stored is never judged by the rules for input again.
    #[must_use]
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The number in capitals.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A vehicle identification number (ISO 3779): 17 digits and capitals without I, O and Q.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Vin([u8; 17]);

impl Vin {
    /// Parses a number in upper or lower case. Blanks, hyphens and the `*` of a barcode around it are dropped.
    ///
    /// # Errors
    /// [`Invalid`]: what a valid number looks like.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let is_space = |character: char| character.is_whitespace() || character == '-';
        let number: String = text.chars().filter(|character| !is_space(*character)).collect();
        let in_alphabet = |byte: &u8| byte.is_ascii_digit() || (byte.is_ascii_uppercase() && !b"IOQ".contains(byte));
        let capitals = |mut vin: [u8; 17]| {
            vin.make_ascii_uppercase();
            vin
        };
        let vin = number.trim_matches('*').as_bytes().try_into().ok().map(capitals).filter(|vin| vin.iter().all(in_alphabet));
        vin.map(Self).ok_or(Invalid::NotAVin)
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
