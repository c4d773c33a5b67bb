//! The body of a request, which tells its [`Place`] when the server waits for it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::room::Place;

/// A body that is being received.
#[derive(Debug)]
pub(crate) struct Upload {
    body: Incoming,
    place: Arc<Place>,
}

impl Upload {
    pub(crate) const fn new(body: Incoming, place: Arc<Place>) -> Self {
        Self { body, place }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    /// From the first pause on, the server waits for the peer until all of the body is there: a peer who sends a byte now and then
    /// does not start afresh with each.
    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Pending => self.place.wait(),
            Poll::Ready(Some(Ok(_))) if !self.body.is_end_stream() => {}
            Poll::Ready(_) => self.place.work(),
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
