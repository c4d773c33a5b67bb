use crate::model::CardBrand;

/// The numbers of a brand: those whose first digits are in a range, and that have one of these lengths.
struct Numbers {
    brand: CardBrand,
    /// The lowest and the highest first digits, as many of one as of the other.
    from: &'static str,
    to: &'static str,
    lengths: &'static [usize],
}

const fn numbers(brand: CardBrand, from: &'static str, to: &'static str, lengths: &'static [usize]) -> Numbers {
    Numbers { brand, from, to, lengths }
}

const FROM_12: &[usize] = &[12, 13, 14, 15, 16, 17, 18, 19];
const FROM_14: &[usize] = &[14, 15, 16, 17, 18, 19];
const FROM_16: &[usize] = &[16, 17, 18, 19];

/// The ranges that the brands have published. None overlaps with another.
const PUBLISHED: &[Numbers] = &[
    numbers(CardBrand::Visa, "4", "4", &[13, 16, 19]),
    numbers(CardBrand::Mastercard, "51", "55", &[16]),
    numbers(CardBrand::Mastercard, "2221", "2720", &[16]),
    numbers(CardBrand::Amex, "34", "34", &[15]),
    numbers(CardBrand::Amex, "37", "37", &[15]),
    numbers(CardBrand::Discover, "6011", "6011", FROM_16),
    numbers(CardBrand::Discover, "644", "649", FROM_16),
    numbers(CardBrand::Discover, "65", "65", FROM_16),
    numbers(CardBrand::Diners, "300", "305", FROM_14),
    numbers(CardBrand::Diners, "3095", "3095", FROM_14),
    numbers(CardBrand::Diners, "36", "36", &[14]),
    numbers(CardBrand::Diners, "38", "39", FROM_14),
    numbers(CardBrand::Jcb, "3528", "3589", FROM_16),
    numbers(CardBrand::Unionpay, "62", "62", FROM_16),
    numbers(CardBrand::Unionpay, "81", "81", FROM_16),
    numbers(CardBrand::Maestro, "5018", "5018", FROM_12),
    numbers(CardBrand::Maestro, "5020", "5020", FROM_12),
    numbers(CardBrand::Maestro, "5038", "5038", FROM_12),
    numbers(CardBrand::Maestro, "5893", "5893", FROM_12),
    numbers(CardBrand::Maestro, "6304", "6304", FROM_12),
    numbers(CardBrand::Maestro, "6759", "6759", FROM_12),
    numbers(CardBrand::Maestro, "6761", "6763", FROM_12),
];

/// The brand of a number of digits: unknown if no published range holds it; none if its brand has no numbers of this length.
pub(super) fn brand_of(digits: &str) -> Option<CardBrand> {
    let first = |range: &Numbers| digits.get(..range.from.len());
    let published = PUBLISHED.iter().find(|range| first(range).is_some_and(|first| (range.from..=range.to).contains(&first)));
    match published {
        None => Some(CardBrand::Unknown),
        Some(range) => range.lengths.contains(&digits.len()).then_some(range.brand),
    }
}
