//! Money, texts, dates, booleans, ids and cursors: chapter 1, rule 6.5.

use chrono::{DateTime, NaiveDate, Utc};
use lease_core::clock::{last_instant, to_micros};
use lease_core::id::TradeId;
use lease_core::input::{Draft, Field, FromScalar, parse_date};
use lease_core::lifecycle::TradeDraft;
use lease_core::money::{Currency, MAX_AMOUNT, Money, MoneyError, parse_decimal, positive};
use lease_core::page::{Cursor, Page, PageRequest, Place, PriceKey};
use lease_core::text::{Search, comparison_key, search_text};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization as _;

use crate::support::*;

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

/// Reads a field from this JSON.
fn read<T: FromScalar>(json: Value) -> Option<T> {
    match serde_json::from_value::<Field<T>>(json).unwrap() {
        Field::Given(value) => Some(value),
        Field::Missing | Field::Null | Field::Wrong(_) => None,
    }
}

#[test]
fn the_currencies_are_those_that_a_code_is_taken_of() {
    let all: Vec<_> = Currency::all().collect();
    assert!(all.contains(&Currency::USD) && all.len() > 150, "{} currencies", all.len());
    assert!(all.iter().all(|one| Currency::parse(one.code()) == Ok(*one)));
}

/// Rule 1.3: a currency that ISO 4217 has withdrawn cannot be chosen, and is read where it is stored.
#[test]
fn a_withdrawn_currency_is_only_read() {
    for code in ["HRK", "BGN", "SLL", "ZWL", "CUC"] {
        assert_eq!(Currency::parse(code), Err(MoneyError::WithdrawnCurrency), "{code}");
        assert_eq!(Currency::from_stored(code).map(|stored| (stored.to_string(), stored.digits())), Some((code.to_owned(), 2)));
    }
    for code in ["ANG", "MRO", "STD", "BYR", "EEK", "LTL", "VEF", "ZMK"] {
        assert_eq!(Currency::parse(code), Err(MoneyError::UnknownCurrency), "{code}");
    }
    for code in ["EUR", "SLE", "ZWG", "CUP", "XCG", "VED", "VES", "MRU", "STN", "BYN", "CHW", "UYW"] {
        assert!(Currency::parse(code).is_ok(), "{code}");
    }
}

/// Rule 1.3: what is stored is read as it is, also if no currency of today has such a code or such digits.
#[test]
fn a_stored_amount_keeps_its_digits() {
    let stored = |amount: &str, code| Money::from_stored(parse_decimal(amount).unwrap(), Currency::from_stored(code).unwrap());
    for (amount, code, expected) in [
        ("49.0000", "XQQ", "49.00 XQQ"),
        ("49.5000", "XQQ", "49.50 XQQ"),
        ("0.1234", "XQQ", "0.1234 XQQ"),
        ("49.0000", "XAU", "49.00 XAU"),
        ("49.0000", "HRK", "49.00 HRK"),
        ("49.0000", "JPY", "49 JPY"),
        ("49.5000", "JPY", "49.5 JPY"),
    ] {
        assert_eq!(stored(amount, code).map(|money| money.to_string()).as_deref(), Ok(expected));
    }
    let (fee, part) = (stored("49", "XQQ").unwrap(), stored("0.125", "XQQ").unwrap());
    assert_eq!(fee.minus(part).and_then(|rest| rest.plus(part)), Ok(fee));
    assert_eq!(fee.minus(part).unwrap().to_string(), "48.875 XQQ");
    assert_eq!(fee.plus(usd("1")), Err(MoneyError::CurrencyMismatch));
    assert_eq!(Money::zero(fee.currency()).to_string(), "0.00 XQQ");
    for code in ["", "US", "usd", "USDX", "ÄB", "U\u{0}D"] {
        assert_eq!(Currency::from_stored(code), None, "{code:?}");
    }
}

