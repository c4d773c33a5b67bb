//! Every source gives the same rows.

use std::path::PathBuf;

use chrono::{Duration, TimeZone as _, Utc};
use lease_core::money::Currency;
use lease_django::{Mapped, Source, SourceError, Terms, map};
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::whole::{sql, whole};

/// A file of this test, which is deleted with it.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("lease-django-{}-{name}", std::process::id())))
    }

    fn with(name: &str, bytes: &[u8]) -> Self {
        let file = Self::new(name);
        std::fs::write(&file.0, bytes).unwrap();
        file
    }

    async fn read(&self) -> Result<Mapped, SourceError> {
        mapped(&Source::Dump(self.0.clone())).await
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

pub(crate) fn terms() -> Terms {
    let now = Utc.with_ymd_and_hms(2026, 6, 1, 12, 0, 0).unwrap();
    Terms { now, currency: Currency::USD, token_ttl: Duration::days(30) }
}

async fn mapped(source: &Source) -> Result<Mapped, SourceError> {
    Ok(map(&source.read().await?, &terms()))
}

/// What becomes of [`whole`], read from a dump in UTF-8.
pub(crate) async fn imported(test: &str) -> Mapped {
    let json = Value::from(whole()).to_string();
    File::with(test, json.as_bytes()).read().await.unwrap()
}

#[tokio::test]
async fn a_dump_may_be_in_utf_8_or_utf_16() {
    let expected = imported("plain").await;
    assert!(whole().len() > 1_000, "{}", whole().len());
    let json = Value::from(whole()).to_string();
    let with_mark = [b"\xef\xbb\xbf", json.as_bytes()].concat();
    let utf_16 = |mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| {
        mark.into_iter().chain(json.encode_utf16().flat_map(bytes)).collect::<Vec<_>>()
    };
    let encoded = [with_mark, utf_16([0xff, 0xfe], u16::to_le_bytes), utf_16([0xfe, 0xff], u16::to_be_bytes)];
    for (place, bytes) in encoded.iter().enumerate() {
        assert!(File::with(&format!("encoded-{place}"), bytes).read().await.unwrap() == expected, "{place}");
    }
}

#[tokio::test]
async fn a_file_of_sqlite_gives_the_same_rows() {
    let file = File::new("sqlite");
    let options = SqliteConnectOptions::new().filename(&file.0).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    // As Django writes instants there: in UTC, without saying so.
    for statement in sql(&whole(), |instant| instant.replace('T', " ").replace('Z', "")) {
        connection.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    connection.close().await.unwrap();
    let source = Source::at(format!("sqlite:{}", file.0.display()).into()).unwrap();
    let (found, expected) = (mapped(&source).await.unwrap(), imported("as-sqlite").await);
    assert_eq!(found.report.to_string(), expected.report.to_string());
    assert!(found == expected);
}

#[tokio::test]
async fn numbers_are_taken_as_they_are_written() {
    let cost =
        |text: &str| format!(r#"[{{"model": "app_lease.service", "pk": 1, "fields": {{"cost": {text}, "service_type": 1}}}}]"#);
    for (place, (text, amount)) in [
        ("255.0", "255.00"),
        ("255.1", "255.10"),
        ("49", "49.00"),
        ("1e2", "100.00"),
        ("1.5E+3", "1500.00"),
        ("5e-05", "0.00"),
        ("0.30000000000000004", "0.30"),
        ("2.675", "2.68"),
        ("\"12.5\"", "12.50"),
        ("1e300", "0.00"),
        ("null", "0.00"),
    ]
    .into_iter()
    .enumerate()
    {
        let found = File::with(&format!("number-{place}"), cost(text).as_bytes()).read().await.unwrap();
        assert_eq!(found.import.services[0].fee.amount().to_string(), amount, "{text}");
    }
}

/// An error says what is wrong, and shows nothing of what is in the file.
#[tokio::test]
async fn what_is_no_source_is_refused() {
    let refused = [
        ("empty", &b""[..], "dumpdata"),
        ("object", b"{}", "dumpdata"),
        ("foreign", br#"[{"model": "shop.order", "pk": 1, "fields": {}}]"#, "neither rows nor tables"),
        ("latin", b"[\"gr\xfc\xdfe\"]", "neither UTF-8"),
        ("half", b"\xff\xfe[", "neither UTF-8"),
    ];
    for (name, bytes, message) in refused {
        let error = File::with(name, bytes).read().await.unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
    assert!(matches!(File::new("missing").read().await, Err(SourceError::File(_))));
    assert!(matches!(Source::at("mysql://localhost/lease".into()), Err(SourceError::Url)));
    let nothing = Source::at("sqlite:/nowhere/db.sqlite3".into()).unwrap();
    assert!(matches!(nothing.read().await, Err(SourceError::Database(_))));
}
