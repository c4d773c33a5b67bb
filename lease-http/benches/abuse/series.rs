//! Requests of one kind: how long they took, and which failed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::RequestBuilder;

/// The requests of one kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    times: Vec<Duration>,
    failures: BTreeMap<String, u32>,
}

/// One request: how long it took, and why it failed.
#[derive(Debug)]
pub(crate) struct Sample {
    time: Duration,
    failure: Option<String>,
}

impl Sample {
    /// Sends a request and reads the response to its end. Any answer but a success is a failure.
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let start = Instant::now();
        let body = async { request.send().await?.error_for_status()?.bytes().await };
        let failure = body.await.err().map(|error| match error.status() {
            Some(status) => status.as_u16().to_string(),
            None if error.is_timeout() => "no answer in time".to_owned(),
            None if error.is_connect() => "no connection".to_owned(),
            None => "closed".to_owned(),
        });
        Self { time: start.elapsed(), failure }
    }
}

impl FromIterator<Sample> for Series {
    fn from_iter<I: IntoIterator<Item = Sample>>(samples: I) -> Self {
        let mut series = Self::default();
        for Sample { time, failure } in samples {
            series.times.push(time);
            if let Some(failure) = failure {
                *series.failures.entry(failure).or_default() += 1;
            }
        }
        series.times.sort();
        series
    }
}

impl Series {
    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    /// The time, in milliseconds, that this share of the requests did not exceed. A request that failed counts as well.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        let place = ((self.times.len() as f64 * share).ceil() as usize).saturating_sub(1);
        self.times.get(place).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// How many failed, and why.
    pub(crate) fn failures(&self) -> impl Iterator<Item = (&str, u32)> {
        self.failures.iter().map(|(reason, number)| (reason.as_str(), *number))
    }
}
