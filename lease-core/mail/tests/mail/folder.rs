use std::fs;
use std::path::Path;
use std::sync::Arc;

use chrono::{TimeZone as _, Utc};
use lease_core::clock::ManualClock;
use lease_core::mail::{Letter, MailError, Mailer as _};
use lease_core::model::MailKind;
use lease_mail::ConfigError;

use crate::support::{TempFolder, config, letter, letter_to};

#[tokio::test]
async fn files_sort_in_the_order_of_sending() {
    let folder = TempFolder::new();
    let clock = ManualClock::at(Utc.with_ymd_and_hms(2026, 11, 29, 12, 0, 0).unwrap());
    let mailer = config(&folder.url()).with_clock(Arc::new(clock)).build().unwrap();
    for id in ["c", "a", "b"] {
        mailer.send(&Letter { id: id.to_owned(), ..letter(MailKind::PasswordChanged) }).await.unwrap();
    }
    let expected = ["20261129T120000.000000Z-c.eml", "20261129T120000.000001Z-a.eml", "20261129T120000.000002Z-b.eml"];
    assert_eq!(folder.names(), expected);
}

#[tokio::test]
async fn a_folder_is_made_where_it_is_missing() {
    let folder = TempFolder::new();
    let deeper = folder.path().join("a/b");
    let mailer = config(&format!("file:{}", deeper.display())).build().unwrap();
    assert!(deeper.is_dir());
    fs::remove_dir(&deeper).unwrap();
    mailer.send(&letter(MailKind::PasswordChanged)).await.unwrap();
    assert_eq!(fs::read_dir(&deeper).unwrap().count(), 1);
}

/// The links in them work.
#[cfg(unix)]
#[tokio::test]
async fn mails_are_read_by_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = TempFolder::new();
    let deeper = folder.path().join("a");
    let mailer = config(&format!("file:{}", deeper.display())).build().unwrap();
    mailer.send(&letter(MailKind::PasswordReset)).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mail = fs::read_dir(&deeper).unwrap().next().unwrap().unwrap().path();
    assert_eq!((mode(&deeper), mode(&mail)), (0o700, 0o600));
}

#[tokio::test]
async fn a_file_in_place_of_the_folder_is_an_error() {
    let folder = TempFolder::new();
    folder.write("mails", "");
    let url = format!("{}/mails", folder.url());
    assert!(matches!(config(&url).build(), Err(ConfigError::Folder { .. })));
    fs::remove_file(folder.path().join("mails")).unwrap();
    let mailer = config(&url).build().unwrap();
    fs::remove_dir(folder.path().join("mails")).unwrap();
    folder.write("mails", "");
    assert!(matches!(mailer.send(&letter(MailKind::PasswordChanged)).await, Err(MailError::Later(_))));
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    let folder = TempFolder::new();
    let mailer = config(&folder.url()).build().unwrap();
    for wrong in [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@exa mple.com",
        "ada@example.com\r\nBcc: eve@example.com",
        "\"a\r\nb\"@example.com",
    ] {
        let refused = mailer.send(&letter_to(wrong)).await;
        assert_eq!(refused, Err(MailError::Refused("the address is none".to_owned())), "{wrong:?}");
    }
    assert!(folder.names().is_empty());
}
