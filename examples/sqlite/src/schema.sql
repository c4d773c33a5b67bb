-- Instants are microseconds since 1970 in UTC, days are texts like 2026-03-31, and amounts of money are counted in ten-thousandths,
-- so that all of them are exact and are compared as they are. `autoincrement`: an id is never given twice.

create table users (
    id integer primary key autoincrement,
    version integer not null default 1, -- goes up with each change, logins excepted
    username text not null,
    email text,
    first_name text not null,
    last_name text not null,
    password_hash text not null,
    is_active integer not null,
    role text not null check (role in ('customer', 'staff', 'superuser')),
    date_joined integer not null,
    last_login integer,
    token_epoch integer not null, -- only tokens of this epoch are good
    email_verified_at integer,
    links text not null,
    proposal_notices integer not null,
    invoice_notices integer not null,
    payment_notices integer not null,
    external_id text unique,
    metadata text not null,
    search_text text not null -- what a search looks through, computed by lease-core; so everywhere
) strict;

create index users_by_role on users (role);
create index users_by_role_active on users (role, is_active);
create index users_active on users (is_active);

-- User names and e-mail addresses share one name space.
create table login_names (
    name text primary key,
    user_id integer not null references users (id)
) strict, without rowid;

create index login_names_of_user on login_names (user_id);

create table customers (
    id integer primary key autoincrement,
    version integer not null default 1, -- goes up with each change of the profile or of the cards
    user_id integer not null unique references users (id),
    job text not null,
    dob text,
    notes text not null,
    created_at integer not null,
    external_id text unique,
    metadata text not null
) strict;

create table tokens (
    id integer primary key autoincrement,
    user_id integer not null references users (id),
    hash blob not null unique,
    name text not null,
    epoch integer not null,
    created_at integer not null,
    expires_at integer not null
) strict;

create index tokens_of_epoch on tokens (user_id, epoch);
create index tokens_by_expiry on tokens (expires_at);

create table credit_cards (
    id integer primary key autoincrement,
    customer_id integer not null references customers (id),
    brand text not null,
    last4 text not null,
    exp_month integer not null check (exp_month between 1 and 12),
    exp_year integer not null,
    holder_name text not null,
    is_default integer not null,
    gateway_token text not null,
    created_at integer not null,
    deleted_at integer
) strict;

create unique index credit_cards_default on credit_cards (customer_id) where is_default and deleted_at is null;
create index credit_cards_of_customer on credit_cards (customer_id);

create table card_refusals (
    id integer primary key autoincrement,
    customer_id integer not null references customers (id) on delete cascade,
    refused_at integer not null
) strict;

create index card_refusals_of_customer on card_refusals (customer_id, refused_at);
create index card_refusals_by_age on card_refusals (refused_at);

create table leads (
    id integer primary key autoincrement,
    version integer not null default 1,
    first_name text not null,
    last_name text not null,
    email text not null,
    phone text not null,
    company text not null,
    source text not null,
    status text not null check ((status = 'converted') = (customer_id is not null)),
    customer_id integer references customers (id),
    notes text not null,
    created_at integer not null,
    search_text text not null
) strict;

create index leads_of_customer on leads (customer_id) where customer_id is not null;
create index leads_by_status on leads (status);

create table contacts (
    id integer primary key autoincrement,
    version integer not null default 1,
    customer_id integer references customers (id),
    lead_id integer references leads (id),
    label text not null,
    name text not null,
    email text not null,
    phone text not null,
    address_line1 text not null,
    address_line2 text not null,
    city text not null,
    state text not null,
    postal_code text not null,
    country text not null,
    created_at integer not null,
    check ((customer_id is null) <> (lead_id is null))
) strict;

create index contacts_of_customer on contacts (customer_id);
create index contacts_of_lead on contacts (lead_id);

