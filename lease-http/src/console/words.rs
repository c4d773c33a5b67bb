//! The names of the API as words, and what its states look like.

/// The words of a name: `is_active` is *Active*, `due_date` *Due date*, `customer_id` *Customer*.
pub(super) fn label(name: &str) -> String {
    match name {
        "id" => return "Number".to_owned(),
        "dob" => return "Date of birth".to_owned(),
        "vin" => return "VIN".to_owned(),
        "url" => return "Address".to_owned(),
        "last4" => return "Last four digits".to_owned(),
        "address_line1" => return "Address line 1".to_owned(),
        "address_line2" => return "Address line 2".to_owned(),
        "exp_month" => return "Expiry month".to_owned(),
        "exp_year" => return "Expiry year".to_owned(),
        "type" => return "What happened".to_owned(),
        "actor" => return "Who".to_owned(),
        "occurred_at" => return "When".to_owned(),
        _ => {}
    }
    let trimmed = name.strip_prefix("is_").unwrap_or(name);
    let trimmed = ["_id", "_at"].iter().find_map(|suffix| trimmed.strip_suffix(suffix)).unwrap_or(trimmed);
    sentence(trimmed)
}

/// A word of the API as one for people: `written_off` is *Written off*.
pub(super) fn sentence(word: &str) -> String {
    let words = word.replace(['_', '.', '-'], " ");
    let mut characters = words.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// Words within a sentence: *Due date* is *due date*, and *VIN* stays so.
pub(super) fn inner(words: &str) -> String {
    let mut characters = words.chars();
    match (characters.next(), characters.clone().next()) {
        (Some(first), second) if second.is_none_or(char::is_lowercase) => first.to_lowercase().chain(characters).collect(),
        _ => words.to_owned(),
    }
}

/// A text of the API for people: without its marks, and with words for the names of its fields. `customer_id` is *customer*.
pub(super) fn plain(text: &str) -> String {
    let is_mark = |character: char| !character.is_ascii_alphanumeric() && character != '_';
    let words = text.split(' ').map(|word| {
        let word = word.replace('`', "");
        let name = word.trim_matches(is_mark);
        let is_name = name.trim_matches('_').contains('_')
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if is_name { word.replacen(name, &inner(&label(name)), 1) } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The words of a choice. Currencies stay as they are.
pub(super) fn choice(word: &str) -> String {
    match word {
        "newest" => "Newest first".to_owned(),
        "price" => "Price, rising".to_owned(),
        "-price" => "Price, falling".to_owned(),
        word if word.bytes().all(|byte| byte.is_ascii_uppercase()) => word.to_owned(),
        word => sentence(word),
    }
}

/// The words of a type of events, or of all types about a kind of objects: `trade.agreed` is *Trade agreed*, `trade.*` *All about
/// trade*.
pub(super) fn event_type(pattern: &str) -> String {
    match pattern.strip_suffix(".*") {
        Some(subject) => format!("All about {}", inner(&sentence(subject))),
        None => sentence(pattern),
    }
}

/// A number with commas between its thousands.
pub(super) fn grouped(number: &str) -> String {
    let (whole, rest) = number.split_at(number.find('.').unwrap_or(number.len()));
    let digits = whole.trim_start_matches('-').len();
    let mut words = String::with_capacity(number.len() + digits / 3);
    for (place, character) in whole.chars().enumerate() {
        let left = whole.len() - place;
        if left % 3 == 0 && left < digits {
            words.push(',');
        }
        words.push(character);
    }
    words + rest
}

/// The beginning of a text, of so many characters at the most.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// How a state is shown beside its word.
pub(super) fn tone(state: &str) -> &'static str {
    match state {
        "paid" | "succeeded" | "completed" | "accepted" | "converted" => "good",
        "pending" | "requires_action" | "new" => "wait",
        "open" | "agreed" | "contacted" | "qualified" => "live",
        "failed" | "failing" | "gone" | "overdue" => "bad",
        _ => "past",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_words() {
        let cases = [
            ("due_date", "Due date"),
            ("customer_id", "Customer"),
            ("is_overdue", "Overdue"),
            ("created_at", "Created"),
            ("vin", "VIN"),
            ("address_line1", "Address line 1"),
        ];
        for (name, words) in cases {
            assert_eq!(label(name), words);
        }
    }

    #[test]
    fn texts_of_the_api_are_read_without_its_names() {
        let cases = [
            ("Exactly one of customer_id and lead_id is required.", "Exactly one of customer and lead is required."),
            ("always `first_proposal` for `lease`", "always first proposal for lease"),
            ("One of email, phone and address_line1.", "One of email, phone and address line 1."),
            ("Later than `start_date`, or (due_date).", "Later than start date, or (due date)."),
            ("a_b@example.com and _ and A_B stay.", "a_b@example.com and _ and A_B stay."),
        ];
        for (text, words) in cases {
            assert_eq!(plain(text), words);
        }
    }

    #[test]
    fn choices_and_types_of_events_are_words() {
        assert_eq!(["USD", "-price", "written_off"].map(choice), ["USD", "Price, falling", "Written off"]);
        assert_eq!(["token.created", "credit_card.*"].map(event_type), ["Token created", "All about credit card"]);
        assert_eq!(["Due date", "VIN", ""].map(inner), ["due date", "VIN", ""]);
    }

    #[test]
    fn thousands_are_told_apart() {
        let cases = [
            ("0", "0"),
            ("999.00", "999.00"),
            ("5471.00", "5,471.00"),
            ("123456", "123,456"),
            ("-1234567.125", "-1,234,567.125"),
            ("-123", "-123"),
        ];
        for (number, words) in cases {
            assert_eq!(grouped(number), words);
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(["äöü", "äöüß", "äö üß"].map(|text| shortened(text, 3)), ["äöü", "äöü…", "äö…"]);
    }
}
