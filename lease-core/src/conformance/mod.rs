//! The suite that every backend must pass: the contract of [`repository`](crate::repository), case by case.
//!
//! # To run it on a backend
//!
//! Depend on `lease-core` with the feature `conformance` for tests (without it, there is no macro `repository_conformance`), write a
//! function that creates an empty store, and pass it to [`repository_conformance!`](crate::repository_conformance). This is the
//! whole of `tests/conformance.rs`:
//!
//! ```text
//! use my_store::MyRepository;
//!
//! async fn fresh_repository() -> MyRepository {
//!     MyRepository::new()
//! }
//!
//! lease_core::repository_conformance!(fresh_repository);
//! ```
//!
//! Each case becomes a separate `#[test]`, with its own store and a runtime of four threads, so that races are real. Only
//! `lease-core` is needed. The function may return a [`FreshRepository`] instead, which can also contain a clean-up that runs
//! after the case, whether it passed or not:
//!
//! ```text
//! async fn fresh_repository() -> FreshRepository {
//!     let database = TestDatabase::create().await;
//!     let store = MyRepository::connect(database.url()).await;
//!     FreshRepository::new(store).with_cleanup(async move { database.drop().await })
//! }
//! ```
//!
//! # A store that is half done
//!
//! The cases are grouped by themes, in the [order in which a store is written](crate::repository). A theme needs the steps before it
//! and none after it, so a store of which only accounts and vehicles are written passes
//!
//! ```text
//! lease_core::repository_conformance!(fresh_repository, accounts, vehicles);
//! ```
//!
//! [`THEMES`] has the names of all. A theme that does not exist does not compile:
//!
//! ```compile_fail
//! lease_core::repository_conformance!(fresh_repository, acounts);
//! ```
//!
//! # The assumptions of a case
//!
//! A case uses ids that exist (except in the cases about ids that do not), keeps the sums of invoices right and uses whole
//! microseconds. Otherwise it combines changes in any way that the contract allows, including ways that the engine never would,
//! such as agreeing on a cancelled trade: a store contains no rules, and must not rely on those of the engine. All times are
//! fixed, so a store that reads a clock of its own fails.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed expectation is how a case fails")]
#![cfg_attr(
    not(test), // where clippy does not mind them
    expect(clippy::wildcard_imports, reason = "cases use most types of the model and the contract")
)]
#![expect(clippy::missing_panics_doc, reason = "a case panics if the store fails it")]
#![expect(missing_docs, reason = "the name of a case states what it expects")]

mod build;
mod commits;
mod lists;
mod processes;
mod race;
mod script;
mod staff_races;
mod world;

mod accept_races;
mod accounts;
mod acting;
mod agreed_periods;
mod annotations;
mod applying;
mod business;
mod claims;
mod commit;
mod consumers;
mod deliveries;
mod directory;
mod engine_races;
mod events;
mod filters;
mod gateway;
mod mails;
mod offers;
mod pages;
mod payment_races;
mod prices;
mod races;
mod refunds;
mod retention;
mod subscriptions;
mod time;
mod tokens;
mod trade_filters;
mod trade_races;
mod trades;
mod uniqueness;
mod visibility;
mod wallets;
mod webhook_races;
mod webhooks;

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::repository::Repository;

/// The time in which a case has to end: far longer than any case needs, so that a deadlock fails instead of hanging.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Two handles on the store of a case, as two server processes would have.
#[derive(Clone, Debug)]
pub struct Handles([Arc<dyn Repository>; 2]);

impl From<Arc<dyn Repository>> for Handles {
    fn from(store: Arc<dyn Repository>) -> Self {
        Self([Arc::clone(&store), store])
    }
}

/// For cases that need only one handle.
impl From<Handles> for Arc<dyn Repository> {
    fn from(Handles([first, _]): Handles) -> Self {
        first
    }
}

/// An empty store, and the clean-up to run after the case.
pub struct FreshRepository {
    handles: Handles,
    cleanup: Pin<Box<dyn Future<Output = ()>>>,
}

impl FreshRepository {
    /// A store that needs no clean-up other than being dropped.
    pub fn new(store: impl Repository) -> Self {
        let store: Arc<dyn Repository> = Arc::new(store);
        Self { handles: store.into(), cleanup: Box::pin(async {}) }
    }

    /// Adds another handle, which shares nothing with the first but the store: races use both.
    #[must_use]
    pub fn with_second_handle(self, other: impl Repository) -> Self {
        let Handles([first, _]) = self.handles;
        Self { handles: Handles([first, Arc::new(other)]), ..self }
    }