create table vehicles (
    id integer primary key autoincrement,
    version integer not null default 1, -- goes up with each change, with a trade opened and with a change of hands
    customer_id integer not null references customers (id),
    vin text unique,
    chassis_number text unique,
    make text not null,
    model text not null,
    year integer not null,
    color text not null,
    mileage integer check (mileage >= 0),
    license_plate text not null,
    description text not null,
    created_at integer not null,
    external_id text unique,
    metadata text not null,
    make_key text not null, -- the make as it is compared, computed by lease-core
    model_key text not null,
    search_text text not null,
    check (vin is null or chassis_number is null)
) strict;

create index vehicles_of_customer on vehicles (customer_id);
create index vehicles_by_make on vehicles (make_key);
create index vehicles_by_model on vehicles (model_key);
create index vehicles_by_year on vehicles (year);

create table services (
    id integer primary key autoincrement,
    version integer not null default 1,
    name text not null,
    kind text not null check (kind in ('lease', 'sell', 'custom')),
    invoice_on text not null check (invoice_on in ('first_proposal', 'acceptance')),
    bill_to text not null check (bill_to in ('owner', 'counterparty')),
    fee_amount integer not null check (fee_amount >= 0),
    fee_currency text not null,
    payment_due_days integer not null,
    description text not null,
    is_active integer not null,
    is_used integer not null
) strict;

create index services_by_kind on services (kind);
create index services_active on services (is_active);

create table trades (
    id integer primary key autoincrement,
    version integer not null default 1, -- goes up with each change of the trade, of what it offers or of what hangs on it
    vehicle_id integer not null references vehicles (id),
    service_id integer not null references services (id),
    customer_id integer not null references customers (id),
    title text not null,
    description text not null,
    status text not null check (status in ('open', 'agreed', 'completed', 'cancelled')),
    counterparty_id integer references customers (id),
    accepted_proposal_id integer references proposals (id),
    agreed_from text,
    agreed_until text check (agreed_from <= agreed_until),
    agreed_at integer,
    completed_at integer check ((status = 'completed') = (completed_at is not null)),
    cancelled_at integer check ((status = 'cancelled') = (cancelled_at is not null)),
    cancel_reason text,
    offered_vin text, -- what is offered: as the vehicle is while the trade is open, and as it was then ever after
    offered_chassis_number text,
    offered_make text not null,
    offered_model text not null,
    offered_year integer not null,
    offered_color text not null,
    offered_mileage integer,
    offered_license_plate text not null,
    offered_description text not null,
    asking_proposal_id integer references proposals (id), -- what the owner asks for: the terms of their pending proposal
    asking_amount integer,
    asking_currency text,
    asking_start text,
    asking_end text,
    asking_expires_at integer,
    invoice_id integer references invoices (id),
    created_at integer not null,
    external_id text unique,
    metadata text not null,
    make_key text not null,
    model_key text not null,
    search_text text not null,
    check ((counterparty_id is null) = (accepted_proposal_id is null) and (counterparty_id is null) = (agreed_at is null)),
    check (status <> 'open' or agreed_at is null),
    check (status not in ('agreed', 'completed') or agreed_at is not null)
) strict;

create unique index trades_live on trades (vehicle_id) where status in ('open', 'agreed');
create index trades_open on trades (vehicle_id) where status = 'open';
create index trades_of_vehicle on trades (vehicle_id, agreed_from);
create index trades_of_customer on trades (customer_id);
create index trades_of_counterparty on trades (counterparty_id);
create index vehicles_of_traders on trades (customer_id, vehicle_id);
create index vehicles_of_counterparties on trades (counterparty_id, vehicle_id);
create index trades_of_service on trades (service_id);
create index trades_by_status on trades (status);
create index trades_by_make on trades (make_key);
create index trades_by_model on trades (model_key);
create index trades_by_price on trades (asking_currency, asking_amount) where status = 'open';
create index trades_by_age on trades (created_at);

