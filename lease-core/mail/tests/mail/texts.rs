use lease_core::mail::Letter;
use lease_core::model::MailKind;
use lease_mail::samples;
use serde_json::Value;
use strum::VariantArray as _;

use crate::support::{letter, with_fact, written, written_by};

const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";
const LINKS: [(MailKind, &str); 2] = [(MailKind::PasswordReset, "password-reset"), (MailKind::EmailVerification, "verify-email")];

/// The facts that a mail must show, one by one: those for people, and not the ids.
fn shown(letter: &Letter) -> Vec<String> {
    let is_shown = |name: &str| !name.ends_with("_id") && !["kind", "reason", "failure_code"].contains(&name);
    let facts = letter.facts.iter().filter(|(name, _)| is_shown(name));
    facts.filter_map(|(_, fact)| fact.as_str().map(ToOwned::to_owned)).collect()
}

/// A letter whose facts are all in ASCII.
fn plain(kind: MailKind) -> Vec<Letter> {
    let ascii =
        |letter| if kind == MailKind::EmailChanged { with_fact(letter, "new_email_hint", "b...@example.com") } else { letter };
    samples(kind).into_iter().map(ascii).collect()
}

/// Rule 9.5: mails have text and HTML, and the subject says whose they are.
#[tokio::test]
async fn each_kind_says_what_happened_in_text_and_html() {
    for letter in MailKind::VARIANTS.iter().flat_map(|kind| plain(*kind)) {
        let mail = written(&letter).await;
        assert!(mail.header("Subject").starts_with("[Lease] "), "{}", mail.headers);
        // RFC 3676: by this line, mail programs find the signature.
        assert!(mail.text.contains("\r\n\r\n-- \r\nLease\r\n"), "{}", mail.text);
        for text in [&mail.text, &mail.html] {
            assert!(text.contains("Hello Ada Lovelace,"), "{text}");
            for fact in shown(&letter) {
                assert!(text.contains(&fact), "{}: {fact} is not in {text}", letter.kind);
            }
            for leftover in ["{{", "{%", "{#", ">none", ": none\r", "undefined", "null"] {
                assert!(!text.contains(leftover), "{}: {leftover} is in {text}", letter.kind);
            }
        }
        assert!(
            !mail.html.contains("http-equiv") && !mail.html.contains("src=") && !mail.html.contains("<style"),
            "{}",
            mail.html
        );
    }
}

#[tokio::test]
async fn a_trade_without_a_title_is_called_after_its_vehicle() {
    let letter = letter(MailKind::ProposalAccepted);
    assert_eq!(written(&letter).await.header("Subject"), "[Lease] Your proposal for Family estate for a year was accepted");
    let untitled = with_fact(letter, "trade_title", "");
    let mail = written(&untitled).await;
    assert_eq!(mail.header("Subject"), "[Lease] Your proposal for 2021 Volvo V60 was accepted");
    assert!(!mail.text.contains("Trade:") && mail.text.contains("Vehicle: 2021 Volvo V60"), "{}", mail.text);
}

#[tokio::test]
async fn a_recipient_without_a_name_is_greeted() {
    let mail = written(&Letter { name: " ".to_owned(), ..letter(MailKind::PasswordChanged) }).await;
    assert!(mail.text.contains("Hello,\r\n") && mail.html.contains("<p>Hello,</p>"), "{}", mail.text);
    assert_eq!(mail.header("To"), "ada@example.com");
}

#[tokio::test]
async fn who_proposed_decides_what_to_do_next() {
    let proposal = letter(MailKind::ProposalMade);
    let by_other = written(&with_fact(proposal.clone(), "by_owner", false)).await.text;
    assert!(by_other.contains("in your trade") && by_other.contains("reject"), "{by_other}");
    let by_owner = written(&with_fact(proposal, "by_owner", true)).await.text;
    assert!(by_owner.contains("The owner made a new proposal") && !by_owner.contains("reject"), "{by_owner}");
}

