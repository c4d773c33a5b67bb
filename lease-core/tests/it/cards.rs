//! Credit cards: rule 5.6.

use lease_core::Error;
use lease_core::gateway::{CardNumber, CardToken, TokenizedCard};
use lease_core::id::{CreditCardId, Versioned};
use lease_core::input::UpdateMode;
use lease_core::model::{CardBrand, CreditCard};
use lease_core::permission::Actor;
use lease_core::wallet::{
    CardChange, CheckedCard, DefaultCard, Wallet, check_card, check_entered_card, delete_card, store_card, update_card,
    visible_card,
};
use serde_json::{Value, json};

use crate::support::*;

fn a_card(fields: Value) -> Value {
    let json = json!({"number": "4242 4242 4242 4242", "exp_month": 12, "exp_year": 2030, "cvc": "123", "holder_name": "Ada"});
    with(json, fields)
}

fn check(fields: Value) -> Result<CheckedCard, Error> {
    check_card(&customer(OWNER), &draft(a_card(fields)), &takes_numbers(), now().date_naive())
}

/// The owner's cards: card 1 as given, and perhaps another one.
fn wallet(card: Option<CreditCard>, newest_other: Option<i64>) -> Versioned<Wallet> {
    let newest_other: Option<CreditCardId> = newest_other.map(id);
    first(Wallet { customer_id: id(OWNER), card: card.map(|card| stored(1, card)), newest_other, default_other: None })
}

fn update(wallet: &Versioned<Wallet>, json: Value) -> Result<(CreditCard, DefaultCard), Error> {
    let change = update_card(wallet, &customer(OWNER), &draft(json), UpdateMode::Partial, now().date_naive())?.changes;
    match change.card {
        CardChange::Update(_, card) => Ok((card, change.others)),
        other @ CardChange::Create(_) => panic!("{other:?}"),
    }
}

/// Rule 5.6: a stored card has the last four digits and the gateway's token, but not the number.
#[test]
fn a_card_is_kept_without_its_number() {
    let checked = check(json!({"number": "4000-0000-0000-0002"})).unwrap();
    assert_eq!(checked.details.number.expose(), "4000000000000002");
    let change = store_card(&wallet(None, Some(9)), &checked.tokenized(CardToken::new("tok".into())), false, now()).changes;
    let CardChange::Create(card) = change.card else { panic!("a new card") };
    assert_eq!((card.brand, &*card.last4, card.exp_month, card.exp_year), (CardBrand::Visa, "0002", 12, 2030));
    assert_eq!((card.customer_id, &*card.holder_name, card.token.expose()), (id(OWNER), "Ada", "tok"));
    assert_eq!((card.created_at, card.deleted_at), (now(), None));
}

/// Rule 5.6: the name on a card that was entered elsewhere may be anything, and a number is not kept as one.
#[test]
fn a_name_from_elsewhere_that_is_none_is_left_out() {
    for (given, kept) in [(" Ada ", "Ada"), ("", ""), ("4242 4242 4242 4242", ""), (&*"a".repeat(151), ""), ("a\nb", "")] {
        let card = check(json!({})).unwrap().tokenized(CardToken::new("tok".into()));
        let card = TokenizedCard { holder_name: given.into(), ..card };
        let CardChange::Create(card) = store_card(&wallet(None, None), &card, false, now()).changes.card else { panic!() };
        assert_eq!(card.holder_name, kept, "{given:?}");
    }
}

/// Rule 5.6: the number passes the Luhn check, has a valid length and consists of digits.
#[test]
fn a_number_is_checked() {
    let bad =
        ["4242424242424241", "4242", "42424242424242424242", "4242x24242424242", "", "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", "4242\n424242424242"];
    for number in bad {
        assert_eq!(wrong_fields(check(json!({"number": number}))), ["number"], "{number}");
    }
    for number in [json!(4_242_424_242_424_242_i64), json!(null), json!([])] {
        assert_eq!(wrong_fields(check(json!({"number": number}))), ["number"]);
    }
}

