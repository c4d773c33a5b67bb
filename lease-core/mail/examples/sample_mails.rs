//! Sends each mail with sample facts, to see what templates look like:
//! `cargo run -p lease-mail --example sample_mails -- file:/tmp/mails [folder with templates]`.

use std::error::Error;

use lease_core::mail::Mailer as _;
use lease_core::model::MailKind;
use lease_mail::{MailerConfig, samples};
use strum::VariantArray as _;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("the first argument is the URL of a mail server or a folder")?;
    let mut config = MailerConfig::new(url.into(), "Lease <no-reply@example.com>".to_owned())
        .with_public_url("https://lease.example".parse()?);
    if let Some(folder) = arguments.next() {
        config = config.with_templates(folder.into());
    }
    let mailer = config.build()?;
    for letter in MailKind::VARIANTS.iter().flat_map(|kind| samples(*kind)) {
        mailer.send(&letter).await?;
    }
    Ok(())
}
