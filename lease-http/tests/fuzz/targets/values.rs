//! The parsers of single values. An accepted value is printed in the same form and parses again, and the accepted values are
//! exactly those that the specification describes, which is written here a second time in a different way.

use arbitrary::{Result, Unstructured};
use chrono::{DateTime, SecondsFormat, Utc};
use lease_core::account::TokenText;
use lease_core::gateway::CardNumber;
use lease_core::id::{Id as _, TradeId};
use lease_core::input::{Field, parse_date};
use lease_core::model::{Email, LoginName, Username, Vin};
use lease_core::money::{Currency, Money, MoneyError};
use lease_core::page::Cursor;
use lease_core::text::{Search, search_text};
use serde_json::json;

use super::text;

/// Chapter 1: an exact decimal with the currency's digits; more digits are refused, and none is lost or added but zeros at the end.
pub(super) fn money_keeps_every_digit(input: &mut Unstructured) -> Result<()> {
    let currency = Currency::parse(input.choose(&["USD", "JPY", "KWD"])?).unwrap();
    let text = text(input, "0123456789.-0")?;
    let taken = Money::parse(&text, currency);
    assert_eq!(taken.ok().map(|money| money.amount().to_string()), as_printed(&text, currency.digits()), "{text}: {taken:?}");
    if let Ok(money) = taken {
        assert_eq!(Money::parse(&money.amount().to_string(), currency), Ok(money));
    }
    Ok(())
}

/// The printed form of a text that is an amount of money.
fn as_printed(text: &str, digits: u32) -> Option<String> {
    let (is_negative, plain) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let is_number = |part: &str| part.chars().all(|character| character.is_ascii_digit());
    let width = usize::try_from(digits).unwrap();
    let is_plain = !whole.is_empty() && is_number(whole) && is_number(fraction) && !plain.ends_with('.');
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let is_zero = whole.is_empty() && fraction.chars().all(|character| character == '0');
    if !is_plain || fraction.len() > width || whole.len() > 12 || (is_negative && !is_zero) {
        return None;
    }
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if width == 0 { whole.to_owned() } else { format!("{whole}.{fraction:0<width$}") })
}

/// Sums and differences equal those of the minor units, or are refused: nothing is rounded, nothing overflows.
pub(super) fn money_adds_up_to_the_cent(input: &mut Unstructured) -> Result<()> {
    const END: i64 = 100_000_000_000_000;
    let usd = |cents: i64| Money::parse(&format!("{}.{:02}", cents / 100, cents % 100), Currency::USD).unwrap();
    let (a, b) = (input.int_in_range(0..=END - 1)?, input.int_in_range(0..=END - 1)?);
    let sum = if a + b < END { Ok(usd(a + b)) } else { Err(MoneyError::TooLarge) };
    assert_eq!(usd(a).plus(usd(b)), sum);
    let rest = if a >= b { Ok(usd(a - b)) } else { Err(MoneyError::Negative) };
    assert_eq!(usd(a).minus(usd(b)), rest);
    Ok(())
}

/// Rule 6.5: each cursor has exactly one text.
pub(super) fn a_cursor_that_decodes_encodes_to_the_same(input: &mut Unstructured) -> Result<()> {
    const BASE64: &str = "YWJIMTEyMzQ1Njc4OTA-_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789=+/";
    let id = input.int_in_range(1..=i64::MAX)?;
    for cursor in [Cursor::After(id.into()), Cursor::Before(id.into())] {
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
    }
    let text = text(input, BASE64)?;
    if let Some(cursor) = Cursor::decode(&text) {
        assert_eq!(cursor.encode(), text);
        assert!(cursor.place().id > 0);
    }
    Ok(())
}

/// Rule 6.2: 17 characters of the alphabet of ISO 3779, in upper case, after blanks, hyphens and the `*` around it are dropped.
pub(super) fn a_vin_is_seventeen_of_its_alphabet(input: &mut Unstructured) -> Result<()> {
    const ALPHABET: &str = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789";
    let text = &text(input, "ABCDEFGHJKLMNPRSTUVWXYZ0123456789abcdefghjklmnprstuvwxyzOI -*")?;
    let kept: String = text.chars().filter(|it| !it.is_whitespace() && *it != '-').collect();
    let kept = kept.trim_matches('*');
    let upper = kept.to_uppercase();
    let is_vin = kept.is_ascii() && upper.len() == 17 && upper.chars().all(|character| ALPHABET.contains(character));
    let taken = Vin::parse(text);
    assert_eq!(taken.as_ref().ok().map(Vin::as_str), is_vin.then_some(upper.as_str()));
    if let Ok(vin) = taken {
        assert_eq!(Vin::parse(vin.as_str()), Ok(vin));
    }
    Ok(())
}

/// Rule 5.6: a number passes the Luhn check, and no message contains a digit of it.
pub(super) fn a_card_number_passes_luhn_and_is_never_shown(input: &mut Unstructured) -> Result<()> {
    let text = &text(input, "0123456789012345678901234567890123456789 -x")?;
    let digits: Vec<u32> = text.trim().chars().filter(|it| !" -".contains(*it)).filter_map(|it| it.to_digit(10)).collect();
    let is_plain = text.trim().chars().all(|it| it.is_ascii_digit() || " -".contains(it));
    let plain: String = digits.iter().map(ToString::to_string).collect();
    let is_number = is_plain && luhn(&digits) && digits.iter().any(|digit| *digit > 0) && has_length_of_its_brand(&plain);
    match CardNumber::parse(text) {
        Ok(number) => {
            assert!(is_number, "{text}");
            assert_eq!(number.expose(), plain);
            assert!(plain.ends_with(&number.last4()) && number.last4().len() == 4);
            assert!(!format!("{number:?}").chars().any(|it| it.is_ascii_digit()));
        }
        Err(reason) => {
            assert!(!is_number, "{text}");
            assert!(!reason.to_string().chars().any(|it| it.is_ascii_digit()), "{reason}");
        }
    }
    Ok(())
}

