use std::fs;
use std::path::{Path, PathBuf};

use lease_core::mail::Letter;
use lease_core::model::MailKind;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, UndefinedBehavior};
use secrecy::ExposeSecret as _;
use strum::VariantArray as _;

use crate::content::{Content, Links, Variables, subject, variables};
use crate::sample::samples;

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../templates/en/", $name)))),+]
    };
}

/// The files of the folder `templates/en`.
const EMBEDDED: &[(&str, &str)] = embedded![
    "email_changed.html",
    "email_changed.txt",
    "email_verification.html",
    "email_verification.txt",
    "invoice_due_soon.html",
    "invoice_due_soon.txt",
    "invoice_facts.html",
    "invoice_facts.txt",
    "invoice_issued.html",
    "invoice_issued.txt",
    "invoice_overdue.html",
    "invoice_overdue.txt",
    "layout.html",
    "layout.txt",
    "parts.html",
    "password_changed.html",
    "password_changed.txt",
    "password_reset.html",
    "password_reset.txt",
    "payment_failed.html",
    "payment_failed.txt",
    "payment_received.html",
    "payment_received.txt",
    "payment_refunded.html",
    "payment_refunded.txt",
    "proposal_accepted.html",
    "proposal_accepted.txt",
    "proposal_closed.html",
    "proposal_closed.txt",
    "proposal_facts.html",
    "proposal_facts.txt",
    "proposal_made.html",
    "proposal_made.txt",
    "proposal_rejected.html",
    "proposal_rejected.txt",
    "trade_facts.html",
    "trade_facts.txt",
];

/// The texts of all mails.
#[derive(Debug)]
pub(crate) struct Templates {
    environment: Environment<'static>,
}

/// What is wrong with a template, and in which file and line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// A folder or file cannot be read.
    #[error("{path} cannot be read: {error}", path = .path.display())]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// A file takes the place of none.
    #[error("{} takes the place of no template: there is none of that name", .0.display())]
    Unknown(PathBuf),
    /// A template cannot be rendered.
    #[error("the template {file}, line {line}: {reason}")]
    Broken {
        /// Its file.
        file: String,
        /// The line.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// Something that a mail must have is missing.
    #[error("the template {0} shows no {1}")]
    Lacking(String, &'static str),
}

impl Templates {
    /// The texts of this crate, those of an operator's folder in place of those of the same names.
    pub(crate) fn load(folder: Option<&Path>) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_syntax(
            SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .keep_trailing_newline(true)
                .build()
                .map_err(|error| broken(&error))?,
        );
        for (name, source) in EMBEDDED {
            environment.add_template(name, source).map_err(|error| broken(&error))?;
        }
        for path in folder.map(files).transpose()?.unwrap_or_default() {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !EMBEDDED.iter().any(|(known, _)| *known == name) {
                return Err(TemplateError::Unknown(path));
            }
            let source = fs::read_to_string(&path).map_err(|error| TemplateError::Unreadable { path: path.clone(), error })?;
            environment.add_template_owned(name.to_owned(), source).map_err(|error| broken(&error))?;
        }
        Ok(Self { environment })
    }

    /// Renders every template with facts that might come.
    pub(crate) fn try_out(&self, platform_name: &str, links: &Links) -> Result<(), TemplateError> {
        for letter in MailKind::VARIANTS.iter().flat_map(|kind| samples(*kind)) {
            for links in [links, &Links { public_url: None }] {
                let content = self.render(&letter, platform_name, links)?;
                let shows_token = |text: &str| letter.token.as_ref().is_none_or(|token| text.contains(token.expose_secret()));
                for (extension, text) in [("txt", &content.text), ("html", &content.html)] {
                    if !shows_token(text) {
                        return Err(TemplateError::Lacking(format!("{}.{extension}", letter.kind), "link or token"));
                    }
                }
            }
        }
        Ok(())
    }

    /// What a letter says. The first line of its text is the subject.
    pub(crate) fn render(&self, letter: &Letter, platform_name: &str, links: &Links) -> Result<Content, TemplateError> {
        let mut variables = variables(letter, platform_name, links);
        let text = self.render_file(letter.kind, "txt", &variables)?;
        let (title, text) = text.trim_start().split_once('\n').unwrap_or_default();
        if title.trim().is_empty() {
            return Err(TemplateError::Lacking(format!("{}.txt", letter.kind), "subject in its first line, and text below it"));
        }
        variables.insert("subject".to_owned(), title.trim().into());
        let html = self.render_file(letter.kind, "html", &variables)?;
        Ok(Content { subject: subject(platform_name, title), text: ended(text), html: ended(&html) })
    }

    fn render_file(&self, kind: MailKind, extension: &str, variables: &Variables) -> Result<String, TemplateError> {
        let template = self.environment.get_template(&format!("{kind}.{extension}"));
        template.and_then(|template| template.render(variables.clone())).map_err(|error| broken(&error))
    }
}

/// Where and why a template cannot be rendered.
fn broken(error: &Error) -> TemplateError {
    let reason = error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    TemplateError::Broken { file: error.name().unwrap_or_default().to_owned(), line: error.line().unwrap_or_default(), reason }
}

/// The templates in a folder, which are named `.txt` or `.html`.
fn files(folder: &Path) -> Result<Vec<PathBuf>, TemplateError> {
    let unreadable = |error| TemplateError::Unreadable { path: folder.to_owned(), error };
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    Ok(paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt" || extension == "html"))
        .collect())
}

/// A text with one line break at its end.
fn ended(text: &str) -> String {
    format!("{}\n", text.trim())
}