    /// Adds a clean-up to run after the case, whether it passed or not.
    #[must_use]
    pub fn with_cleanup(self, cleanup: impl Future<Output = ()> + 'static) -> Self {
        Self { cleanup: Box::pin(cleanup), ..self }
    }
}

impl fmt::Debug for FreshRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreshRepository").field("handles", &self.handles).finish_non_exhaustive()
    }
}

impl<R: Repository> From<R> for FreshRepository {
    fn from(store: R) -> Self {
        Self::new(store)
    }
}

/// Runs one case on one fresh store; [`repository_conformance!`](crate::repository_conformance) calls it.
pub fn run<F, S, C>(fresh: impl FnOnce() -> F, case: impl FnOnce(S) -> C)
where
    F: Future<Output: Into<FreshRepository>>,
    S: From<Handles>,
    C: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    let FreshRepository { handles, cleanup } = runtime.block_on(fresh()).into();
    let case = async { tokio::time::timeout(TIMEOUT, case(handles.into())).await.expect("the case hangs") };
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(case)));
    runtime.block_on(cleanup);
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// Turns the single list of cases, by theme and by the file that each is in, into the exported module and the macro that runs them. A
/// case that is not on the list is dead code, which the compiler reports. (`$dollar` is a dollar sign, for the inner macro.)
macro_rules! cases {
    ($dollar:tt $($theme:ident { $($file:ident { $($case:ident,)+ })+ })+) => {
        #[doc(hidden)]
        pub mod cases {$(
            pub mod $theme {
                $($(pub use crate::conformance::$file::$case;)+)+
            }
        )+}

        /// Creates a `#[test]` for each case of [the suite](crate::conformance), run on the result of this async function: a
        /// repository or a [`FreshRepository`](crate::conformance::FreshRepository).
        ///
        /// `repository_conformance!(fresh_repository)` runs all cases, `repository_conformance!(fresh_repository, accounts, vehicles)`
        /// those of some of the [`THEMES`](crate::conformance::THEMES).
        #[macro_export]
        macro_rules! repository_conformance {
            $((@$theme $dollar fresh:path) => {
                mod $theme {
                    #[allow(unused_imports, reason = "a path that starts at the crate does not need them")]
                    use super::*;
                    $($(
                        #[test]
                        fn $case() {
                            $crate::conformance::run($dollar fresh, $crate::conformance::cases::$theme::$case);
                        }
                    )+)+
                }
            };)+
            (@$dollar theme:ident $dollar fresh:path) => {
                compile_error!(concat!(
                    "`", stringify!($dollar theme), "` is no theme of the suite; there are:" $(, " ", stringify!($theme))+
                ));
            };
            ($dollar fresh:path) => {
                $crate::repository_conformance!($dollar fresh, $($theme),+);
            };
            ($dollar fresh:path, $dollar($dollar theme:ident),+ $dollar(,)?) => {$dollar(
                $crate::repository_conformance!(@$dollar theme $dollar fresh);
            )+};
        }

        /// The themes of the suite, in the [order of work](crate::repository): each needs the steps before it and none after it.
        pub const THEMES: &[&str] = &[$(stringify!($theme)),+];
    };
}

