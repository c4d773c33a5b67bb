use crate::error::{Error, with_causes};
use crate::id::Id;
use crate::repository::RepositoryError;

/// The most batches that one call takes.
const BATCHES: u32 = 10;

/// Does `work` on each of the rows that `find` returns, in its order. `find` is told the row after which to go on, and returns `at_once` at the
/// most; at most ten times as many are worked on. `work` says whether it is done. Each row is tried once: one whose work fails is left for
/// the next call, so that it does not hold up those after it. Returns on how many the work is done.
///
/// # Errors
/// [`Error::Unavailable`] if the rows cannot be listed.
pub(super) async fn in_batches<I, F, W>(
    at_once: u32,
    find: impl Fn(Option<I>) -> F,
    work: impl Fn(I) -> W,
) -> Result<usize, Error>
where
    I: Id,
    F: Future<Output = Result<Vec<I>, RepositoryError>>,
    W: Future<Output = Result<bool, Error>>,
{
    let (mut done, mut last) = (0, None);
    for _ in 0..BATCHES {
        let batch = find(last).await?;
        let is_full = batch.len() >= at_once as usize;
        last = batch.last().copied();
        for id in batch {
            match work(id).await {
                Ok(is_done) => done += usize::from(is_done),
                Err(error) => {
                    tracing::warn!(error = %with_causes(&error), ?id, "background work is left for the next round");
                }
            }
        }
        if !is_full || last.is_none() {
            break;
        }
    }
    Ok(done)
}