/// A valid number of this length with these first digits.
fn number(first: &str, length: usize) -> String {
    let padded = format!("{first:0<width$}", width = length - 1);
    let numbers = (0..10).map(|check| format!("{padded}{check}"));
    let luhn = |number: &String| {
        let doubled = |value: u32| if value > 4 { value * 2 - 9 } else { value * 2 };
        let values = number.chars().rev().map(|digit| digit.to_digit(10).unwrap()).enumerate();
        values.map(|(place, value)| if place % 2 == 1 { doubled(value) } else { value }).sum::<u32>().is_multiple_of(10)
    };
    numbers.into_iter().find(luhn).unwrap()
}

/// Rule 5.6: the brand is that of the published ranges, and unknown outside of them.
#[test]
fn the_brand_is_that_of_the_published_ranges() {
    use CardBrand::{Amex, Diners, Discover, Jcb, Maestro, Mastercard, Unionpay, Unknown, Visa};
    let cases = [
        ("4242424242424242", Visa),
        ("4000056655665556", Visa),
        ("5555555555554444", Mastercard),
        ("2223003122003222", Mastercard),
        ("378282246310005", Amex),
        ("6011111111111117", Discover),
        ("3056930009020004", Diners),
        ("36227206271667", Diners),
        ("3566002020360505", Jcb),
        ("6200000000000005", Unionpay),
        ("6225880000000001", Unionpay),
        ("6304000000000000", Maestro),
        ("6062826786276634", Unknown),
        ("2721000000000004", Unknown),
        ("3500000000000009", Unknown),
    ];
    for (number, brand) in cases {
        assert_eq!(CardNumber::parse(number).unwrap().brand(), brand, "{number}");
    }
    let edges = [
        (Unknown, "2199 2205 2220 50 5017 5019 5021 5039 5892 56 57 60 6010 6012 6303 6305 643 66 6758 6760 6764 70 80 82 9 1"),
        (Unknown, "306 3094 3096 31 32 3527 3590 33"),
        (Mastercard, "2221 2720 51 55"),
        (Discover, "6011 644 649 65"),
        (Jcb, "3528 3589"),
        (Unionpay, "62 81"),
        (Maestro, "5018 5020 5038 5893 6304 6759 6761 6763"),
        (Diners, "300 305 3095 38 39"),
    ];
    for (brand, first) in edges.into_iter().flat_map(|(brand, all)| all.split(' ').map(move |first| (brand, first))) {
        assert_eq!(CardNumber::parse(&number(first, 16)).unwrap().brand(), brand, "{first}");
    }
}

/// Rule 5.6: a number has a length of its brand, and is not made of zeros only.
#[test]
fn a_number_has_a_length_of_its_brand() {
    for (first, lengths) in [
        ("4", vec![13, 16, 19]),
        ("51", vec![16]),
        ("2221", vec![16]),
        ("34", vec![15]),
        ("37", vec![15]),
        ("6011", vec![16, 17, 18, 19]),
        ("36", vec![14]),
        ("38", vec![14, 15, 16, 17, 18, 19]),
        ("3528", vec![16, 17, 18, 19]),
        ("62", vec![16, 17, 18, 19]),
        ("6759", (12..=19).collect()),
        ("9", (12..=19).collect()),
    ] {
        let taken: Vec<usize> = (12..=19).filter(|length| CardNumber::parse(&number(first, *length)).is_ok()).collect();
        assert_eq!(taken, lengths, "{first}");
    }
    for length in 12..=19 {
        assert_eq!(wrong_fields(check(json!({"number": "0".repeat(length)}))), ["number"]);
    }
}

/// Rule 5.6: the security code has four digits for American Express, three for other brands.
#[test]
fn a_security_code_has_the_digits_of_its_brand() {
    for (number, lengths) in [
        ("378282246310005", vec![4]),
        ("4242424242424242", vec![3]),
        ("6225880000000001", vec![3]),
        ("6062826786276634", vec![3, 4]),
        ("not a number", vec![3, 4]),
    ] {
        let is_taken = |length: usize| {
            !wrong_fields(check(json!({"number": number, "cvc": "1".repeat(length), "is_default": 7}))).contains(&"cvc")
        };
        let taken: Vec<usize> = (1..6).filter(|length| is_taken(*length)).collect();
        assert_eq!(taken, lengths, "{number}");
    }
}

