//! The traits of the contract. Each read sees a single state; writes are passed to `commit`.

mod account;
mod card;
mod directory;
mod event;
mod idempotency;
mod mail;
mod service;
mod trade;
mod trade_lists;
mod vehicle;
mod webhook;

use async_trait::async_trait;
use lease_core::id::NewIds;
use lease_core::repository::{Commit, Repository, RepositoryError};

use crate::MemoryRepository;

#[async_trait]
impl Repository for MemoryRepository {
    async fn commit(&self, commit: &Commit) -> Result<NewIds, RepositoryError> {
        self.write_commit(commit)
    }

    async fn ping(&self) -> Result<(), RepositoryError> {
        Ok(())
    }
}
