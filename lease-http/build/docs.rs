//! Takes the files of the page `/docs` out of the archive of Swagger UI, and compresses them, so that the server does not have to
//! do it for each request.

use std::error::Error;
use std::fs;
use std::io::{Cursor, Read as _, Write as _};
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

/// The files of the page; the rest of the archive is not part of it.
const FILES: [&str; 3] = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];

pub(crate) fn take_files() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    let paths: Vec<String> = archive.file_names().filter_map(|path| Some(path.ok()?.into_owned())).collect();
    for name in FILES {
        let path = paths.iter().find(|path| path.ends_with(&format!("/dist/{name}")));
        let path = path.ok_or_else(|| format!("the archive of Swagger UI has no {name}"))?;
        let mut bytes = Vec::new();
        archive.by_name(path)?.read_to_end(&mut bytes)?;
        fs::write(folder.join(name), &bytes)?;
        let mut compressed = GzEncoder::new(fs::File::create(folder.join(format!("{name}.gz")))?, Compression::best());
        compressed.write_all(&bytes)?;
        compressed.finish()?;
    }
    Ok(())
}