/// Rule 5.6: a number in the place of the name is not stored, for the name is shown.
#[test]
fn the_name_on_a_card_is_no_number() {
    for name in ["4242 4242 4242 4242", "4242424242424242", "Ada 4242-4242-4242", "４２４２４２４２４２４２", "٤٢٤٢٤٢٤٢٤٢٤٢"]
    {
        assert_eq!(wrong_fields(check(json!({"holder_name": name}))), ["holder_name"], "{name}");
        let renamed = update(&wallet(Some(card(OWNER)), None), json!({"holder_name": name}));
        assert_eq!(wrong_fields(renamed), ["holder_name"], "{name}");
    }
    for name in ["Ada Lovelace II", "Company 12345678901", "O'Neil 3rd"] {
        assert!(check(json!({"holder_name": name})).is_ok(), "{name}");
    }
}

/// Rule 5.6: a card is valid until the end of its month.
#[test]
fn an_expired_card_is_not_stored() {
    for (month, year, is_good) in [(3, 2026, true), (2, 2026, false), (12, 2025, false), (1, 2027, true)] {
        assert_eq!(check(json!({"exp_month": month, "exp_year": year})).is_ok(), is_good, "{month}/{year}");
    }
    for (field, value) in [("exp_month", 0), ("exp_month", 13), ("exp_year", 30), ("exp_year", 10_000)] {
        assert_eq!(wrong_fields(check(json!({field: value}))), [field]);
    }
    for (cvc, is_good) in [
        (json!("12"), false),
        (json!("1234"), false),
        (json!(" 123 "), true),
        (json!("12a"), false),
        (json!(null), true),
        (json!(""), false),
    ] {
        assert_eq!(check(json!({"cvc": cvc})).is_ok(), is_good, "{cvc}");
    }
}

/// Rule 6.6: all wrong fields are reported at once.
#[test]
fn every_wrong_field_of_a_card_is_named_at_once() {
    let json = json!({"number": "1", "exp_month": 0, "exp_year": "x", "cvc": "x", "holder_name": " ", "is_default": 7});
    let expected = ["cvc", "exp_month", "exp_year", "holder_name", "is_default", "number"];
    assert_eq!(wrong_fields(check(json)), expected);
}

/// Rule 6.6: all wrong fields are reported at once, including those that depend on the time.
#[test]
fn an_expired_card_is_reported_with_a_missing_name() {
    let json = json!({"exp_month": 1, "exp_year": 2020, "holder_name": ""});
    assert_eq!(wrong_fields(check(json)), ["exp_year", "holder_name"]);
}

/// Rule 5.6: the first card is the default card; a later one becomes it on request.
#[test]
fn the_first_card_is_the_default_and_later_ones_when_asked() {
    let cases = [
        (None, json!({}), true, DefaultCard::Clear),
        (None, json!({"is_default": false}), true, DefaultCard::Clear),
        (Some(9), json!({}), false, DefaultCard::Keep),
        (Some(9), json!({"is_default": true}), true, DefaultCard::Clear),
    ];
    for (other, json, is_default, others) in cases {
        let checked = check(json).unwrap();
        let card = checked.tokenized(CardToken::new("t".into()));
        let change = store_card(&wallet(None, other), &card, checked.wants_default, now()).changes;
        let CardChange::Create(card) = change.card else { panic!("a new card") };
        assert_eq!((card.is_default, change.others), (is_default, others));
    }
}

/// Rule 5.6: exactly one card is the default card.
#[test]
fn another_card_takes_over_as_the_default() {
    let second = wallet(Some(CreditCard { is_default: false, ..card(OWNER) }), Some(9));
    assert_eq!(
        update(&second, json!({"is_default": true})).map(|(card, others)| (card.is_default, others)).unwrap(),
        (true, DefaultCard::Clear)
    );
    assert_eq!(
        update(&second, json!({"holder_name": "Eve"})).map(|(card, others)| (card.is_default, others)).unwrap(),
        (false, DefaultCard::Keep)
    );
    let default = wallet(Some(card(OWNER)), Some(9));
    for json in [json!({"is_default": false}), json!({"is_default": true}), json!({"is_default": null})] {
        let (card, others) = update(&default, json).unwrap();
        assert_eq!((card.is_default, others), (true, DefaultCard::Keep), "one default stays");
    }
}

