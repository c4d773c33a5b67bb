use std::env;

use lease_core::mail::{MailError, Mailer as _};
use tokio::process::Command;

use crate::support::{Server, config, letter_to};

/// Tells the process that a test starts where to send a mail.
const URL: &str = "LEASE_TEST_MAIL_URL";

/// How to reach a server that was started with this option, encrypted.
fn url(server: &Server, option: &str) -> String {
    match option {
        "tls" => format!("smtps://localhost:{}", server.port),
        _ => format!("smtp://localhost:{}?tls=required", server.port),
    }
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_not_trusted() {
    for option in ["tls", "starttls"] {
        let server = Server::start(&[option]).await;
        let sent = config(&url(&server, option)).build().unwrap().send(&letter_to("ada@example.com")).await;
        assert!(matches!(&sent, Err(MailError::Later(reason)) if reason.contains("UnknownIssuer")), "{sent:?}");
    }
}

/// The system's authorities can be named in the environment, so this test starts itself in another one.
#[tokio::test]
async fn a_certificate_of_an_authority_of_the_system_is_trusted() {
    if let Ok(url) = env::var(URL) {
        return config(&url).build().unwrap().send(&letter_to("ada@example.com")).await.unwrap();
    }
    for option in ["tls", "starttls"] {
        let mut server = Server::start(&[option]).await;
        let mut again = Command::new(env::current_exe().unwrap());
        again.args(["--exact", "tls::a_certificate_of_an_authority_of_the_system_is_trusted"]);
        again.env(URL, url(&server, option)).env("SSL_CERT_FILE", server.certificate());
        assert!(again.output().await.unwrap().status.success());
        assert_eq!(server.next_mail().await["is_encrypted"], true);
    }
}

#[tokio::test]
async fn a_server_without_encryption_gets_nothing_where_it_is_required() {
    let server = Server::start(&[]).await;
    let sent = config(&url(&server, "starttls")).build().unwrap().send(&letter_to("ada@example.com")).await;
    assert!(matches!(&sent, Err(MailError::Later(reason)) if reason.contains("STARTTLS is not supported")), "{sent:?}");
}

#[tokio::test]
async fn a_server_without_encryption_gets_a_mail_where_it_is_opportunistic() {
    let mut server = Server::start(&[]).await;
    let mailer = config(&format!("smtp://127.0.0.1:{}?tls=opportunistic", server.port)).build().unwrap();
    mailer.send(&letter_to("ada@example.com")).await.unwrap();
    assert_eq!(server.next_mail().await["is_encrypted"], false);
}