-- The agreed periods of a vehicle never overlap. Empty ones are in nobody's way.
create trigger trades_agreed_periods before update of agreed_from, agreed_until on trades
when new.agreed_from < new.agreed_until and exists (
    select 1 from trades other
    where other.vehicle_id = new.vehicle_id and other.id <> new.id and other.agreed_from < other.agreed_until
        and other.agreed_from < new.agreed_until and other.agreed_until > new.agreed_from
)
begin
    select raise(abort, 'agreed periods overlap');
end;

create table proposals (
    id integer primary key autoincrement,
    trade_id integer not null references trades (id),
    customer_id integer not null references customers (id),
    amount integer not null check (amount > 0),
    currency text not null,
    start_date text,
    end_date text check (start_date < end_date),
    message text not null,
    status text not null check ((status = 'pending') = (decided_at is null)), -- as stored: a pending one may have expired
    decided_at integer,
    expires_at integer,
    created_at integer not null,
    owner_id integer, -- the trade's owner, repeated so that an index finds what they may see
    is_public integer not null default 0 -- made by the owner of a trade that is open: every customer may see it
) strict;

create unique index proposals_pending on proposals (trade_id, customer_id) where status = 'pending';
create unique index proposals_accepted on proposals (trade_id) where status in ('accepted', 'rescinded');
create index proposals_of_trade on proposals (trade_id, customer_id);
create index proposals_of_customer on proposals (customer_id);
create index proposals_by_trade_of_customer on proposals (customer_id, trade_id);
create index proposals_of_owner on proposals (owner_id);
create index proposals_public on proposals (is_public);
create index proposals_by_status on proposals (status);
create index proposals_by_expiry on proposals (status, expires_at);

create table invoices (
    id integer primary key autoincrement,
    trade_id integer not null unique references trades (id),
    proposal_id integer not null references proposals (id),
    customer_id integer not null references customers (id),
    amount integer not null check (amount > 0),
    paid integer not null,
    pending integer not null check (paid >= 0 and pending >= 0 and paid + pending <= amount),
    refunded integer not null check (refunded between 0 and paid),
    currency text not null,
    status text not null check (status in ('open', 'paid', 'void', 'written_off')),
    settled_at integer check ((status = 'open') = (settled_at is null)), -- when it was paid, voided or written off
    reason text,
    issued_at integer not null,
    due_date text not null,
    overdue_at integer
) strict;

create index invoices_of_customer on invoices (customer_id);
create index invoices_by_status on invoices (status);
create index invoices_due on invoices (status, overdue_at, due_date);
create index invoices_by_age on invoices (issued_at);

create table payments (
    id integer primary key autoincrement,
    invoice_id integer not null references invoices (id),
    credit_card_id integer not null references credit_cards (id),
    customer_id integer not null references customers (id),
    amount integer not null check (amount > 0),
    refunded integer not null,
    refunding integer not null check (refunded >= 0 and refunding >= 0 and refunded + refunding <= amount),
    currency text not null,
    status text not null check (status in ('pending', 'requires_action', 'succeeded', 'failed', 'cancelled')),
    settled_at integer,
    failure_code text,
    action_kind text,
    action_url text,
    action_client_secret text,
    is_late integer not null,
    charge_key text not null unique,
    gateway_reference text,
    created_at integer not null
) strict;

create index payments_of_invoice on payments (invoice_id);
create index payments_of_customer on payments (customer_id);
create index payments_of_card on payments (credit_card_id);
create index payments_by_status on payments (status);
create index payments_under_way on payments (status, created_at);
create index payments_failed on payments (customer_id, created_at) where status = 'failed';
create index payments_by_age on payments (created_at);

create table refunds (
    id integer primary key autoincrement,
    payment_id integer not null references payments (id),
    invoice_id integer not null references invoices (id),
    customer_id integer not null references customers (id),
    amount integer not null check (amount > 0),
    currency text not null,
    reason text not null,
    note text not null,
    status text not null check (status in ('pending', 'succeeded', 'failed')),
    settled_at integer,
    failure_code text,
    refund_key text not null unique,
    gateway_reference text,
    created_at integer not null
) strict;