#[tokio::test]
async fn facts_that_there_are_not_leave_no_line() {
    let sale = with_fact(with_fact(letter(MailKind::ProposalMade), "kind", "sell"), "end_date", Value::Null);
    let text = written(&with_fact(sale, "start_date", Value::Null)).await.text;
    assert!(text.contains("Price: 450.00 USD\r\n\r\n") && !text.contains("From:") && !text.contains("Until:"), "{text}");
    let text = written(&with_fact(letter(MailKind::PaymentFailed), "failure_code", Value::Null)).await.text;
    assert!(!text.contains("Reason:"), "{text}");
}

#[tokio::test]
async fn what_is_due_is_told_apart_from_the_whole_amount() {
    let invoice = letter(MailKind::InvoiceOverdue);
    assert!(!written(&invoice).await.text.contains("Still to be paid"));
    let part_paid = written(&with_fact(invoice, "amount_due", "120.00")).await;
    assert!(part_paid.text.contains("Still to be paid: 120.00 USD"), "{}", part_paid.text);
    assert!(part_paid.html.contains("120.00 USD"), "{}", part_paid.html);
}

#[tokio::test]
async fn html_escapes_what_others_wrote() {
    let hostile = with_fact(letter(MailKind::ProposalMade), "trade_title", "<script>alert(1)</script>\"'&");
    let hostile = Letter { name: "<b>Ada</b>".to_owned(), ..hostile };
    let mail = written(&hostile).await;
    assert!(!mail.html.contains("<script") && !mail.html.contains("<b>"), "{}", mail.html);
    assert!(mail.html.contains("&lt;script&gt;") && mail.html.contains("&lt;b&gt;Ada"), "{}", mail.html);
    assert!(mail.text.contains("Trade: <script>alert(1)</script>\"'&"), "{}", mail.text);
}

/// Whoever names a trade writes no headers, and no lines of the text.
#[tokio::test]
async fn line_breaks_in_facts_become_spaces() {
    let title = "Fine car\r\nBcc: eve@example.com\n\n.\r\n\u{2028}\u{0}end";
    let hostile = with_fact(letter(MailKind::ProposalMade), "trade_title", title);
    let hostile = Letter { name: "Ada\r\nCc: eve@example.com".to_owned(), id: "17\r\nX: y/../z".to_owned(), ..hostile };
    let mail = written(&hostile).await;
    assert_eq!(mail.header("Subject"), "[Lease] New proposal for Fine car Bcc: eve@example.com . end");
    assert_eq!(mail.header("Message-ID"), "<17--X--y-..-z@lease.example>");
    assert!(
        !mail.headers.contains("\r\nBcc") && !mail.headers.contains("\r\nCc") && !mail.headers.contains("\r\nX"),
        "{}",
        mail.headers
    );
    assert!(mail.text.contains("Trade: Fine car Bcc: eve@example.com . end\r\n"), "{}", mail.text);
}

#[tokio::test]
async fn a_subject_has_its_limit() {
    let mail = written(&with_fact(letter(MailKind::ProposalMade), "trade_title", "x".repeat(900))).await;
    assert!(mail.headers.lines().all(|line| line.len() < 998), "{}", mail.headers);
}

/// Rule 9.5: the `Message-ID` is stable.
#[tokio::test]
async fn a_letter_has_the_same_headers_each_time() {
    let mail = written(&letter(MailKind::InvoiceIssued)).await;
    assert_eq!(mail.header("Message-ID"), "<mail-17@lease.example>");
    assert_eq!(mail.header("Date"), "Sun, 29 Nov 2026 12:00:00 +0000");
    assert_eq!(mail.header("From"), "Lease <no-reply@lease.example>");
    assert_eq!(mail.header("To"), "\"Ada Lovelace\" <ada@example.com>");
    assert_eq!(mail.header("Subject"), "[Lease] Invoice INV-00000012 for Family estate for a year");
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    assert_eq!(written(&letter(MailKind::InvoiceIssued)).await.header("Message-ID"), "<mail-17@lease.example>");
}