/// Rule 5.2: a percentage is rounded to the digits of its currency, and half a unit goes up.
#[test]
fn a_percentage_is_rounded_to_the_digits_of_its_currency() {
    let percent = |amount: &str, code, percent: &str| {
        let money = Money::parse(amount, Currency::parse(code).unwrap()).unwrap();
        money.percent(percent.parse().unwrap())
    };
    for (amount, code, of, expected) in [
        ("19.90", "USD", "5", "1.00 USD"),
        ("0.30", "USD", "1.5", "0.00 USD"),
        ("0.10", "USD", "5", "0.01 USD"),
        ("0.30", "USD", "5", "0.02 USD"),
        ("0.09", "USD", "5", "0.00 USD"),
        ("199.99", "USD", "0", "0.00 USD"),
        ("199.99", "USD", "100", "199.99 USD"),
        ("199.99", "USD", "1200", "2399.88 USD"),
        ("1999", "JPY", "2.5", "50 JPY"),
        ("1.234", "KWD", "12.5", "0.154 KWD"),
        ("0.01", "USD", "-1", "0.00 USD"),
        ("999999999999.99", "USD", "100", "999999999999.99 USD"),
    ] {
        assert_eq!(percent(amount, code, of).map(|money| money.to_string()).as_deref(), Ok(expected), "{of} % of {amount}");
    }
    assert_eq!(percent("1", "USD", "-1"), Err(MoneyError::Negative));
    assert_eq!(percent("999999999999.99", "USD", "101"), Err(MoneyError::TooLarge));
    assert_eq!(percent("999999999999.99", "USD", "79228162514264337593543950335"), Err(MoneyError::TooLarge));
    let odd = Money::from_stored(Decimal::new(49_125, 3), Currency::USD).unwrap();
    assert_eq!(odd.percent(100.into()), Ok(usd("49.13")));
}

/// Chapter 1: each currency has its own number of digits.
#[test]
fn money_has_the_digits_of_its_currency() {
    use MoneyError::{Negative, NotANumber, TooLarge, TooManyDigits};
    let cases = [
        ("JPY", "100", Ok("100 JPY")),
        ("JPY", "100.5", Err(TooManyDigits { digits: 0 })),
        ("JPY", "100.0", Ok("100 JPY")),
        ("USD", "49.000", Ok("49.00 USD")),
        ("USD", "49.0010", Err(TooManyDigits { digits: 2 })),
        ("USD", "0.000000000000000000000000000000000000", Ok("0.00 USD")),
        ("USD", "0", Ok("0.00 USD")),
        ("USD", "1.5", Ok("1.50 USD")),
        ("USD", "1.005", Err(TooManyDigits { digits: 2 })),
        ("KWD", "1.005", Ok("1.005 KWD")),
        ("KWD", "1.0005", Err(TooManyDigits { digits: 3 })),
        ("USD", "-0", Ok("0.00 USD")),
        ("USD", "-0.01", Err(Negative)),
        ("USD", "999999999999.99", Ok("999999999999.99 USD")),
        ("USD", "1000000000000", Err(TooLarge)),
        ("USD", "79228162514264337593543950336", Err(TooLarge)),
        ("USD", "1e2", Err(NotANumber)),
        ("USD", "NaN", Err(NotANumber)),
        ("USD", "Infinity", Err(NotANumber)),
        ("USD", "+1", Err(NotANumber)),
        ("USD", "1,000", Err(NotANumber)),
        ("USD", "1_000", Err(NotANumber)),
        ("USD", ".5", Err(NotANumber)),
        ("USD", "5.", Err(NotANumber)),
        ("USD", "--5", Err(NotANumber)),
        ("USD", "", Err(NotANumber)),
        ("USD", "٥", Err(NotANumber)),
        ("USD", "0x10", Err(NotANumber)),
    ];
    for (code, text, expected) in cases {
        let money = Money::parse(text, currency(code)).map(|money| money.to_string());
        assert_eq!(money, expected.map(ToOwned::to_owned), "{text} {code}");
    }
}

/// Chapter 1: more digits than any decimal can hold are refused, never rounded.
#[test]
fn too_many_digits_are_never_rounded_away() {
    let tiny = format!("1.{}1", "0".repeat(40));
    assert!(Money::parse(&tiny, Currency::USD).is_err());
    assert!(Money::parse(&"9".repeat(400), Currency::USD).is_err());
    assert!(Money::parse(&format!("999999999999.{}", "9".repeat(60)), Currency::USD).is_err());
    for zeros in 0..40 {
        let text = format!("123456789012.{}1", "0".repeat(zeros));
        assert_eq!(Money::parse(&text, Currency::USD).is_ok(), zeros < 2, "{text}");
    }
}