/// Rule 5.6: the number of a card cannot be changed.
#[test]
fn the_number_of_a_card_cannot_be_changed() {
    let wallet = wallet(Some(card(OWNER)), None);
    let json =
        json!({"holder_name": "Eve", "exp_month": 4, "exp_year": 2031, "number": "5555555555554444", "cvc": "999", "last4": "0"});
    let (changed, _) = update(&wallet, json).unwrap();
    assert_eq!(changed, CreditCard { holder_name: "Eve".into(), exp_month: 4, exp_year: 2031, ..card(OWNER) });
    assert_eq!(wrong_fields(update(&wallet, json!({"exp_year": 2020}))), ["exp_year"]);
}

/// Rule 5.6: the holder's name can be changed even if the card has expired since.
#[test]
fn an_expired_card_may_be_renamed() {
    let wallet = wallet(Some(CreditCard { exp_year: 2020, ..card(OWNER) }), None);
    assert_eq!(update(&wallet, json!({"holder_name": "Eve"})).unwrap().0.holder_name, "Eve");
}

/// Rule 5.6: if the default card is deleted, the newest other card becomes the default.
#[test]
fn deleting_the_default_card_makes_the_newest_other_one_the_default() {
    let plain = CreditCard { is_default: false, ..card(OWNER) };
    let cases = [
        (card(OWNER), Some(9), DefaultCard::Becomes(id(9))),
        (card(OWNER), None, DefaultCard::Keep),
        (plain, Some(9), DefaultCard::Keep),
    ];
    for (card, other, others) in cases {
        let change = delete_card(&wallet(Some(card), other), &customer(OWNER), now()).unwrap().changes;
        let CardChange::Update(_, deleted) = change.card else { panic!("a change") };
        assert_eq!((deleted.deleted_at, deleted.is_default, change.others), (Some(now()), false, others));
    }
}

/// Chapter 2: customers use their own cards; staff only read them.
#[test]
fn only_their_customer_changes_cards_and_staff_only_read_them() {
    let own = wallet(Some(card(OWNER)), None);
    let cases = [
        (Actor::Anonymous, "not_authenticated", "not_authenticated"),
        (customer(OWNER), "ok", "ok"),
        (customer(BUYER), "not_found", "not_found"),
        (staff(), "ok", "permission_denied"),
        (superuser(), "ok", "permission_denied"),
    ];
    for (actor, read, write) in cases {
        assert_eq!(code(visible_card(&own, &actor)), read, "{actor:?}");
        let renamed = update_card(&own, &actor, &draft(json!({"holder_name": "Eve"})), UpdateMode::Partial, now().date_naive());
        assert_eq!(code(renamed), write, "{actor:?}");
        assert_eq!(code(delete_card(&own, &actor, now())), write, "{actor:?}");
    }
    for (actor, expected) in [(Actor::Anonymous, "not_authenticated"), (staff(), "permission_denied")] {
        assert_eq!(code(check_card(&actor, &draft(a_card(json!({}))), &takes_numbers(), now().date_naive())), expected);
    }
    assert_eq!(code(visible_card(&wallet(None, None), &customer(OWNER))), "not_found");
}

/// Rule 5.6: a card that was entered in the browser is named as the gateway names it; a number is wrong there.
#[test]
fn an_entered_card_is_named_and_has_no_number() {
    let check = |actor: &Actor, json| check_entered_card(actor, &draft(json));
    let named = check(&customer(OWNER), json!({"payment_method": " pm_1 ", "is_default": true})).unwrap();
    assert_eq!((&*named.payment_method, named.wants_default), ("pm_1", true));
    assert!(!check(&customer(OWNER), json!({"payment_method": "pm_1"})).unwrap().wants_default);
    for wrong in [json!({}), json!({"payment_method": null}), json!({"payment_method": " "}), json!({"payment_method": 5})] {
        assert_eq!(wrong_fields(check(&customer(OWNER), wrong)), ["payment_method"]);
    }
    for number in [json!("4242424242424242"), json!(null), json!(5)] {
        let json = json!({"payment_method": "pm_1", "number": number});
        assert_eq!(wrong_fields(check(&customer(OWNER), json)), ["number"], "{number}");
    }
    let number = json!({"number": "4242424242424242"});
    assert_eq!(wrong_fields(check(&customer(OWNER), number)), ["number", "payment_method"]);
    for (actor, expected) in [(Actor::Anonymous, "not_authenticated"), (staff(), "permission_denied")] {
        assert_eq!(code(check(&actor, json!({"payment_method": "pm_1"}))), expected);
    }
}
