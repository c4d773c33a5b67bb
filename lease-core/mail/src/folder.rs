use std::io::Write as _;
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io};

use chrono::{DateTime, Duration, Utc};
use lease_core::clock::Clock;
use lease_core::mail::MailError;

use crate::message::Mail;

/// Writes mails into a folder, for whoever tries the platform out. They hold links that work, so nobody else may read them.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    /// The instant in the name of the latest file.
    latest: Mutex<DateTime<Utc>>,
}

impl Folder {
    /// The folder at this path, which is made if it is missing.
    pub(crate) fn open(path: PathBuf, clock: Arc<dyn Clock>) -> io::Result<Self> {
        make(&path)?;
        Ok(Self { path, clock, latest: Mutex::new(DateTime::UNIX_EPOCH) })
    }

    /// Writes a mail. Whoever looks into the folder sees all of it or nothing, and the mails in the order in which they were sent.
    ///
    /// # Errors
    /// [`MailError::Later`].
    pub(crate) async fn write(&self, mail: Mail) -> Result<(), MailError> {
        let name = format!("{}-{}.eml", self.next_instant().format("%Y%m%dT%H%M%S%.6fZ"), mail.id);
        let folder = self.path.clone();
        let written = tokio::task::spawn_blocking(move || {
            let unfinished = folder.join(format!(".{name}.tmp"));
            make(&folder)?;
            create(&unfinished)?.write_all(&mail.bytes)?;
            fs::rename(&unfinished, folder.join(name))
        });
        let written = written.await.map_err(io::Error::from).and_then(|written| written);
        written.map_err(|error| MailError::Later(format!("the file could not be written: {error}")))
    }

    /// The present instant, and a later one each time.
    fn next_instant(&self) -> DateTime<Utc> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = self.clock.now().max(*latest + Duration::microseconds(1));
        *latest
    }
}

/// Makes a folder where it is missing, for its owner alone.
fn make(path: &Path) -> io::Result<()> {
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    folder.mode(0o700);
    folder.create(path)
}

/// An empty file for its owner alone.
fn create(path: &Path) -> io::Result<fs::File> {
    let mut file = fs::OpenOptions::new();
    file.write(true).create(true).truncate(true);
    #[cfg(unix)]
    file.mode(0o600);
    file.open(path)
}