/// Rules 9.3 and 9.4: these two mails have a link, which stands on a line of its own.
#[tokio::test]
async fn a_token_is_in_a_link_of_the_two_mails_that_have_one() {
    for (base, prefix) in [
        ("https://lease.example", "https://lease.example"),
        ("https://lease.example/", "https://lease.example"),
        ("http://example.com:8000/lease/", "http://example.com:8000/lease"),
        ("https://example.com/a/b", "https://example.com/a/b"),
    ] {
        for (kind, page) in LINKS {
            let mail = written_by(|config| config.with_public_url(base.parse().unwrap()), &letter(kind)).await;
            let link = format!("{prefix}/{page}?token={TOKEN}");
            assert!(mail.text.lines().any(|line| line == link), "{}", mail.text);
            assert!(mail.html.contains(&format!("href=\"{link}\"")), "{}", mail.html);
            assert_eq!(mail.text.matches(TOKEN).count(), 1);
        }
    }
    for kind in MailKind::VARIANTS.iter().filter(|kind| LINKS.iter().all(|(other, _)| other != *kind)) {
        let letter = Letter { token: Some(TOKEN.into()), ..plain(*kind).swap_remove(0) };
        let mail = written(&letter).await;
        assert!(!mail.text.contains(TOKEN) && !mail.html.contains(TOKEN) && !mail.headers.contains(TOKEN), "{kind}");
        assert!(!mail.text.contains("https://") && !mail.html.contains("href"), "{kind}");
    }
}

#[tokio::test]
async fn a_token_without_a_page_is_shown_itself() {
    for (kind, _) in LINKS {
        let mail = written_by(|config| config, &letter(kind)).await;
        assert!(mail.text.lines().any(|line| line == TOKEN), "{}", mail.text);
        assert!(mail.html.contains(TOKEN) && !mail.html.contains("href"), "{}", mail.html);
        assert!(!mail.text.contains("link"), "{}", mail.text);
    }
}

/// Rules 9.3 and 9.4: for how long a link is good.
#[tokio::test]
async fn a_link_says_for_how_long_it_is_good() {
    let reset = written(&letter(MailKind::PasswordReset)).await;
    assert!(reset.text.contains("one hour, and only once") && reset.html.contains("one hour, and only once"));
    let verification = written(&letter(MailKind::EmailVerification)).await;
    assert!(verification.text.contains("three days, and only once") && verification.html.contains("three days, and only once"));
    assert!(reset.text.contains("If you did not ask for this") && verification.text.contains("If you did not ask for this"));
}

/// Rule 9.5: security notices cannot be switched off.
#[tokio::test]
async fn only_notices_that_can_be_switched_off_say_so() {
    for letter in MailKind::VARIANTS.iter().map(|kind| plain(*kind).swap_remove(0)) {
        let mail = written(&letter).await;
        let is_fixed = matches!(
            letter.kind,
            MailKind::PasswordChanged | MailKind::EmailChanged | MailKind::PasswordReset | MailKind::EmailVerification
        );
        for text in [mail.text, mail.html] {
            assert_eq!(text.contains("notification settings"), !is_fixed, "{}", letter.kind);
        }
    }
}

#[tokio::test]
async fn a_platform_signs_with_its_name() {
    let mail = written_by(|config| config.with_platform_name("Wheels & Co".to_owned()), &letter(MailKind::PasswordChanged)).await;
    assert_eq!(mail.header("Subject"), "[Wheels & Co] Your password was changed");
    assert!(mail.text.contains("-- \r\nWheels & Co") && mail.html.contains("Wheels &amp; Co"), "{}", mail.text);
    assert!(!mail.text.contains("Lease") && !mail.html.contains("Lease"), "{}", mail.html);
}
