//! A folder into which a server writes its mails.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder; it is deleted when this is dropped.
pub(crate) struct MailFolder(PathBuf);

impl MailFolder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("lease-{name}-{}", std::process::id()));
        // It may not be there.
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    /// What the server is told in place of a mail server.
    pub(crate) fn url(&self) -> String {
        format!("file:{}", self.0.display())
    }

    /// The mails in it, oldest first, each without the line ends that its encoding adds.
    pub(crate) fn mails(&self) -> Vec<String> {
        let mut paths: Vec<PathBuf> = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
        paths.sort();
        paths.iter().map(|path| read(path)).collect()
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap().replace("=\r\n", "").replace("=3D", "=")
}

impl Drop for MailFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The token in a mail's link to this page.
pub(crate) fn token_in<'a>(mail: &'a str, page: &str) -> &'a str {
    let link = mail.split_once(page).and_then(|(_, link)| link.strip_prefix("?token=")).unwrap();
    link.split(|end: char| end.is_whitespace() || "\"<".contains(end)).next().unwrap()
}