/// Chapter 1: the currencies are those of ISO 4217 with a minor unit.
#[test]
fn currencies_are_those_with_a_minor_unit() {
    assert_eq!([currency("JPY").digits(), currency("USD").digits(), currency("KWD").digits()], [0, 2, 3]);
    for code in ["usd", "Usd", "XAU", "XTS", "XXX", "US", "USDD", "", "ÜSD", "840"] {
        assert_eq!(Currency::parse(code), Err(MoneyError::UnknownCurrency), "{code}");
    }
}

/// Sums and differences are exact, within the limits and in one currency.
#[test]
fn sums_and_differences_are_exact() {
    assert_eq!(usd("0.10").plus(usd("0.20")), Ok(usd("0.30")));
    assert_eq!(usd("0.30").minus(usd("0.10")), Ok(usd("0.20")));
    assert_eq!(usd("1").minus(usd("1")), Ok(Money::zero(Currency::USD)));
    assert_eq!(usd("1").minus(usd("1.01")), Err(MoneyError::Negative));
    assert_eq!(usd("999999999999.99").plus(usd("0.01")), Err(MoneyError::TooLarge));
    let yen = Money::parse("1", currency("JPY")).unwrap();
    assert_eq!(usd("1").plus(yen), Err(MoneyError::CurrencyMismatch));
    assert_eq!(usd("1").minus(yen), Err(MoneyError::CurrencyMismatch));
    assert_eq!(MAX_AMOUNT, Decimal::from(1_000_000_000_000_i64));
    assert_eq!(positive(Decimal::ZERO), Err(MoneyError::NotPositive));
    assert_eq!(positive(parse_decimal("-0").unwrap()), Err(MoneyError::NotPositive));
}

/// Chapter 1: an amount is a string or a number; a number is read as it was written.
#[test]
fn amounts_come_as_strings_and_numbers() {
    let amount = |json| read::<Decimal>(json).map(|amount| amount.to_string());
    for (json, expected) in [
        (json!("199.99"), Some("199.99")),
        (json!(199.99), Some("199.99")),
        (json!(0.1), Some("0.1")),
        (json!(1e2), Some("100")),
        (json!(u64::MAX), Some("18446744073709551615")),
        (json!(-5), Some("-5")),
        (json!(" 5 "), Some("5")),
        (json!("1e2"), None),
        (json!(format!("{}5", "0".repeat(250_000))), Some("5")),
        (json!("9".repeat(250_000)), None),
        (json!(1e300), None),
        (json!(true), None),
        (json!({"amount": 1}), None),
        (json!([1]), None),
    ] {
        assert_eq!(amount(json.clone()).as_deref(), expected, "{json}");
    }
    let raw: Field<Decimal> = serde_json::from_str("1.005").unwrap();
    assert_eq!(raw.given().unwrap().to_string(), "1.005");
}

/// A field with a number, in its original digits.
fn from_digits<T: FromScalar + Clone>(literal: &str) -> Option<T> {
    serde_json::from_str::<Field<T>>(literal).unwrap().given().cloned()
}

/// Rule 2.4: the draft of a body that is not an object is refused, whichever field a command reads.
#[test]
fn an_unreadable_draft_is_wrong_in_every_field() {
    let draft = TradeDraft::unreadable();
    assert!(matches!((&draft.vehicle_id, &draft.service_id), (Field::Wrong(_), Field::Wrong(_))));
    assert!(matches!((&draft.title, &draft.description), (Field::Wrong(_), Field::Wrong(_))));
}

