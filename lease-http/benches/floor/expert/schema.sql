-- What an expert would write by hand to keep the same facts: plain keys and checks, an index for each rule and each filter of the
-- lists, nothing else.
create schema expert;
set search_path = expert, public;

create table users (
    id bigint generated always as identity primary key,
    username text not null unique,
    email text not null unique,
    first_name text not null,
    last_name text not null,
    password_hash text not null,
    is_active boolean not null,
    role text not null check (role in ('customer', 'staff', 'superuser')),
    date_joined timestamptz not null,
    last_login timestamptz
);

create table customers (
    id bigint generated always as identity primary key,
    user_id bigint not null unique references users,
    job text not null,
    dob date,
    notes text not null,
    created_at timestamptz not null
);

create table tokens (
    hash bytea primary key,
    user_id bigint not null references users,
    expires_at timestamptz not null
);

create table credit_cards (
    id bigint generated always as identity primary key,
    customer_id bigint not null references customers,
    brand text not null,
    last4 text not null,
    exp_month integer not null,
    exp_year integer not null,
    holder_name text not null,
    is_default boolean not null,
    gateway_token text not null,
    created_at timestamptz not null,
    deleted_at timestamptz
);

create index on credit_cards (customer_id, id);

create table services (
    id bigint generated always as identity primary key,
    name text not null,
    kind text not null check (kind in ('lease', 'sell', 'custom')),
    invoice_on text not null check (invoice_on in ('first_proposal', 'acceptance')),
    bill_to text not null check (bill_to in ('owner', 'counterparty')),
    fee_amount numeric(16, 4) not null check (fee_amount >= 0),
    fee_currency text not null,
    payment_due_days integer not null,
    description text not null,
    is_active boolean not null
);

create table vehicles (
    id bigint generated always as identity primary key,
    customer_id bigint not null references customers,
    vin text not null unique,
    make text not null,
    model text not null,
    year integer not null,
    color text not null,
    mileage bigint check (mileage >= 0),
    license_plate text not null,
    description text not null,
    created_at timestamptz not null,
    search_text text not null
) with (fillfactor = 85);

create index on vehicles (customer_id, id);
create index on vehicles (lower(make), id);
create index on vehicles (lower(model), id);
create index on vehicles (year, id);
create index on vehicles using gin (search_text gin_trgm_ops);

-- The facets of the vehicle are repeated, so that a filter on them finds a page without reading them all.
create table trades (
    id bigint generated always as identity primary key,
    version bigint not null default 1,
    vehicle_id bigint not null references vehicles,
    make text not null,
    model text not null,
    year integer not null,
    service_id bigint not null references services,
    customer_id bigint not null references customers,
    title text not null,
    description text not null,
    status text not null check (status in ('open', 'agreed', 'completed', 'cancelled')),
    counterparty_id bigint references customers check (counterparty_id <> customer_id),
    has_proposals boolean not null default false,
    accepted_proposal_id bigint,
    agreed_from date,
    agreed_until date,
    created_at timestamptz not null,
    agreed_at timestamptz,
    completed_at timestamptz,
    cancelled_at timestamptz,
    search_text text not null,
    check ((status in ('agreed', 'completed')) = (accepted_proposal_id is not null)),
    check ((status in ('agreed', 'completed')) = (counterparty_id is not null)),
    exclude using gist (vehicle_id with =, daterange(agreed_from, agreed_until) with &&) where (agreed_from is not null)
) with (fillfactor = 80);

create unique index on trades (vehicle_id) where status in ('open', 'agreed');
create index on trades (vehicle_id, id);
create index on trades (status, id);
create index on trades (service_id, id);
create index on trades (customer_id, id);
create index on trades (counterparty_id, id) where counterparty_id is not null;
create index on trades (make, id);
create index on trades (model, id);
create index on trades (year, id);
create index on trades using gin (search_text gin_trgm_ops);

create table proposals (
    id bigint generated always as identity primary key,
    trade_id bigint not null references trades,
    customer_id bigint not null references customers,
    amount numeric(16, 4) not null check (amount > 0),
    currency text not null,
    start_date date,
    end_date date check (end_date > start_date),
    message text not null,
    status text not null
        check (status in ('pending', 'accepted', 'rejected', 'withdrawn', 'superseded', 'closed', 'expired')),
    expires_at timestamptz,
    created_at timestamptz not null,
    decided_at timestamptz
) with (fillfactor = 85);

create unique index on proposals (trade_id, customer_id) where status = 'pending';
create unique index on proposals (trade_id) where status = 'accepted';
create index on proposals (trade_id, customer_id);
create index on proposals (customer_id, trade_id);
create index on proposals (customer_id, id);
create index on proposals (status, id);

alter table trades add foreign key (accepted_proposal_id) references proposals;

create table invoices (
    id bigint generated always as identity primary key,
    trade_id bigint not null unique references trades,
    proposal_id bigint not null references proposals,
    customer_id bigint not null references customers,
    amount numeric(16, 4) not null check (amount > 0),
    currency text not null,
    paid numeric(16, 4) not null default 0 check (paid >= 0),
    pending numeric(16, 4) not null default 0 check (pending >= 0),
    status text not null check (status in ('open', 'paid', 'void')),
    issued_at timestamptz not null,
    due_date date not null,
    paid_at timestamptz,
    voided_at timestamptz,
    void_reason text,
    check (paid + pending <= amount),
    check ((status = 'paid') = (paid = amount))
) with (fillfactor = 80);

create index on invoices (customer_id, id);
create index on invoices (status, id);
create index on invoices (due_date, id) where status = 'open';

create table payments (
    id bigint generated always as identity primary key,
    invoice_id bigint not null references invoices,
    credit_card_id bigint not null references credit_cards,
    customer_id bigint not null references customers,
    amount numeric(16, 4) not null check (amount > 0),
    currency text not null,
    status text not null check (status in ('pending', 'succeeded', 'failed')),
    failure_code text,
    gateway_reference text,
    is_late boolean not null,
    charge_key text not null unique,
    created_at timestamptz not null
) with (fillfactor = 85);

create index on payments (invoice_id, id);
create index on payments (customer_id, id);
create index on payments (credit_card_id, id);
create index on payments (status, id);
