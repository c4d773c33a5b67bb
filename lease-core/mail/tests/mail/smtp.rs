use lease_core::mail::{Letter, MailError, Mailer as _};
use lease_core::model::MailKind;

use crate::support::{Server, config, letter, letter_to, with_fact};

/// Rule 9.5.
#[tokio::test]
async fn a_mail_server_takes_a_mail() {
    let mut server = Server::start(&[]).await;
    let letter = with_fact(letter(MailKind::InvoiceIssued), "trade_title", "Käfer für 日本");
    let letter = Letter { name: "Zoë \"Z\" 山田".to_owned(), to: "zoe@müller.example".to_owned(), ..letter };
    server.mailer().send(&letter).await.unwrap();
    let mail = server.next_mail().await;
    assert_eq!(mail["sender"], "no-reply@lease.example");
    assert_eq!(mail["recipients"], serde_json::json!(["zoe@xn--mller-kva.example"]));
    assert_eq!(mail["names"], serde_json::json!(["Zoë \"Z\" 山田"]));
    assert_eq!(mail["types"], serde_json::json!(["text/plain", "text/html"]));
    let headers = &mail["headers"];
    assert_eq!(headers["Subject"], "[Lease] Invoice INV-00000012 for Käfer für 日本");
    assert_eq!(headers["Message-ID"], "<mail-17@lease.example>");
    assert_eq!(headers["Date"], "Sun, 29 Nov 2026 12:00:00 +0000");
    assert_eq!(headers["Auto-Submitted"], "auto-generated");
    for part in [&mail["text"], &mail["html"]] {
        let part = part.as_str().unwrap();
        assert!(part.contains("Käfer für 日本") && part.contains("Hello Zoë"), "{part}");
    }
}

/// A link stays in one piece, also in a mail that has to be encoded.
#[tokio::test]
async fn a_link_arrives_as_it_is() {
    let mut server = Server::start(&[]).await;
    let mailer = server.config().with_public_url("https://lease.example/app".parse().unwrap()).build().unwrap();
    mailer.send(&Letter { name: "Zoë".to_owned(), ..letter(MailKind::PasswordReset) }).await.unwrap();
    let mail = server.next_mail().await;
    let link = "https://lease.example/app/password-reset?token=0123456789abcdef0123456789abcdef01234567";
    assert!(mail["text"].as_str().unwrap().lines().any(|line| line == link), "{}", mail["text"]);
    assert!(mail["html"].as_str().unwrap().contains(link), "{}", mail["html"]);
}

#[tokio::test]
async fn a_line_with_a_dot_ends_no_mail() {
    let mut server = Server::start(&[]).await;
    let letter =
        Letter { name: ".\r\n.\r\n".to_owned(), ..with_fact(letter(MailKind::ProposalMade), "vehicle", "\r\n.\r\nQUIT") };
    server.mailer().send(&letter).await.unwrap();
    assert!(server.next_mail().await["text"].as_str().unwrap().contains("Vehicle: . QUIT"));
}

#[tokio::test]
async fn a_connection_is_used_again_while_the_server_answers() {
    let mut server = Server::start(&[]).await;
    let mailer = server.mailer();
    let mut peers = Vec::new();
    for name in ["ada", "last", "bob"] {
        mailer.send(&letter_to(&format!("{name}@example.com"))).await.unwrap();
        peers.push(server.next_mail().await["peer"].as_u64().unwrap());
    }
    assert_eq!(peers[0], peers[1]);
    assert_ne!(peers[1], peers[2]);
}

#[tokio::test]
async fn mails_are_sent_at_the_same_time() {
    let mut server = Server::start(&[]).await;
    let mailer = server.config().with_timeout(std::time::Duration::from_secs(2)).build().unwrap();
    let (stuck, letter) = (letter_to("stuck@example.com"), letter_to("ada@example.com"));
    let (stuck, sent) = tokio::join!(mailer.send(&stuck), async {
        mailer.send(&letter).await?;
        Ok::<_, MailError>(server.next_mail().await)
    });
    assert!(matches!(stuck, Err(MailError::Later(_))));
    assert_eq!(sent.unwrap()["recipients"][0], "ada@example.com");
}

/// RFC 6531.
#[tokio::test]
async fn an_address_in_other_letters_needs_a_server_that_takes_it() {
    let mut server = Server::start(&[]).await;
    server.mailer().send(&letter_to("zoë@example.com")).await.unwrap();
    assert_eq!(server.next_mail().await["recipients"][0], "zoë@example.com");
    let refused = Server::start(&["ascii"]).await.mailer().send(&letter_to("zoë@example.com")).await;
    assert_eq!(refused, Err(MailError::Refused("the mail server takes addresses in ASCII only".to_owned())));
}

#[tokio::test]
async fn a_user_logs_in_with_the_password_of_the_url() {
    let mut server = Server::start(&["auth"]).await;
    let with_login = |login: &str| config(&format!("smtp://{login}127.0.0.1:{}/host.example", server.port)).build().unwrap();
    let (known, unknown, nobody) = (with_login("lease:s3cret%3A%2F%40@"), with_login("lease:wrong@"), with_login(""));
    known.send(&letter_to("ada@example.com")).await.unwrap();
    let expected = "the mail server answered 535 5.7.8 to connecting";
    assert_eq!(unknown.send(&letter_to("ada@example.com")).await, Err(MailError::Later(expected.to_owned())));
    let expected = "the mail server answered 530 5.7.0 to MAIL";
    assert_eq!(nobody.send(&letter_to("ada@example.com")).await, Err(MailError::Later(expected.to_owned())));
    let mail = server.next_mail().await;
    assert_eq!((&mail["login"], &mail["hello"]), (&"lease".into(), &"host.example".into()));
}
