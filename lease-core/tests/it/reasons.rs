//! The record of the reasons for which a field is not accepted: `reasons.txt`. Apps translate by code and parameters, and clients of the
//! API read the sentences, so a difference in it breaks somebody.

use std::collections::BTreeSet;

use lease_core::clock::AdvanceError;
use lease_core::input::Invalid;
use lease_core::money::MoneyError;

use crate::support::*;

/// One of each.
fn reasons() -> Vec<Invalid> {
    use Invalid::*;
    let money = [
        MoneyError::NotANumber,
        MoneyError::Negative,
        MoneyError::NotPositive,
        MoneyError::TooLarge,
        MoneyError::TooFine,
        MoneyError::TooManyDigits { digits: 2 },
        MoneyError::UnknownCurrency,
        MoneyError::WithdrawnCurrency,
        MoneyError::CurrencyMismatch,
    ];
    let clock = [AdvanceError::Backward, AdvanceError::TooFar, AdvanceError::PastTheEnd];
    let own = vec![
        Required,
        Null,
        Blank,
        ControlCharacter,
        TooLong { max: 150 },
        TooManyBytes { max: 2048 },
        NotAChoice { choices: vec!["open", "paid"] },
        NotAnObject,
        NotAString,
        NotStrings,
        NotABoolean,
        NotAWholeNumber,
        NumberTooLarge,
        NumberNotPositive,
        NotAnAmount,
        NotADate,
        NotAnInstant,
        InstantOutOfRange,
        NotAnId,
        Unknown { kind: "credit_card" },
        Taken { kind: "vehicle", field: "vin" },
        NotExactlyOne { one: "customer_id", other: "lead_id" },
        LeadEmpty,
        ContactEmpty,
        ToOrSeconds,
        NotificationNotSigned,
        NotificationNotReadable,
        CursorOfAnotherOrder,
        UsernameCharacter,
        MixedScripts,
        NotAnEmail,
        PasswordTooShort { min: 8 },
        PasswordTooLong { max: 1024 },
        PasswordNumeric,
        PasswordCommon,
        PasswordSimilar { field: "first_name" },
        PasswordsDiffer,
        NoPasswords,
        PasswordWrong,
        LinkNotValid,
        BirthNotPast,
        NotAVin,
        NotAChassisNumber,
        TwoIdentities,
        NoIdentity,
        ModelYear { min: 1886, max: 2027 },
        MileageNegative,
        BilledToNobody,
        InvoicedOtherwise { on: "acceptance" },
        RequiredForCustom,
        DaysOutOfRange { min: 0, max: 365 },
        NotInFuture,
        DatesOfSale,
        EndNotAfterStart,
        TooManyDays { max: 3660 },
        EndOutOfDays { from: day(1), before: day(9) },
        DueBeforeIssue { issued: day(1) },
        OtherCurrency { currency: "USD".into() },
        AmountTooHigh { max: "199.00".into(), currency: "USD".into() },
        NotACardNumber,
        CardNumberNotTaken,
        CardNotEntered,
        NotASecurityCode { min: 3, max: 4 },
        NotFourDigits,
        NotAnExpiry,
        NotAMonth,
        NotAYear,
        CardExpired,
        HolderIsNumber,
        LeadIsConverted,
        LeadNotConverted,
        MetadataKeys { max: 50 },
        MetadataKey { max: 40 },
        MetadataDepth { max: 5 },
        MetadataBytes { max: 8192 },
        MetadataNul,
        NotAUrl,
        UrlNotHttps,
        UrlWithCredentials,
        UrlWithFragment,
        UrlNotPublic,
        UnknownEventTypes { types: vec!["trade.gone".into()] },
    ];
    own.into_iter().chain(money.map(Money)).chain(clock.map(Advance)).collect()
}

fn record() -> String {
    let mut lines: Vec<String> = reasons()
        .iter()
        .map(|reason| {
            let params = serde_json::Value::from(reason.params());
            format!("{} {params} {reason}\n", reason.code())
        })
        .collect();
    lines.sort();
    lines.concat()
}

#[test]
fn the_reasons_are_those_of_the_record() {
    let expected = include_str!("reasons.txt");
    let found = record();
    assert!(found == expected, "the reasons have changed; if that is meant, this is reasons.txt now:\n{found}");
}

#[test]
fn each_reason_has_a_code_of_its_own_and_is_in_the_record() {
    let codes: Vec<&str> = Invalid::codes().collect();
    let each: BTreeSet<&str> = codes.iter().copied().collect();
    assert_eq!(each.len(), codes.len());
    assert_eq!(each, reasons().iter().map(Invalid::code).collect());
}

/// JSON says the same code.
#[test]
fn the_code_is_the_same_in_json() {
    for reason in reasons() {
        let json = serde_json::to_value(&reason).unwrap();
        assert_eq!(json["code"], reason.code());
    }
}