cases! {
    $
    accounts {
        accounts {
            a_token_is_revoked_by_its_own_user_alone,
            a_new_account_is_stored_completely,
            an_account_that_is_refused_leaves_no_customer_and_no_token,
            every_field_of_a_user_but_the_last_login_is_written,
            what_is_mailed_to_a_user_is_read_everywhere,
            every_field_of_a_customer_is_written,
            a_user_gets_a_customer_and_loses_it,
            a_token_needs_a_user_that_exists,
            a_user_may_have_many_tokens_and_revoke_one,
            a_token_is_found_with_its_account,
            one_token_is_kept_in_a_new_epoch,
            expired_tokens_are_purged_some_at_a_time,
            a_login_changes_no_version,
            a_login_renews_the_hash_that_was_verified,
            the_first_superuser_is_made_where_there_is_no_active_one,
            a_snapshot_says_whether_there_is_another_active_superuser,
        }
        annotations {
            what_is_kept_with_users_and_customers_is_read,
            an_external_id_belongs_to_one_user_and_to_one_customer,
            a_user_may_have_no_address,
            one_of_many_gets_an_external_id,
        }
        commit {
            a_ping_is_answered,
        }
        acting {
            of_two_superusers_who_demote_each_other_one_is_refused,
        }
        filters {
            users_are_filtered,
            customers_are_filtered,
        }
        pages {
            users_come_in_pages,
            tokens_come_in_pages,
            customers_come_in_pages,
        }
        races {
            one_of_many_gets_a_login_name,
            the_last_two_superusers_cannot_both_go,
            one_of_many_is_the_first_superuser,
            logins_and_a_new_password_do_not_stand_in_each_others_way,
        }
        tokens {
            every_field_of_a_token_is_kept,
            only_live_tokens_of_the_user_are_listed,
            a_token_of_an_old_epoch_is_not_created,
            a_new_token_and_a_new_password_exclude_each_other,
        }
        uniqueness {
            a_login_name_belongs_to_one_user,
            a_users_email_may_equal_their_username,
            the_last_active_superuser_stays,
        }
    }
    vehicles {
        accounts {
            a_customer_with_a_vehicle_is_not_deleted,
        }
        annotations {
            what_is_kept_with_vehicles_is_read,
            an_external_id_belongs_to_one_vehicle,
        }
        commit {
            every_field_of_a_vehicle_is_kept,
        }
        acting {
            an_actor_whose_other_data_changed_may_act,
            a_command_races_with_the_deactivation_of_its_actor,
            creating_a_vehicle_and_becoming_administrative_exclude_each_other,
        }
        filters {
            vehicles_are_filtered,
        }
        pages {
            vehicles_come_in_pages,
        }
        races {
            one_of_many_gets_a_vin,
            no_update_of_a_vehicle_is_lost,
        }
        uniqueness {
            a_vin_belongs_to_one_vehicle_until_that_is_deleted,
            a_chassis_number_belongs_to_one_vehicle_until_that_is_deleted,
            vehicles_without_a_number_are_told_apart_by_their_ids,
        }
    }
    services {
        commit {
            every_field_of_a_service_is_kept,
            services_are_seeded_into_an_empty_store_only,
        }
        filters {
            services_are_filtered,
        }
        pages {
            services_come_in_pages,
        }
        races {
            services_are_seeded_once,
        }
    }
    opening {
        pages {
            trades_come_in_pages,
            a_filter_holds_on_every_page,
        }
        trade_races {
            one_of_many_trades_of_a_vehicle_opens,
            opening_a_trade_and_deleting_its_vehicle_exclude_each_other,
        }
        trades {
            opening_a_trade_writes_it_and_moves_what_it_was_decided_on,
            opening_on_a_version_that_is_gone_is_a_conflict,
            a_service_that_was_deactivated_meanwhile_is_a_conflict,
        }
    }
    proposals {
        agreed_periods {
            an_agreed_period_that_shares_a_day_is_in_the_way,
            days_that_are_given_back_are_free,
            a_period_that_ends_after_today_is_in_the_way_of_a_sale,
            only_periods_agreed_in_other_trades_are_in_the_way,
        }
        annotations {
            what_is_kept_with_trades_is_read,
            an_external_id_belongs_to_one_trade,
            an_external_id_finds_what_the_viewer_may_see,
        }
        commit {
            ids_are_positive_and_ascend,
        }
        offers {
            an_edit_changes_what_the_live_trade_offers,
            what_was_offered_is_remembered,
            an_edit_decided_on_another_state_of_the_trade_is_a_conflict,
            a_bid_or_an_acceptance_decided_before_an_edit_is_a_conflict,
            a_vehicle_knows_whether_there_is_a_bid,
        }
        pages {
            proposals_come_in_pages,
        }
        prices {
            trades_are_filtered_and_sorted_by_price,
            readings_are_filtered_without_prices,
            trades_by_price_come_in_pages,
            prices_that_change_meanwhile_hide_no_others,
        }
        trade_filters {
            trades_are_filtered,
            proposals_are_filtered,
        }
        trade_races {
            one_of_two_agreed_periods_is_agreed,
            a_load_never_sees_half_of_a_commit,
        }
        trades {
            a_sale_moves_the_vehicle_and_its_version,
            a_snapshot_contains_the_viewers_history,
            a_party_that_was_deactivated_meanwhile_is_a_conflict,
            an_author_is_active_or_not,
            the_owner_of_a_trade_is_active_or_not,
            expired_proposals_come_in_the_order_in_which_they_expired,
            an_opening_snapshot_is_the_vehicle_and_the_service_as_they_are,
        }
        uniqueness {
            a_vehicle_has_one_live_trade,
            a_traded_vehicle_is_never_deleted,
            a_customer_has_one_pending_proposal_in_a_trade,
            a_pending_proposal_that_expired_still_counts_as_pending,
            a_trade_has_one_accepted_proposal,
            the_agreed_periods_of_a_vehicle_do_not_overlap,
        }
        visibility {
            a_proposal_expires_exactly_at_its_instant,
        }
    }
    cards {
        applying {
            empty_changes_increase_the_version,
            a_new_title_and_description_are_stored,
            proposals_are_made_and_decided,
            close_others_closes_or_expires_each_pending_proposal,
            each_state_of_a_trade_is_stored,
        }
        filters {
            cards_are_filtered,
        }
        pages {
            cards_come_in_pages,
        }
        races {
            one_of_many_default_cards_is_the_default,
            a_customer_is_not_deleted_while_a_card_is_added,
        }
        trades {
            a_card_that_is_asked_about_is_loaded_deleted_or_not,
        }
        uniqueness {
            a_customer_has_one_default_card,
        }
        wallets {
            every_field_of_a_card_is_kept,
            a_customer_and_its_cards_share_a_version,
            deleting_the_default_card_makes_another_one_the_default,
        }
    }
    billing {
        applying {
            an_invoice_is_issued_with_the_new_proposal_or_for_one_that_is_there,
            payments_are_begun_and_settled_with_their_invoice,
            a_proposal_and_a_payment_may_come_in_one_commit,
            any_sequence_of_changes_reads_as_applied,
        }
        pages {
            invoices_come_in_pages,
            payments_come_in_pages,
            refunds_come_in_pages,
        }
        refunds {
            every_field_of_a_refund_is_kept,
            a_charge_and_a_refund_are_found_by_their_keys,
            a_refund_key_belongs_to_one_refund,
            what_belongs_to_another_trade_is_a_conflict,
            pending_refunds_come_oldest_first_and_no_more_than_asked,
            waiting_payments_come_oldest_first_until_they_are_settled,
            refunds_are_filtered,
            refused_cards_are_declines_until_they_are_purged,
        }
        trade_filters {
            invoices_and_payments_are_filtered,
            an_id_that_does_not_exist_finds_nothing,
        }
        trade_races {
            one_of_many_first_proposals_is_made_and_billed,
            one_of_many_accepts_wins,
            one_of_many_payments_gets_a_charge_key,
            one_of_many_payments_is_taken_off_the_same_invoice,
        }
        trades {
            changes_to_a_stale_version_of_a_trade_are_a_conflict,
            a_trade_is_found_by_each_of_its_keys,
            rows_of_lists_are_what_a_load_returns,
            an_invoice_and_a_payment_are_found_by_their_ids,
            a_payment_keeps_a_card_that_is_deleted,
            a_card_that_was_deleted_meanwhile_is_a_conflict,
            pending_payments_come_oldest_first_and_no_more_than_asked,
            declines_of_a_customer_come_newest_first_and_no_more_than_asked,
            overdue_invoices_come_in_the_order_of_their_due_dates,
            what_was_opened_invoiced_and_paid_is_counted_by_week,
            the_ends_of_the_calendar_are_kept,
        }
        uniqueness {
            a_trade_has_one_invoice,
            a_charge_key_belongs_to_one_payment,
        }
        visibility {
            trades_are_listed_as_the_predicate_says,
            proposals_are_listed_as_the_predicate_says,
            vehicles_are_listed_as_the_predicate_says,
            invoices_and_payments_are_listed_as_the_predicates_say,
            a_loaded_vehicle_knows_its_trades_and_its_viewer,
            an_invoice_is_overdue_from_midnight_on,
        }
    }
    directory {
        accounts {
            a_customer_with_records_is_not_deleted,
        }
        commit {
            a_row_that_does_not_exist_is_none,
            a_stale_version_is_a_conflict,
        }
        directory {
            every_field_of_a_contact_is_kept,
            every_field_of_a_lead_is_kept,
            a_contact_needs_an_owner_that_exists,
            converting_a_lead_moves_its_contacts_and_no_others,
            a_lead_is_deleted_together_with_its_contacts_or_not_at_all,
            objects_are_called_by_their_names,
        }
        filters {
            contacts_are_filtered,
            leads_are_filtered,
        }
        pages {
            contacts_come_in_pages,
            leads_come_in_pages,
            a_page_has_a_hundred_rows_at_the_most,
        }
    }
    claims {
        claims {
            a_key_is_claimed_by_one,
            a_claim_without_effect_expires,
            a_claim_that_is_renewed_expires_later,
            the_record_of_a_claim_that_is_renewed_is_kept_longer,
            a_done_claim_can_be_renewed,
            a_claim_that_is_not_there_cannot_be_renewed,
            a_claim_that_was_taken_over_can_do_nothing,
            a_claim_that_nobody_took_over_still_commits,
            a_commit_under_a_claim_that_was_never_made_is_refused,
            one_claim_commits_once,
            a_refused_commit_leaves_the_claim_held,
            a_released_key_is_free,
            a_claim_with_an_effect_is_not_released,
            a_response_is_kept_until_the_record_expires,
            a_response_may_be_saved_without_an_effect,
            expired_records_are_purged_some_at_a_time,
        }
        races {
            one_of_two_claims_of_a_key_is_made,
            a_commit_and_a_take_over_exclude_each_other,
            a_renewal_and_a_take_over_exclude_each_other,
        }
    }
    events {
        consumers {
            a_position_goes_forward_and_never_back,
            of_many_positions_the_furthest_stays,
            a_consumer_that_is_removed_begins_anew,
            a_consumer_that_dies_before_it_is_done_gets_the_event_again,
            a_consumer_for_whom_there_is_nothing_moves_on,
            a_consumer_may_pass_over_what_was_before,
        }
        events {
            each_proposal_that_is_closed_has_its_event,
            everybody_sees_the_events_that_are_theirs,
            users_see_what_concerns_themselves,
            a_new_member_sees_the_earlier_events_of_the_trade,
            events_are_filtered,
            readers_miss_nothing_while_many_write,
            members_who_come_while_events_are_written_see_all,
            the_last_event_is_the_newest_that_was_committed,
            a_commit_without_events_leaves_none,
            the_books_show_what_has_no_event,
        }
        offers {
            editing_and_bidding_come_one_after_the_other,
            editing_and_accepting_come_one_after_the_other,
        }
        retention {
            events_are_cleared_oldest_first_and_no_more_than_asked,
            ids_go_on_after_all_events_were_cleared,
            a_reader_that_is_too_late_is_told_so,
            what_was_cleared_is_seen_by_nobody,
            who_reads_while_events_are_cleared_misses_none_unknowingly,
        }
        subscriptions {
            subscribers_get_every_event_of_all_processes_in_order,
            a_subscription_begins_where_it_is_told_to,
            a_subscriber_gets_what_they_may_see_and_asked_for,
        }
    }
    webhooks {
        deliveries {
            an_endpoint_is_told_of_the_events_that_it_wants,
            a_queued_delivery_tells_of_its_event_at_once,
            at_most_so_many_events_are_taken_for_each_endpoint,
            an_endpoint_that_is_off_takes_nothing,
            events_that_were_cleared_are_not_queued,
            the_longest_due_are_claimed_first,
            an_endpoint_that_is_busy_gets_fewer,
            a_claim_is_held_until_it_runs_out,
            nothing_is_claimed_for_an_endpoint_that_is_off,
            only_what_is_pending_is_claimed,
            a_claim_tells_all_that_a_try_needs,
            a_try_of_a_claimed_delivery_is_recorded,
            several_tries_are_recorded_together,
            a_try_is_recorded_once,
            a_try_whose_claim_was_taken_over_is_not_recorded,
            a_try_whose_claim_nobody_took_over_is_recorded,
            the_last_tries_are_kept_and_all_are_counted,
            an_endpoint_is_failing_since_the_first_try_that_failed,
            an_endpoint_that_took_one_of_several_is_not_failing,
            a_delivery_is_queued_again,
            a_delivery_that_is_queued_again_is_held_by_nobody,
            what_is_not_there_is_not_delivered,
            an_event_is_needed_until_all_have_taken_it,
            old_deliveries_are_purged_some_at_a_time,
        }
        filters {
            endpoints_are_filtered,
            deliveries_are_filtered,
        }
        pages {
            endpoints_come_in_pages,
            deliveries_come_in_pages,
        }
        retention {
            the_engine_clears_what_the_policy_does_not_keep,
        }
        webhook_races {
            every_event_is_queued_once_while_many_write,
            a_delivery_is_claimed_by_one_of_many,
            recording_a_try_and_taking_it_over_exclude_each_other,
            recording_a_try_does_not_undo_queueing_again,
            an_endpoint_that_is_deleted_meanwhile_leaves_no_deliveries,
        }
        webhooks {
            every_field_of_an_endpoint_is_kept,
            a_stale_version_of_an_endpoint_is_a_conflict,
            an_endpoint_is_deleted_with_its_deliveries_and_no_others,
            an_endpoint_starts_where_it_is_told_to,
            an_update_without_a_start_leaves_the_position,
            a_start_ends_that_an_endpoint_is_failing,
            deliveries_do_not_move_the_version_of_an_endpoint,
        }
    }
    mails {
        mails {
            every_field_of_a_mail_is_kept,
            a_mail_is_queued_by_a_commit,
            a_mail_is_queued_once_for_its_event_kind_and_recipient,
            mails_without_an_event_are_all_queued,
            the_mails_that_are_longest_due_are_claimed_first,
            a_mail_is_held_until_its_claim_runs_out,
            a_try_of_a_claimed_mail_is_recorded,
            a_mail_is_recorded_by_the_holder_of_its_claim_alone,
            old_mails_are_purged_some_at_a_time,
            a_mail_keeps_no_customer,
            earlier_proposers_are_all_who_proposed_before,
            earlier_proposers_come_in_pages,
            of_many_who_queue_the_same_mails_each_is_queued_once,
            a_mail_is_claimed_by_one_of_many,
        }
    }
    whole {
        claims {
            every_commit_marks_its_claim_with_the_id_of_the_new_row,
            every_commit_checks_its_claim,
        }
        acting {
            every_commit_checks_its_actor,
            an_unchanged_actor_may_act,
        }
        events {
            every_commit_stores_its_events_as_they_are_recorded,
        }
        accept_races {
            one_of_many_who_accept_the_owners_proposal_wins,
            the_owner_accepts_one_of_many_proposals,
            accepting_and_withdrawing_exclude_each_other,
            accepting_and_rejecting_exclude_each_other,
            accepting_and_superseding_exclude_each_other,
            accepting_and_cancelling_exclude_each_other,
            accepting_and_deactivating_the_author_come_one_after_the_other,
        }
        business {
            many_at_once_leave_the_books_in_order,
            a_gateway_that_fails_loses_no_charge_and_makes_none_twice,
        }
        engine_races {
            of_many_trades_opened_for_a_vehicle_one_is_open,
            many_first_proposals_bring_one_invoice,
            all_of_many_concurrent_proposals_are_made,
            one_of_many_leases_of_the_same_days_is_agreed,
            one_of_many_registers_a_name,
            one_of_many_makes_the_superuser,
            one_of_many_servers_makes_the_first_superuser,
            one_of_many_converts_a_lead,
        }
        gateway {
            a_payment_ends_right_however_the_gateway_fails,
            a_payment_whose_process_died_is_settled_by_another,
            a_request_whose_payment_was_settled_by_recovery_gets_that_outcome,
            a_card_that_is_deleted_meanwhile_has_paid,
            a_payment_that_waits_ends_right_however_the_gateway_fails,
            a_payment_that_nobody_confirms_is_given_up_at_the_gateway_first,
            a_payment_whose_canceller_died_is_settled_by_another,
            a_refund_ends_right_however_the_gateway_fails,
            a_refund_whose_process_died_is_settled_by_another,
        }
        payment_races {
            one_of_many_pays_in_full,
            part_payments_never_overshoot,
            voiding_and_paying_exclude_each_other,
            a_card_that_is_deleted_meanwhile_pays_or_is_refused,
            a_card_that_expires_meanwhile_pays_in_time_or_is_refused,
            many_recoveries_settle_once,
            recoveries_and_who_pays_settle_once,
            confirming_and_cancelling_exclude_each_other,
            one_of_many_refunds_the_whole_payment,
            part_refunds_never_overshoot,
            recoveries_and_who_refunds_settle_once,
        }
        staff_races {
            writing_off_and_paying_come_one_after_the_other,
            voiding_and_paying_an_agreed_sale_exclude_each_other,
            cancelling_an_agreed_sale_and_paying_come_one_after_the_other,
            staff_cancel_while_customers_accept,
            moving_the_due_date_and_paying_come_one_after_the_other,
        }
        time {
            what_has_expired_is_recorded_once,
            what_fell_overdue_is_recorded_once,
            expiring_and_deciding_exclude_each_other,
            a_late_payment_comes_after_the_falling_overdue,
            each_call_records_ten_batches,
        }
    }
}