/// Chapter 1: an amount is exact, never a float.
#[test]
fn a_number_keeps_its_digits_where_the_format_does() {
    for (literal, expected) in [
        ("0.29999999999999999", Some("0.29999999999999999")),
        ("100.00000000000000000001", Some("100.00000000000000000001")),
        ("800358862767.4079", Some("800358862767.4079")),
        ("49.9900", Some("49.99")),
        ("5.00", Some("5")),
        ("-5", Some("-5")),
        ("0", Some("0")),
        ("1e2", Some("100")),
        ("1E+2", Some("100")),
        ("12.5e-1", Some("1.25")),
        ("1.5e-2", Some("0.015")),
        ("0.0015e4", Some("15")),
        ("10e-1", Some("1")),
        ("0e999999999999999999999", Some("0")),
        ("1e400", None),
        ("1e99999999999999999999", None),
    ] {
        assert_eq!(from_digits::<Decimal>(literal).map(|amount| amount.to_string()).as_deref(), expected, "{literal}");
    }
    let zeros = |count: usize| "0".repeat(count);
    assert_eq!(from_digits::<Decimal>(&format!("1{}e-1500", zeros(1_500))), Some(Decimal::ONE));
    assert_eq!(from_digits::<Decimal>(&format!("0.{}1e2000", zeros(1_999))), Some(Decimal::ONE));
    assert_eq!(from_digits::<Decimal>(&format!("0.{}1e5000", zeros(999))), None);
    assert_eq!(from_digits::<i64>(&format!("0.{}1e5000", zeros(999))), None);
    let too_fine = format!("1{}e-1500", zeros(1_005));
    for literal in [&*too_fine, "1e-29", "1e-400", "1e-99999999999999999999", "0.00000000000000000000000000000000000000000001"] {
        assert_eq!(from_digits::<Decimal>(literal), None, "{literal} is no amount");
    }
    for (literal, expected) in
        [("5", Some(5)), ("5.0", Some(5)), ("50e-1", Some(5)), ("-0", Some(0)), ("5.5", None), ("9223372036854775808", None)]
    {
        assert_eq!(from_digits::<i64>(literal), expected, "{literal}");
    }
    assert_eq!((from_digits("1"), from_digits("0"), from_digits::<bool>("2")), (Some(true), Some(false), None));
}

/// Chapter 1: a boolean may also be a digit or a word.
#[test]
fn booleans_also_come_as_digits_and_words() {
    for json in [json!(true), json!(1), json!("1"), json!("true")] {
        assert_eq!(read::<bool>(json), Some(true));
    }
    for json in [json!(false), json!(0), json!("0"), json!("false")] {
        assert_eq!(read::<bool>(json), Some(false));
    }
    for json in [json!(2), json!("yes"), json!(null), json!([]), json!(-1), json!("")] {
        assert_eq!(read::<bool>(json.clone()), None, "{json}");
    }
}

/// Chapter 1: ids are positive 64-bit integers.
#[test]
fn ids_are_positive_whole_numbers() {
    for (json, expected) in [(json!(1), Some(1)), (json!(i64::MAX), Some(i64::MAX)), (json!(5.0), Some(5))] {
        assert_eq!(read::<TradeId>(json).map(TradeId::get), expected);
    }
    for json in [json!(0), json!(-1), json!(u64::MAX), json!(1.5), json!(1e30), json!(true), json!({}), json!(null)] {
        assert_eq!(read::<TradeId>(json.clone()), None, "{json}");
    }
    assert_eq!(TradeId::new(0), None);
}

/// Chapter 1: a date is `YYYY-MM-DD`, in the years 0001 to 9999, and exists.
#[test]
fn a_date_has_one_form() {
    for good in ["2026-03-02", "2028-02-29", "0001-01-01", "9999-12-31"] {
        assert_eq!(parse_date(good).unwrap().to_string(), good);
    }
    let bad = [
        "2026-3-2",
        "2026-02-29",
        "2026-13-01",
        "2026-00-10",
        "0000-01-01",
        "10000-01-01",
        "+2026-01-01",
        "-2026-01-01",
        " 2026-01-01",
        "2026-01-01T00:00:00Z",
        "26-01-01",
        "2026/01/01",
        "today",
        "",
        "２026-01-01",
    ];
    for text in bad {
        assert_eq!(parse_date(text), None, "{text}");
        assert_eq!(read::<NaiveDate>(json!(text)), None);
    }
    assert_eq!(read::<NaiveDate>(json!(20_260_101)), None);
}

