//! The names of the API as words, and what its states look like.

/// The words of a name: `is_active` is *Active*, `due_date` *Due date*, `customer_id` *Customer*.
pub(super) fn label(name: &str) -> String {
    match name {
        "id" => return "Number".to_owned(),
        "dob" => return "Date of birth".to_owned(),
        "vin" => return "VIN".to_owned(),
        "url" => return "Address".to_owned(),
        "last4" => return "Last four digits".to_owned(),
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
        ];
        for (name, words) in cases {
            assert_eq!(label(name), words);
        }
    }
}
