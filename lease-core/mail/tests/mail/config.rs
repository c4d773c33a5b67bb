use lease_mail::{ConfigError, MailerConfig, parse_public_url};

use crate::support::config;

fn error(url: &str) -> String {
    let error = config(url).build().unwrap_err();
    assert!(matches!(error, ConfigError::Scheme | ConfigError::Url(_)), "{url}: {error:?}");
    error.to_string()
}

#[test]
fn a_mail_server_has_one_of_these_urls() {
    for good in [
        "smtp://mail.example",
        "smtp://mail.example:2525",
        "smtp://mail.example/lease.example",
        "smtp://mail.example?tls=required",
        "smtp://mail.example?tls=opportunistic",
        "smtp://user:password@mail.example:587/?tls=required",
        "smtp://user:p%40ss%2Fword@127.0.0.1:2525",
        "smtp://user:password@localhost",
        "smtp://user:password@[::1]:25",
        "smtps://user:password@mail.example",
        "smtps://[2001:db8::1]:465",
    ] {
        config(good).build().unwrap();
    }
    for wrong in ["", "mail.example", "mail.example:25", "http://mail.example", "smtpx://mail.example", "/tmp/mails"] {
        assert_eq!(error(wrong), "the URL of the mail server begins with smtp://, smtps:// or file:", "{wrong}");
    }
    assert_eq!(error("smtp:///path"), "the URL of the mail server names no host");
    assert_eq!(error("file:"), "the URL of the mail server names no folder");
    assert_eq!(error("smtp://user@mail.example"), "the URL of the mail server has a user without a password");
    assert_eq!(error("smtp://mail.example/a%20b"), "the URL of the mail server has a path that is no name of a host");
    assert_eq!(error("smtps://user:%FF@mail.example"), "the URL of the mail server has a user or password that is not in UTF-8");
    for parameters in ["smtp://mail.example?tls=maybe", "smtp://mail.example?ssl=on", "smtps://mail.example?tls=opportunistic"] {
        assert_eq!(
            error(parameters),
            "the URL of the mail server takes no parameter but tls=required or tls=opportunistic, after smtp:// only"
        );
    }
}

#[test]
fn a_password_leaves_this_machine_encrypted_only() {
    for wrong in ["smtp://user:password@mail.example", "smtp://user:password@mail.example?tls=opportunistic"] {
        let expected = "the URL of the mail server has a password that could be sent unencrypted: use smtps:// or ?tls=required";
        assert_eq!(error(wrong), expected);
    }
}

#[test]
fn a_sender_is_an_address_that_any_server_takes() {
    let with_sender = |from: &str| MailerConfig::new("smtp://mail.example".into(), from.to_owned()).build();
    for good in
        ["no-reply@example.com", "Lease <no-reply@example.com>", "\"Lease, Inc.\" <a@b.example>", "Lease <a@müller.example>"]
    {
        with_sender(good).unwrap();
    }
    for wrong in
        ["", "Lease", "Lease <no-reply>", "müller@example.com", "a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example"]
    {
        assert!(matches!(with_sender(wrong), Err(ConfigError::From)), "{wrong}");
    }
}

#[test]
fn links_begin_with_a_page() {
    let with_page = |url: &str| config("smtp://mail.example").with_public_url(url.parse().unwrap()).build();
    for wrong in [
        "ftp://lease.example",
        "mailto:ada@example.com",
        "https://lease.example?a=b",
        "https://lease.example/#a",
        "https://u:p@lease.example",
        "https://u@lease.example",
        "https://:p@lease.example",
    ] {
        assert!(matches!(with_page(wrong), Err(ConfigError::PublicUrl)), "{wrong}");
        assert!(matches!(parse_public_url(wrong), Err(ConfigError::PublicUrl)), "{wrong}");
    }
    assert!(matches!(parse_public_url("lease.example"), Err(ConfigError::PublicUrl)));
    assert_eq!(parse_public_url(" https://lease.example/app ").unwrap().as_str(), "https://lease.example/app");
}

#[test]
fn a_platform_has_a_name() {
    let named = |name: &str| config("smtp://mail.example").with_platform_name(name.to_owned()).build();
    assert!(matches!(named(" \n"), Err(ConfigError::PlatformName)));
}

#[test]
fn nothing_shows_the_password() {
    let config = |url: &str| config(url).with_public_url("https://lease.example".parse().unwrap());
    let mailer = config("smtps://somebody:hunter2@mail.example").build().unwrap();
    let shown = format!("{mailer:?} {mailer:#?} {:?}", config("smtps://somebody:hunter2@mail.example"));
    assert!(!shown.contains("hunter2") && !shown.contains("somebody"), "{shown}");
    for wrong in [
        "http://somebody:hunter2@mail.example",
        "smtp://somebody:hunter2@mail.example",
        "smtp://somebody:hunter2@mail.example:99999",
        "smtps://somebody:hunter2@mail.example?hunter2=1",
        "smtps://somebody:hunter2@mail.example/hunter2%20",
    ] {
        let error = config(wrong).build().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}
