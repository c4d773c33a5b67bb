use serde::Serialize;
use serde_json::{Map, Value};
use strum::VariantNames as _;

use crate::clock::AdvanceError;
use crate::money::MoneyError;
use crate::text::one_of;

/// Why a value is not accepted: a code and parameters for programs, and a sentence in English for people, which `Display` writes.
///
/// An app that speaks another language has a sentence of its own for each [`code`](Self::code), into which it puts the
/// [`params`](Self::params). In JSON a reason is `{"code": …, "params": …}`, without `params` where there are none.
///
/// ```
/// use lease_core::input::Invalid;
/// use lease_core::model::Vin;
/// use serde_json::json;
///
/// let reason = Invalid::TooLong { max: 150 };
/// assert_eq!(reason.to_string(), "At most 150 characters are allowed.");
/// assert_eq!(serde_json::to_value(&reason)?, json!({ "code": "too_long", "params": { "max": 150 } }));
///
/// assert_eq!("unknown".parse::<Vin>(), Err(Invalid::NotAVin));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr, strum::VariantNames, Serialize)]
#[strum(serialize_all = "snake_case")]
#[serde(tag = "code", content = "params", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Invalid {
    /// The field is absent.
    #[error("This field is required.")]
    Required,
    /// The field is null.
    #[error("This field may not be null.")]
    Null,
    /// The text is empty, or shows nothing.
    #[error("This field may not be blank.")]
    Blank,
    /// The text contains a control character, or one that breaks a line.
    #[error("Control characters are not allowed.")]
    ControlCharacter,
    /// The text has too many characters.
    #[error("At most {max} characters are allowed.")]
    TooLong {
        /// The most characters.
        max: usize,
    },
    /// The text has too many bytes.
    #[error("At most {max} bytes are allowed.")]
    TooManyBytes {
        /// The most bytes.
        max: usize,
    },
    /// The text is none of the names that can be chosen.
    #[error("{}", one_of(choices))]
    NotAChoice {
        /// The names.
        choices: Vec<&'static str>,
    },

    /// The body is not a JSON object.
    #[error("A JSON object is required.")]
    NotAnObject,
    /// The value is not a string.
    #[error("A string is required.")]
    NotAString,
    /// The value is not a list of strings.
    #[error("A list of strings is required.")]
    NotStrings,
    /// The value is not a boolean.
    #[error("true or false is required.")]
    NotABoolean,
    /// The value is not a whole number.
    #[error("A whole number is required.")]
    NotAWholeNumber,
    /// The number does not fit into 64 bits.
    #[error("The number is too large.")]
    NumberTooLarge,
    /// The number is zero or below.
    #[error("The number must be above zero.")]
    NumberNotPositive,
    /// The value is neither a number nor a string.
    #[error("An amount is required, as a string or a number.")]
    NotAnAmount,
    /// The text is not a date.
    #[error("A date in the form YYYY-MM-DD is required.")]
    NotADate,
    /// The text is not a time with an offset (RFC 3339).
    #[error("A date and time with an offset is required, such as 2026-01-31T12:00:00Z.")]
    NotAnInstant,
    /// The year of a time does not have four digits.
    #[error("The year must be between 0001 and 9999.")]
    InstantOutOfRange,
    /// The value is not an id.
    #[error("An id is required: a positive whole number.")]
    NotAnId,

    /// There is no such object, or the actor may not see it.
    #[error("There is no such {}.", words(kind))]
    Unknown {
        /// The kind of object, such as `trade` or `credit_card`.
        kind: &'static str,
    },
    /// Another object has this name or number.
    #[error("A {kind} with that {} already exists.", field_words(field))]
    Taken {
        /// The kind of object, such as `vehicle`.
        kind: &'static str,
        /// The field that must be unique, such as `vin`.
        field: &'static str,
    },
    /// Not exactly one of these two fields is given.
    #[error("Exactly one of {one} and {other} is required.")]
    NotExactlyOne {
        /// One field.
        one: &'static str,
        /// The other field.
        other: &'static str,
    },
    /// A lead has no way to reach or name anybody (rule 6.4).
    #[error("At least one of first_name, last_name, company, email and phone is required.")]
    LeadEmpty,
    /// A contact has no way to reach anybody (rule 6.3).
    #[error("At least one of email, phone and address_line1 is required.")]
    ContactEmpty,
    /// Neither or both of the two ways to say how far the clock goes are given (rule 11.2).
    #[error("Exactly one of `to` and `seconds` is required.")]
    ToOrSeconds,
    /// The gateway's notification is not signed by the provider, or too old.
    #[error("the notification is not signed by the provider, or too old")]
    NotificationNotSigned,
    /// The gateway's notification is signed, but cannot be read.
    #[error("the notification cannot be read")]
    NotificationNotReadable,
    /// The cursor is of a list in another order.
    #[error("The cursor is of a list in another order.")]
    CursorOfAnotherOrder,

    /// A user name contains another character.
    #[error("Only letters, digits and @ . + - _ are allowed.")]
    UsernameCharacter,
    /// The letters of a user name are of scripts that are not written together (UTS 39).
    #[error("The letters of different scripts may not be mixed.")]
    MixedScripts,
    /// Not an e-mail address (RFC 5321).
    #[error("A valid e-mail address is required.")]
    NotAnEmail,
    /// The password is too short (rule 3.7).
    #[error("This password is too short. It must have at least {min} characters.")]
    PasswordTooShort {
        /// The least.
        min: usize,
    },
    /// The password is too long (rule 3.7).
    #[error("This password is too long. It may have at most {max} bytes.")]
    PasswordTooLong {
        /// The most.
        max: usize,
    },
    /// The password has only digits (rule 3.7).
    #[error("This password is entirely numeric.")]
    PasswordNumeric,
    /// The password is among those that attackers try first (rule 3.7).
    #[error("This password is too common.")]
    PasswordCommon,
    /// The password is too similar to one of the user's names (rule 3.7).
    #[error("This password is too similar to the {}.", words(field))]
    PasswordSimilar {
        /// The field with the name, such as `first_name`.
        field: &'static str,
    },
    /// The password and its repetition differ.
    #[error("The two passwords do not match.")]
    PasswordsDiffer,
    /// Users have no passwords here (the feature `passwords` is off).
    #[error("Users have no passwords here.")]
    NoPasswords,
    /// The present password was given wrong.
    #[error("The password is wrong.")]
    PasswordWrong,
    /// The link was not mailed, has been used or is too old (rules 9.3, 9.4).
    #[error("This link is not valid. It may have been used, or be too old.")]
    LinkNotValid,
    /// The day of birth is not in the past.
    #[error("The date of birth must be in the past.")]
    BirthNotPast,

    /// Not a VIN (ISO 3779).
    #[error("A VIN has 17 letters and digits, and no I, O or Q (ISO 3779).")]
    NotAVin,
    /// Not a chassis number.
    #[error("A chassis number has 5 to 20 letters, digits and hyphens.")]
    NotAChassisNumber,
    /// A vehicle has both numbers.
    #[error("A vehicle has either a VIN or a chassis number: the other one must be null.")]
    TwoIdentities,
    /// A vehicle has neither number.
    #[error("Either a VIN or a chassis number is required.")]
    NoIdentity,
    /// Not a year of which there are models.
    #[error("The year must be between {min} and {max}.")]
    ModelYear {
        /// The first year.
        min: i64,
        /// The last year.
        max: i64,
    },
    /// The mileage is below zero.
    #[error("The mileage may not be negative.")]
    MileageNegative,

    /// An invoice on the first proposal would be billed to nobody yet.
    #[error("An invoice issued on the first proposal can only be billed to the owner.")]
    BilledToNobody,
    /// The kind of service prescribes when the invoice is issued.
    #[error("A service of this kind is always invoiced on {on}.")]
    InvoicedOtherwise {
        /// When it is issued.
        on: &'static str,
    },
    /// A custom service says when the invoice is issued.
    #[error("This field is required for a custom service.")]
    RequiredForCustom,
    /// The number of days is out of range.
    #[error("The number of days must be between {min} and {max}.")]
    DaysOutOfRange {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },

    /// The instant is not in the future.
    #[error("The time must be in the future.")]
    NotInFuture,
    /// A sale is of no days.
    #[error("A sale has no dates.")]
    DatesOfSale,
    /// The end is not after the start.
    #[error("The end must be after the start.")]
    EndNotAfterStart,
    /// More days than the operator lets anybody agree on.
    #[error("At most {max} days may be agreed.")]
    TooManyDays {
        /// The most days.
        max: u32,
    },
    /// The days do not end within these.
    #[error("The end must not be before {from} and must be before {before}.")]
    EndOutOfDays {
        /// The first day on which they may end.
        from: chrono::NaiveDate,
        /// The day before which they must end.
        before: chrono::NaiveDate,
    },
    /// The due date is before the day of issue.
    #[error("The due date must not be before {issued}.")]
    DueBeforeIssue {
        /// The day of issue.
        issued: chrono::NaiveDate,
    },

    /// The currency is another than that of what is paid or offered.
    #[error("The currency must be {currency}.")]
    OtherCurrency {
        /// The code of the currency.
        currency: String,
    },
    /// More than is due, or may be refunded.
    #[error("This may be at most {max}.")]
    AmountTooHigh {
        /// The most.
        max: String,
        /// The code of its currency.
        currency: String,
    },

    /// Not a card number.
    #[error("A valid card number is required.")]
    NotACardNumber,
    /// With this gateway, a card's number is entered with the provider alone.
    #[error("Cards are entered in the browser: no number is taken here.")]
    CardNumberNotTaken,
    /// The customer has entered no such card with the provider.
    #[error("You have entered no such card.")]
    CardNotEntered,
    /// Not a security code of cards of this brand.
    #[error("A security code of {} digits is required.", if min == max { count(*min) } else { "three or four" })]
    NotASecurityCode {
        /// The fewest digits: three or four.
        min: usize,
        /// The most digits: three or four.
        max: usize,
    },
    /// Not the last digits of a card's number.
    #[error("Four digits are required.")]
    NotFourDigits,
    /// Not a month and a year of expiry.
    #[error("A month and a year of expiry are required.")]
    NotAnExpiry,
    /// Not a month.
    #[error("The month must be between 1 and 12.")]
    NotAMonth,
    /// Not a year of four digits.
    #[error("The year must have four digits.")]
    NotAYear,
    /// The card has expired.
    #[error("The card has expired.")]
    CardExpired,
    /// The name on the card looks like a number of one.
    #[error("The name on the card is required, not a number.")]
    HolderIsNumber,

    /// The status of a lead that became a customer stays.
    #[error("The status of a converted lead cannot be changed.")]
    LeadIsConverted,
    /// A lead becomes a customer by its conversion alone.
    #[error("This status cannot be set: convert the lead to a customer instead.")]
    LeadNotConverted,

    /// Metadata has too many keys.
    #[error("At most {max} keys are allowed.")]
    MetadataKeys {
        /// The most.
        max: usize,
    },
    /// A key of metadata is too long.
    #[error("A key has at most {max} characters.")]
    MetadataKey {
        /// The most.
        max: usize,
    },
    /// Metadata has too many levels.
    #[error("At most {max} levels are allowed.")]
    MetadataDepth {
        /// The most.
        max: usize,
    },
    /// Metadata is too large.
    #[error("At most {max} bytes of JSON are allowed.")]
    MetadataBytes {
        /// The most.
        max: usize,
    },
    /// A text of metadata contains NUL, which a store may not be able to keep.
    #[error("The character U+0000 is not allowed.")]
    MetadataNul,

    /// Not a URL (WHATWG).
    #[error("A complete URL is required, such as https://example.com/hook.")]
    NotAUrl,
    /// The URL is not one for TLS.
    #[error("The URL must begin with https://.")]
    UrlNotHttps,
    /// The URL has a user name or a password.
    #[error("The URL may not contain a user name or a password.")]
    UrlWithCredentials,
    /// The URL has a fragment.
    #[error("The URL may not contain a fragment.")]
    UrlWithFragment,
    /// The URL leads to the machine itself or its network (RFC 6890).
    #[error("The URL must lead to a public address.")]
    UrlNotPublic,
    /// There are no events of these types.
    #[error("There is no such type of event: {}.", types.join(", "))]
    UnknownEventTypes {
        /// What was given, cut short.
        types: Vec<String>,
    },

    /// The amount or the currency is not accepted.
    #[error(transparent)]
    #[strum(transparent)]
    #[serde(untagged)]
    Money(#[from] MoneyError),
    /// The clock cannot go there.
    #[error(transparent)]
    #[strum(transparent)]
    #[serde(untagged)]
    Advance(#[from] AdvanceError),
}

impl Invalid {
    /// Every code, for an app that has a sentence of its own for each.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        let own = Self::VARIANTS.iter().filter(|name| !["money", "advance"].contains(*name));
        own.chain(MoneyError::VARIANTS).chain(AdvanceError::VARIANTS).copied()
    }

    /// The stable code: the name of the reason in snake case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.into()
    }

    /// The parameters of the sentence, by name; none for most.
    #[must_use]
    pub fn params(&self) -> Map<String, Value> {
        match serde_json::to_value(self).map(|mut reason| reason["params"].take()) {
            Ok(Value::Object(params)) => params,
            _ => Map::new(),
        }
    }
}

/// The name of a kind of object or of a field, as it stands in a sentence.
fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// The name of a field that is unique, as it stands in a sentence.
fn field_words(field: &'static str) -> &'static str {
    match field {
        "vin" => "VIN",
        "chassis_number" => "chassis number",
        other => other,
    }
}

/// A number of digits, in words.
const fn count(digits: usize) -> &'static str {
    if digits == 4 { "four" } else { "three" }
}
