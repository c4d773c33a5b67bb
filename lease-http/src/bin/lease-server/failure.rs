//! The reasons for which the process ends early, and their exit codes.

/// A reason for which the process ends without having done its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A setting is wrong, in one line.
    #[error("{0}")]
    Setting(String),
    /// Anything else.
    #[error("{}", one_line(&**.0))]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl Failure {
    pub(crate) fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }

    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Setting(_) => 2,
            Self::Other(_) => 1,
        }
    }
}

/// An error and its sources, in one line.
pub(crate) fn one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    let mut parts: Vec<String> = chain.map(|error| error.to_string().replace('\n', " ")).collect();
    // Many errors repeat their source in their own message.
    parts.dedup_by(|next, earlier| earlier.contains(next.as_str()));
    parts.join(": ")
}