create index refunds_of_payment on refunds (payment_id);
create index refunds_of_invoice on refunds (invoice_id);
create index refunds_of_customer on refunds (customer_id);
create index refunds_by_status on refunds (status);
create index refunds_under_way on refunds (status, created_at);

create table idempotency_records (
    key blob primary key,
    holder blob not null,
    fingerprint blob not null,
    held_until integer not null,
    expires_at integer not null,
    is_done integer not null default 0,
    made integer,
    response blob
) strict, without rowid;

create index idempotency_records_by_expiry on idempotency_records (expires_at);

create table events (
    id integer primary key autoincrement,
    event_type text not null,
    occurred_at integer not null,
    actor_kind text not null,
    actor_user_id integer,
    actor_customer_id integer,
    request_id text,
    subject_id integer,
    trade_id integer,
    data text not null,
    changes text not null,
    subject_kind text not null,
    is_for_members integer not null default 0 -- whether each member of the trade sees it, also those who come later
) strict;

create index events_by_type on events (event_type);
create index events_of_subject on events (subject_kind, subject_id);
create index events_of_trade on events (trade_id) where trade_id is not null;
create index events_of_actor on events (actor_user_id) where actor_user_id is not null;

-- Who may see which event: a user where is_user, else a customer.
create table event_readers (
    is_user integer not null,
    reader_id integer not null,
    event_id integer not null references events (id) on delete cascade,
    primary key (is_user, reader_id, event_id)
) strict, without rowid;

create index event_readers_of_event on event_readers (event_id);

create table event_consumers (
    name text primary key,
    last_event_id integer not null
) strict, without rowid;

create table webhook_endpoints (
    id integer primary key autoincrement,
    version integer not null default 1,
    url text not null,
    description text not null,
    event_types text not null,
    is_active integer not null,
    disabled_reason text,
    secret text not null,
    previous_secrets text not null,
    created_at integer not null,
    position integer not null default 0, -- the last event up to which its deliveries were queued
    failing_since integer -- the first of the tries that have failed since one succeeded
) strict;

create index webhook_endpoints_active on webhook_endpoints (is_active);

create table webhook_deliveries (
    id integer primary key autoincrement,
    endpoint_id integer not null references webhook_endpoints (id) on delete cascade,
    event_id integer,
    event_type text check ((event_id is null) = (event_type is null)),
    status text not null check ((status = 'pending') = (next_attempt_at is not null)),
    next_attempt_at integer,
    tries integer not null,
    attempts text not null,
    created_at integer not null,
    held_until integer -- until when a process has claimed it
) strict;

create index webhook_deliveries_due on webhook_deliveries (endpoint_id, status, next_attempt_at);
create index webhook_deliveries_of_endpoint on webhook_deliveries (endpoint_id);
create index webhook_deliveries_by_status on webhook_deliveries (status);
create index webhook_deliveries_needed on webhook_deliveries (endpoint_id, event_id) where status = 'pending';
create index webhook_deliveries_by_age on webhook_deliveries (created_at);

-- Recipients may be deleted, and events cleared: nothing here refers to them.
create table mails (
    id integer primary key autoincrement,
    kind text not null,
    customer_id integer,
    user_id integer,
    address text,
    event_id integer,
    facts text not null,
    status text not null check ((status = 'pending') = (next_attempt_at is not null)),
    next_attempt_at integer,
    tries integer not null,
    created_at integer not null,
    held_until integer
) strict;

create unique index mails_once on mails (
    event_id, kind, coalesce(customer_id, 0), coalesce(user_id, 0), coalesce(address, '')
) where event_id is not null;
create index mails_due on mails (next_attempt_at) where status = 'pending';
create index mails_finished on mails (created_at) where status <> 'pending';

pragma user_version = 1;
