use lease_core::model::MailKind;
use lease_mail::ConfigError;

use crate::support::{TempFolder, config, letter, written_by};

/// What is wrong with a folder that holds this template.
fn error(name: &str, text: &str) -> String {
    let (mails, templates) = (TempFolder::new(), TempFolder::new());
    templates.write(name, text);
    match config(&mails.url()).with_templates(templates.path().to_owned()).build() {
        Err(ConfigError::Template(error)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_file_takes_the_place_of_the_one_of_its_name() {
    let templates = TempFolder::new();
    templates.write("invoice_issued.txt", "Bill {{ number }}\nDear {{ name }}, you owe {{ amount_due }} {{ currency }}.\n");
    templates.write("notes.md", "{{ not a template");
    let configure = |config: lease_mail::MailerConfig| config.with_templates(templates.path().to_owned());
    let mail = written_by(configure, &letter(MailKind::InvoiceIssued)).await;
    assert_eq!(mail.header("Subject"), "[Lease] Bill INV-00000012");
    assert_eq!(mail.text.trim_end(), "Dear Ada Lovelace, you owe 450.00 USD.");
    assert!(mail.html.contains("An invoice was issued to you") && mail.html.contains("Bill INV-00000012"), "{}", mail.html);
    let other = written_by(configure, &letter(MailKind::InvoiceOverdue)).await;
    assert!(other.text.contains("An invoice of yours was due"), "{}", other.text);
}

#[tokio::test]
async fn a_layout_takes_the_place_in_all_mails() {
    let templates = TempFolder::new();
    templates.write("layout.html", "<h1>Wheels</h1>{% block content %}{% endblock %}");
    for kind in [MailKind::InvoiceIssued, MailKind::PasswordChanged] {
        let mail = written_by(|config| config.with_templates(templates.path().to_owned()), &letter(kind)).await;
        assert!(mail.html.starts_with("<h1>Wheels</h1>"), "{}", mail.html);
    }
}

#[test]
fn a_broken_template_is_an_error_that_names_its_line() {
    let broken = error("invoice_issued.txt", "Subject\n\n{% if number %}\n");
    assert!(broken.starts_with("the template invoice_issued.txt, line 3: syntax error"), "{broken}");
    let unknown = error("invoice_issued.html", "<p>\n{{ amout }}</p>");
    assert!(unknown.starts_with("the template invoice_issued.html, line 2: undefined value"), "{unknown}");
    let wrong_filter = error("layout.html", "{{ subject|shout }}");
    assert!(wrong_filter.starts_with("the template layout.html, line 1: unknown filter"), "{wrong_filter}");
    assert!(!broken.contains('\n') && !unknown.contains('\n') && !wrong_filter.contains('\n'));
}

#[test]
fn each_branch_of_a_template_is_tried_out() {
    let only_for_sales = error("proposal_made.txt", "New\n{% if kind == \"sell\" %}{{ prize }}{% endif %}");
    assert!(only_for_sales.contains("line 2: undefined value"), "{only_for_sales}");
    let only_without_link = error("password_reset.html", "{% if link %}{{ link }}{% else %}{{ tokn }}{% endif %}");
    assert!(only_without_link.contains("line 1: undefined value"), "{only_without_link}");
}

#[test]
fn what_a_mail_must_have_cannot_be_left_out() {
    assert_eq!(error("password_reset.txt", "Subject\nNo link"), "the template password_reset.txt shows no link or token");
    assert_eq!(error("email_verification.html", "{{ subject }}"), "the template email_verification.html shows no link or token");
    for empty in ["", "\n\n", "Only a subject"] {
        assert_eq!(
            error("password_changed.txt", empty),
            "the template password_changed.txt shows no subject in its first line, and text below it"
        );
    }
}

#[test]
fn a_file_that_takes_the_place_of_none_is_an_error() {
    let unknown = error("invoice_isued.txt", "Subject\nText");
    assert!(unknown.ends_with("invoice_isued.txt takes the place of no template: there is none of that name"), "{unknown}");
}

#[test]
fn a_folder_of_templates_that_is_missing_is_an_error() {
    let (mails, templates) = (TempFolder::new(), TempFolder::new());
    let missing = templates.path().join("missing");
    let error = config(&mails.url()).with_templates(missing.clone()).build().unwrap_err().to_string();
    assert!(error.starts_with(&format!("{} cannot be read: ", missing.display())), "{error}");
}