/// Whether the length is one of those that the brand has, as the first digits say.
fn has_length_of_its_brand(digits: &str) -> bool {
    let first = |length: usize| digits.get(..length).and_then(|first| first.parse::<u32>().ok()).unwrap_or_default();
    let (two, three, four) = (first(2), first(3), first(4));
    let lengths: &[usize] = match digits.len() {
        _ if first(1) == 4 => &[13, 16, 19],
        _ if (51..=55).contains(&two) || (2221..=2720).contains(&four) => &[16],
        _ if two == 34 || two == 37 => &[15],
        _ if two == 36 => &[14],
        _ if two == 38 || two == 39 || (300..=305).contains(&three) || four == 3095 => &[14, 15, 16, 17, 18, 19],
        _ if four == 6011 || (644..=649).contains(&three) || two == 65 => &[16, 17, 18, 19],
        _ if (3528..=3589).contains(&four) || two == 62 || two == 81 || (2200..=2204).contains(&four) => &[16, 17, 18, 19],
        _ => &[12, 13, 14, 15, 16, 17, 18, 19],
    };
    lengths.contains(&digits.len())
}

/// From the right, every second digit is doubled and its digits are added; the sum ends in zero.
fn luhn(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let weighed = digits.iter().rev().enumerate().map(|(place, digit)| if place % 2 == 1 { doubled(*digit) } else { *digit });
    weighed.sum::<u32>().is_multiple_of(10)
}

/// Rule 3.6: 40 lower-case hexadecimal characters, and nothing else.
pub(super) fn a_token_is_forty_hexadecimal_characters(input: &mut Unstructured) -> Result<()> {
    let text = &text(input, "0123456789abcdef0123456789abcdef0123456789abcdefA")?;
    let is_token = text.len() == 40 && text.chars().all(|it| "0123456789abcdef".contains(it));
    let taken: Option<TokenText> = text.parse().ok();
    assert_eq!(taken.as_ref().map(TokenText::expose), is_token.then_some(text.as_str()));
    if let Some(token) = taken {
        let bytes: [u8; 20] = hex_bytes(text).try_into().unwrap();
        assert_eq!(TokenText::from_random(bytes).hash(), token.hash());
        assert!(!format!("{token:?}").contains(text.as_str()));
    }
    Ok(())
}

fn hex_bytes(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Chapter 1: dates are `YYYY-MM-DD`.
pub(super) fn a_date_has_one_form(input: &mut Unstructured) -> Result<()> {
    let text = &text(input, "0123456789-012-")?;
    if let Some(date) = parse_date(text) {
        assert_eq!(&date.format("%Y-%m-%d").to_string(), text);
        assert_eq!(text.len(), 10);
    }
    Ok(())
}

/// Chapter 1: timestamps are RFC 3339 with an offset; accepted ones are stored to the microsecond in UTC.
pub(super) fn an_instant_prints_and_reads_the_same(input: &mut Unstructured) -> Result<()> {
    let read = |text: &str| serde_json::from_value::<Field<DateTime<Utc>>>(json!(text)).unwrap().given().copied();
    let text = &text(input, "0123456789-:TZ+. 2026-03-01T12:00:00Z")?;
    if let Some(instant) = read(text) {
        let printed = instant.to_rfc3339_opts(SecondsFormat::Micros, true);
        assert_eq!(read(&printed), Some(instant), "{printed}");
        assert!(text.contains(['Z', 'z', '+', '-']));
    }
    Ok(())
}

/// Rules 3.7, 3.2: a name that is typed at registration and typed again later is the same name.
pub(super) fn a_name_that_logs_in_reads_back_the_same(input: &mut Unstructured) -> Result<()> {
    let text = &text(input, "abcABCÄßİσςя大カ\u{301}\u{200b}@.+-_xyz.example")?;
    if let Ok(name) = Username::parse(text) {
        assert_eq!(Username::parse(name.as_str()), Ok(name.clone()));
        assert_eq!(LoginName::new(text), name.key());
        assert!((1..=150).contains(&name.as_str().chars().count()));
    }
    if let Ok(email) = Email::parse(text) {
        assert_eq!(Email::parse(email.as_str()), Ok(email.clone()));
        assert_eq!(LoginName::new(text), email.key());
    }
    Ok(())
}

/// Rule 6.6: an id in a path is a positive 64-bit integer.
pub(super) fn an_id_in_a_path_is_plain_digits(input: &mut Unstructured) -> Result<()> {
    let text = &text(input, "00123456789+-")?;
    let digits = text.trim_start_matches('0');
    match TradeId::parse(text) {
        Some(id) => assert_eq!(id.to_string(), digits),
        None => {
            assert!(digits.is_empty() || digits.parse::<i64>().is_err() || digits.starts_with('+') || digits.starts_with('-'));
        }
    }
    Ok(())
}

/// Rule 6.5: a search finds the text that it looks for.
pub(super) fn a_search_finds_every_word_that_is_there(input: &mut Unstructured) -> Result<()> {
    const ALPHABET: &str = "abcABCßİ éΣςﬁ大众カ현\u{200b} \t";
    let (one, other) = (text(input, ALPHABET)?, text(input, ALPHABET)?);
    let haystack = search_text(&[&one, &other]);
    for word in one.split_whitespace().chain(other.split_whitespace()).chain([one.as_str()]) {
        assert!(Search::new(word).matches(&haystack), "{word:?} in {haystack:?}");
    }
    Ok(())
}
