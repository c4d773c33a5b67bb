use std::time::{Duration, Instant};

use lease_core::mail::{MailError, Mailer as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{Server, config, letter_to};

fn refused(message: &str) -> Result<(), MailError> {
    Err(MailError::Refused(message.to_owned()))
}

fn later(message: &str) -> Result<(), MailError> {
    Err(MailError::Later(message.to_owned()))
}

/// What the server says for ever is `Refused`, if it is about the mail. Its words, which may quote an address, are in no error.
#[tokio::test]
async fn only_what_is_for_ever_and_about_the_mail_is_refused() {
    let mut server = Server::start(&[]).await;
    let mailer = server.mailer();
    for (name, expected) in [
        ("nobody", refused("the mail server answered 550 5.1.1 to RCPT")),
        ("full", refused("the mail server answered 552 5.2.2 to the message")),
        ("busy", later("the mail server answered 450 4.2.1 to RCPT")),
        ("leaving", later("the mail server answered 421 4.3.2 to RCPT")),
        ("misspelt", refused("the mail server answered 501 5.1.3 to RCPT")),
        ("confusing", later("the mail server answered 503 5.5.1 to RCPT")),
        ("unauthenticated", later("the mail server answered 530 5.7.0 to RCPT")),
    ] {
        assert_eq!(mailer.send(&letter_to(&format!("{name}@example.com"))).await, expected);
        mailer.send(&letter_to("ada@example.com")).await.unwrap();
        assert_eq!(server.next_mail().await["recipients"][0], "ada@example.com");
    }
}

/// A server that does not take the sender takes no mail at all, until the operator has mended that.
#[tokio::test]
async fn a_refused_sender_is_no_refused_mail() {
    let server = Server::start(&[]).await;
    let url = format!("smtp://127.0.0.1:{}", server.port);
    let mailer = lease_mail::MailerConfig::new(url.into(), "unwanted@lease.example".to_owned()).build().unwrap();
    assert_eq!(mailer.send(&letter_to("ada@example.com")).await, later("the mail server answered 550 5.7.1 to MAIL"));
}

#[tokio::test]
async fn a_greylisting_server_takes_the_second_try() {
    let mut server = Server::start(&[]).await;
    let mailer = server.mailer();
    let letter = letter_to("grey@example.com");
    assert_eq!(mailer.send(&letter).await, later("the mail server answered 451 4.7.1 to RCPT"));
    mailer.send(&letter).await.unwrap();
    assert_eq!(server.next_mail().await["headers"]["Message-ID"], "<mail-17@lease.example>");
}

/// Rule 9.5: a mail server that is away delays mails. It is noticed at once.
#[tokio::test]
async fn a_server_that_is_away_is_noticed_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mailer = config(&format!("smtp://{}", listener.local_addr().unwrap())).build().unwrap();
    drop(listener);
    let begun = Instant::now();
    assert!(matches!(mailer.send(&letter_to("ada@example.com")).await, Err(MailError::Later(_))));
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mailer =
        config(&format!("smtp://{}", listener.local_addr().unwrap())).with_timeout(Duration::from_millis(100)).build().unwrap();
    assert_eq!(mailer.send(&letter_to("ada@example.com")).await, later("the mail server took longer than 100ms"));
}

/// A late answer to one mail is never taken for the answer to another.
#[tokio::test]
async fn a_connection_whose_mail_was_given_up_is_not_used_again() {
    let mut server = Server::start(&[]).await;
    let mailer = server.config().with_timeout(Duration::from_secs(1)).build().unwrap();
    mailer.send(&letter_to("ada@example.com")).await.unwrap();
    let first = server.next_mail().await;
    assert_eq!(mailer.send(&letter_to("stuck@example.com")).await, later("the mail server took longer than 1s"));
    assert_eq!(mailer.send(&letter_to("nobody@example.com")).await, refused("the mail server answered 550 5.1.1 to RCPT"));
    mailer.send(&letter_to("bob@example.com")).await.unwrap();
    let second = server.next_mail().await;
    assert_eq!(second["recipients"][0], "bob@example.com");
    assert_ne!(first["peer"], second["peer"]);
}

/// Answers at the beginning are about the server.
#[tokio::test]
async fn an_unfriendly_greeting_is_no_refused_mail() {
    for (greeting, answer, expected) in [
        ("554 5.3.2 no service\r\n", "", "the mail server answered 554 5.3.2 to connecting"),
        ("220 hello\r\n", "550 not to you\r\n", "the mail server answered 550 to connecting"),
        ("nonsense hunter2\r\n", "", "the mail server gave an answer to connecting that cannot be read"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mailer = config(&format!("smtp://{}", listener.local_addr().unwrap())).build().unwrap();
        let serve = async {
            let (mut connection, _) = listener.accept().await.unwrap();
            connection.write_all(greeting.as_bytes()).await.unwrap();
            let mut buffer = [0; 512];
            while connection.read(&mut buffer).await.is_ok_and(|count| count > 0) {
                connection.write_all(answer.as_bytes()).await.unwrap();
            }
        };
        let letter = letter_to("ada@example.com");
        let (sent, ()) = tokio::join!(mailer.send(&letter), serve);
        assert_eq!(sent, later(expected));
    }
}
