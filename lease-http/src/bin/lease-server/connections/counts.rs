//! The counters of connections, for `/metrics`.

use lease_http::Metrics;
use prometheus::{IntCounterVec, IntGauge, Opts};
use strum::IntoEnumIterator as _;

/// Counts connections. Cheap to clone; clones share the counts.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    open: IntGauge,
    ended: IntCounterVec,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum End {
    /// In order.
    Closed,
    /// Its peer went away in the middle of something, or sent what is not HTTP.
    Broken,
    /// The head of a request did not arrive in time; idle connections end like this as well.
    SlowRequest,
    /// Its peer took nothing of a response for too long.
    SlowReader,
    /// It had waited longest for its peer when there was no room for a new connection, or when the server stopped.
    MadeWay,
    /// It was not accepted, because there was no room.
    Refused,
}

impl Counts {
    /// Counters at zero.
    ///
    /// # Errors
    /// [`prometheus::Error`] if the metrics already have some of these names.
    pub(crate) fn new(metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let open = IntGauge::new("lease_http_connections", "Open connections of clients.")?;
        let ended = Opts::new("lease_http_connections_ended_total", "Connections of clients that ended, by the reason.");
        let ended = IntCounterVec::new(ended, &["reason"])?;
        for end in End::iter() {
            let reason: &str = end.into();
            ended.with_label_values(&[reason]);
        }
        metrics.registry().register(Box::new(open.clone()))?;
        metrics.registry().register(Box::new(ended.clone()))?;
        Ok(Self { open, ended })
    }

    /// Counts a connection as open until it has ended.
    pub(crate) fn opened(&self) -> Open {
        self.open.inc();
        Open(self.clone())
    }

    /// Counts a connection that ended.
    pub(crate) fn ended(&self, end: End) {
        let reason: &str = end.into();
        self.ended.with_label_values(&[reason]).inc();
    }
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Open(Counts);

impl Open {
    pub(crate) fn ended(self, end: End) {
        self.0.ended(end);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.dec();
    }
}
