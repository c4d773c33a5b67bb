//! `lease-server import-django`: from a dump and from Django's database into Postgres, and what is served afterwards.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed expectation is how a test fails")]

#[path = "../../../lease-core/django/tests/it/any_rows.rs"]
mod any_rows;
mod command;
#[path = "../api/mail_folder.rs"]
mod mail_folder;
#[path = "../../../lease-store-postgres/tests/postgres/support/mod.rs"]
#[expect(dead_code, reason = "shared with the tests of the Postgres store, which need more of it")]
mod postgres;
#[path = "../api/process.rs"]
#[expect(dead_code, reason = "shared with the tests of the server, which need more of it")]
mod process;
mod served;
mod store;
#[path = "../../../lease-core/django/tests/it/whole.rs"]
mod whole;

use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;

/// A dump in UTF-16, as a Windows machine writes it, in a file that is deleted with it.
struct Dump(PathBuf);

impl Dump {
    fn new(name: &str) -> Self {
        let dump = Self(std::env::temp_dir().join(format!("lease-import-{}-{name}.json", std::process::id())));
        let json = Value::from(whole::whole()).to_string();
        let bytes: Vec<u8> = [0xff, 0xfe].into_iter().chain(json.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        std::fs::write(&dump.0, bytes).unwrap();
        dump
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Dump {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The exit code of `lease-server import-django`, and what it prints.
fn import(args: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = process::run(&[&["import-django"], args].concat(), &[]);
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// Imports a dump into the database at this URL.
#[track_caller]
fn import_into(url: &str, dump: &Dump) -> String {
    let (code, said, errors) = import(&["--dump", dump.path(), "--database-url", url]);
    assert_eq!((code, &*errors), (Some(0), ""), "{said}");
    said
}