/// Chapter 1: a date-time needs an offset.
#[test]
fn an_instant_has_its_offset() {
    let read = |text: &str| read::<DateTime<Utc>>(json!(text));
    assert_eq!(read("2026-03-02T12:00:00+02:00"), Some(instant("2026-03-02T10:00:00Z")));
    assert_eq!(read("9999-12-31T23:59:59.999999999Z"), Some(last_instant()), "the last one");
    assert_eq!(read("0001-01-01T00:00:00Z"), Some(instant("0001-01-01T00:00:00Z")), "the first one");
    assert_eq!(read("0000-12-31T23:59:60Z"), Some(instant("0001-01-01T00:00:00Z")), "a leap second is the second after it");
    assert_eq!(read("2026-03-02T12:00:00.1234567Z"), Some(instant("2026-03-02T12:00:00.123456Z")), "cut, not rounded");
    for text in [
        "2026-03-02T12:00:00",
        "2026-03-02",
        "2026-02-30T12:00:00Z",
        "9999-12-31T23:59:59-01:00",
        "9999-12-31T23:59:60Z",
        "9999-12-31T23:59:60.5Z",
        "9999-12-31T22:59:60-01:00",
        "0000-12-31T00:00:00Z",
        "0000-12-31T23:59:59.999Z",
        "",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

/// A leap second is an instant that every backend reads back as it was written.
#[test]
fn an_instant_survives_being_kept_in_microseconds() {
    let leap = read::<DateTime<Utc>>(json!("2030-06-30T23:59:60.5Z"));
    if let Some(leap) = leap {
        assert_eq!(DateTime::from_timestamp_micros(leap.timestamp_micros()), Some(leap));
    }
    assert_eq!(to_micros(instant("2026-03-02T12:00:00.999999999Z")), instant("2026-03-02T12:00:00.999999Z"));
}

/// Chapter 1: texts are trimmed, limited, and without control characters; the fields of a lead serve as the example.
#[test]
fn texts_are_trimmed_bounded_and_free_of_control_characters() {
    use lease_core::directory::create_lead;
    let make = |field: &str, text: &str| create_lead(&staff(), &draft(json!({"phone": "1", field: text})), now());
    for (field, max) in [("company", 150), ("notes", 4_000)] {
        assert_eq!(code(make(field, &"ä".repeat(max))), "ok", "characters, not bytes");
        assert_eq!(code(make(field, &format!("  {}\n", "x".repeat(max)))), "ok", "trimmed first");
        assert_eq!(wrong_fields(make(field, &"x".repeat(max + 1))), [field]);
        for bad in ["a\u{0}b", "a\u{1b}b", "a\u{7f}b", "a\u{85}b", "\u{0}"] {
            assert_eq!(wrong_fields(make(field, bad)), [field], "{bad:?}");
        }
    }
    for breaks in ["a\nb", "a\r\nb", "a\tb"] {
        assert_eq!(code(make("notes", breaks)), "ok");
        assert_eq!(wrong_fields(make("company", breaks)), ["company"]);
    }
}

/// Rule 1.5: what turns the direction of reading is refused in a line, and text that shows nothing is blank.
#[test]
fn a_line_shows_what_it_says() {
    use lease_core::directory::create_lead;
    let make = |field: &str, text: &str| create_lead(&staff(), &draft(json!({"phone": "1", field: text})), now());
    for control in "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}".chars() {
        let text = format!("a{control}b");
        assert_eq!(wrong_fields(make("company", &text)), ["company"], "{text:?}");
        assert_eq!(code(make("notes", &text)), "ok", "{text:?}");
    }
    let blank = [
        "",
        " ",
        "\u{a0}\u{3000}",
        "\u{200b}",
        "\u{2060}\u{feff}",
        "\u{ad}",
        "\u{34f}",
        "\u{180e}",
        "\u{e0041}",
        "\u{fe0f}",
        "\u{115f}",
        "\u{1160}",
        "\u{3164}",
        "\u{ffa0}",
        "\u{2800}",
        " \u{200d}\u{2800}\u{3164} ",
    ];
    let names = |company: &str| create_lead(&staff(), &draft(json!({"company": company})), now());
    for text in blank {
        assert_eq!(wrong_fields(names(text)), ["non_field_errors"], "{text:?} is no name");
        assert_eq!(code(make("company", text)), "ok", "{text:?} is as good as none");
    }
    for text in ["می\u{200c}خواهم", "❤\u{fe0f}", "👩\u{200d}🔧", "ㅎ", "\u{301}", "a\u{ad}b"] {
        assert_eq!(code(names(text)), "ok", "{text:?}");
    }
}

/// Rule 6.5: the same key compares names and searches for them.
#[test]
fn searching_finds_words_without_regard_to_case_and_form() {
    let text = search_text(&["Škoda Octavia", "", "WVWZZZ", "ﬁne", "ΣΙΣΥΦΟΣ", "Straße"]);
    for found in ["octavia", "OCTAV", "tavia", "šk", "škoda wvw", "fine", "σισυφος", "ΣΙΣΥΦΟΣ", "φοσ", "STRASSE", "", "  "]
    {
        assert!(Search::new(found).matches(&text), "{found}");
    }
    for missing in ["ko", "octavia bmw", "vw", "ia", "ος"] {
        assert!(!Search::new(missing).matches(&text), "{missing}: short words start a word");
    }
    assert_eq!(comparison_key(" ＡＤＡ "), "ada");
}

/// Rule 6.5: words of Chinese, Japanese and Korean are found inside a run of characters.
#[test]
fn searching_finds_words_that_no_space_separates() {
    let text = search_text(&["一汽大众GTI迈腾", "トヨタカローラ", "ｽｽﾞｷ", "현대자동차 소나타", "ㄅㄆㄇ"]);
    for found in [
        "大众",
        "众",
        "一汽大众",
        "汽 腾",
        "迈腾",
        "众gti",
        "gti迈",
        "ti迈",
        "gti",
        "カローラ",
        "ーラ",
        "スズキ",
        "ズキ",
        "자동차",
        "동",
        "나타",
        "ㄆㄇ",
    ] {
        let is_start = found != "ti迈";
        assert_eq!(Search::new(found).matches(&text), is_start, "{found}");
    }
    for missing in ["众大", "大腾", "大众ti", "ti", "차자", "ロカ"] {
        assert!(!Search::new(missing).matches(&text), "{missing}");
    }
}

/// Rule 3.7: names are compared after NFKC and full case folding, and without what shows nothing.
#[test]
fn names_that_read_the_same_have_one_key() {
    for (one, other) in [
        ("νικος", "ΝΙΚΟΣ"),
        ("νικοσ", "ΝΙΚΟΣ"),
        ("straße", "STRASSE"),
        ("STRAẞE", "strasse"),
        ("ﬁn", "FIN"),
        ("ａｄａ", "ADA"),
        ("Zoe\u{308}", "ZOË"),
        ("ᾳ", "ΑΙ"),
        ("ad\u{200b}a", "ada"),
        ("Ꮿ", "ꮿ"),
    ] {
        assert_eq!(comparison_key(one), comparison_key(other), "{one:?} {other:?}");
    }
    assert_ne!(comparison_key("ı"), comparison_key("i"));
    assert_ne!(comparison_key("аdmin"), comparison_key("admin"));
}

/// A name is compared by its stored key: the key of a key is the same key.
#[test]
fn the_key_of_a_key_is_the_key() {
    let marks = ["", "\u{345}", "\u{308}", "\u{30c}", "\u{34f}\u{301}", "\u{1161}", " "];
    let folds = |character: &char| character.to_lowercase().ne([*character]) || character.nfkc().ne([*character]);
    for character in (char::MIN..='\u{2ffff}').filter(folds) {
        for mark in marks {
            let key = comparison_key(&format!("{character}{mark}"));
            assert_eq!(comparison_key(&key), key, "{character:?} {mark:?}");
        }
    }
    assert_eq!(comparison_key("J\u{30c}"), comparison_key("\u{1f0}"));
}

/// Rule 6.5: a cursor is opaque, and each place has exactly one.
#[test]
fn an_invalid_cursor_is_refused() {
    assert_eq!(Cursor::decode("a0000000000000005"), Some(Cursor::After(5.into())));
    assert_eq!(Cursor::decode("b7fffffffffffffff"), Some(Cursor::Before(i64::MAX.into())));
    let price = |is_descending, amount: &str| Some(PriceKey { is_descending, amount: amount.parse().unwrap() });
    let dear = Cursor::Before(Place { id: 5, price: price(true, "199.5") });
    assert_eq!(Cursor::decode("b0000000000000005d199.5"), Some(dear));
    let cheap = Cursor::After(Place { id: 5, price: price(false, "0.0100") });
    assert_eq!(cheap.encode(), "a0000000000000005u0.01");
    assert_eq!(Cursor::decode("a0000000000000005u0.01"), Some(cheap));
    for long in ["0".repeat(60_000), format!("1{}", "_".repeat(60_000))] {
        assert_eq!(Cursor::decode(&format!("a0000000000000005u{long}")), None);
    }
    let wrong = [
        "",
        "a",
        "5",
        "a5",
        "c0000000000000005",
        "A0000000000000005",
        "a000000000000000A",
        "a8000000000000000",
        "a-000000000000005",
        "a+000000000000005",
        "a00000000000000005",
        "a000000000000005",
        " a0000000000000005",
        "a0000000000000005 ",
        "a00000000000000g5",
        "\u{0}",
        "ÿ",
        "äa0000000000000005",
        "a0000000000000005u",
        "a0000000000000005x5",
        "a0000000000000005u05",
        "a0000000000000005u5.0",
        "a0000000000000005u5.",
        "a0000000000000005u-5",
        "a0000000000000005u1_0",
        "a0000000000000005u5.00001",
        "a0000000000000005u1000000000000",
    ];
    for text in wrong.into_iter().chain(["0".repeat(10_000).as_str()]) {
        assert_eq!(Cursor::decode(text), None, "{text}");
    }
}

/// Rule 6.5: a page has one to a hundred rows.
#[test]
fn a_page_holds_one_to_a_hundred_rows() {
    assert!(PageRequest::new(0, None).is_none() && PageRequest::new(101, None).is_none());
    assert_eq!(PageRequest::new(100, None).unwrap().fetch(), 101);
    assert_eq!(PageRequest::default().fetch(), 26);
}

/// Rule 6.5: newest first, with cursors to the neighbouring pages if there are any rows on them.
#[test]
fn a_page_knows_its_neighbours() {
    let (after, before) = (|id: i64| Cursor::After(id.into()), |id: i64| Cursor::Before(id.into()));
    let page = |cursor, fetched: &[i64]| {
        let page = Page::of(PageRequest::new(2, cursor).unwrap(), fetched.to_vec(), |row| *row);
        (page.items, page.next, page.previous)
    };
    assert_eq!(page(None, &[]), (vec![], None, None));
    assert_eq!(page(None, &[9, 8]), (vec![9, 8], None, None));
    assert_eq!(page(None, &[9, 8, 7]), (vec![9, 8], Some(after(8)), None));
    assert_eq!(page(Some(after(8)), &[7, 6, 5]), (vec![7, 6], Some(after(6)), Some(before(7))));
    assert_eq!(page(Some(after(6)), &[5]), (vec![5], None, Some(before(5))));
    assert_eq!(page(Some(before(5)), &[6, 7, 8]), (vec![7, 6], Some(after(6)), Some(before(7))));
    assert_eq!(page(Some(before(7)), &[8, 9]), (vec![9, 8], Some(after(8)), None));
}

proptest! {
    #[test]
    fn a_cursor_reads_back(number in 0..=i64::MAX, is_after: bool) {
        let cursor = if is_after { Cursor::After(number.into()) } else { Cursor::Before(number.into()) };
        prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
    }

    #[test]
    fn the_key_of_the_key_of_any_text_is_the_key(text in any::<String>()) {
        let key = comparison_key(&text);
        prop_assert_eq!(comparison_key(&key), key);
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in any::<String>()) {
        if let Some(cursor) = Cursor::decode(&text) {
            prop_assert_eq!(cursor.encode(), &*text);
        }
        if let Some(date) = parse_date(&text) {
            prop_assert_eq!(date.to_string(), &*text);
        }
        let _ = (read::<Decimal>(json!(text)), read::<DateTime<Utc>>(json!(text)), lease_core::model::Vin::parse(&text));
        let _ = (lease_core::gateway::CardNumber::parse(&text), text.parse::<lease_core::account::TokenText>());
        let _ = (lease_core::model::Email::parse(&text), lease_core::model::Username::parse(&text), Currency::parse(&text));
    }

    #[test]
    fn cents_are_written_and_read_as_they_are(cents in 0..100_000_000_000_000_i64) {
        let text = format!("{}.{:02}", cents / 100, cents % 100);
        let money = Money::parse(&text, Currency::USD).unwrap();
        prop_assert_eq!(money.amount().to_string(), &*text);
        prop_assert_eq!(read::<Decimal>(json!(text)), Some(money.amount()));
    }

    #[test]
    fn adding_and_subtracting_an_amount_gives_the_same_money(a in 0..40_000_000_000_000_i64, b in 0..40_000_000_000_000_i64) {
        let cents = |cents| Money::new(Decimal::new(cents, 2), Currency::USD).unwrap();
        let sum = cents(a).plus(cents(b)).unwrap();
        prop_assert_eq!(sum, cents(a + b));
        prop_assert_eq!(sum.minus(cents(b)), Ok(cents(a)));
    }
}
