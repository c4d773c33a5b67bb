create table invoices (
    id bigint generated always as identity,
    trade_id bigint not null,
    proposal_id bigint not null,
    customer_id bigint not null,
    amount numeric(16, 4) not null,
    currency text not null,
    paid numeric(16, 4) not null default 0,
    pending numeric(16, 4) not null default 0,
    status text not null default 'open',
    is_owed boolean generated always as (case when status = 'open' then true end) stored,
    is_settled boolean generated always as (case when status <> 'open' then true end) stored,
    issued_at timestamptz not null,
    due_date date not null,
    overdue_at timestamptz,
    paid_at timestamptz,
    voided_at timestamptz,
    void_reason text,
    written_off_at timestamptz,
    write_off_reason text,
    constraint invoices_pkey primary key (id),
    constraint invoices_trade_id_key unique (trade_id),
    constraint invoices_customer_id_id_key unique (customer_id, id, currency),
    constraint invoices_proposal_fkey foreign key (trade_id, proposal_id) references proposals (trade_id, id),
    constraint invoices_is_owed_fkey foreign key (trade_id, is_owed) references trades (id, may_owe),
    constraint invoices_is_settled_fkey foreign key (trade_id, is_settled) references trades (id, may_owe_nothing),
    constraint invoices_customer_id_fkey foreign key (customer_id) references customers (id),
    constraint invoices_amount_check check (amount > 0),
    constraint invoices_currency_check check (currency ~ '^[A-Z]{3}$'),
    constraint invoices_balance_check check (paid >= 0 and pending >= 0 and paid + pending <= amount),
    constraint invoices_status_check check (status in ('open', 'paid', 'void', 'written_off')),
    constraint invoices_paid_check check (
        (status = 'paid') = (paid = amount)
        and (status = 'paid') = (paid_at is not null)
    ),
    constraint invoices_void_check check (
        (status = 'void') = (voided_at is not null)
        and (status = 'void') = (void_reason is not null)
        and (status <> 'void' or paid + pending = 0)
    ),
    constraint invoices_written_off_check check (
        (status = 'written_off') = (written_off_at is not null)
        and (status = 'written_off') = (write_off_reason is not null)
        and (status <> 'written_off' or pending = 0)
    )
) with (fillfactor = 80);

create index invoices_status_idx on invoices (status, id);
-- This index exists beside invoices_status_idx, since Postgres knows that its order correlates with that of the table: it finds
-- overdue invoices quickly, whether there are many or few. It has all rows, since Postgres keeps these statistics only then.
create index invoices_open_idx on invoices (id) where status = 'open';
create index invoices_due_idx on invoices ((case when status = 'open' then due_date end), id);
create index invoices_to_fall_overdue_idx on invoices (due_date, id) where status = 'open' and overdue_at is null;

comment on table invoices is 'the company''s claims for its fees: at most one a trade';
comment on column invoices.paid is 'what succeeded payments add up to';
comment on column invoices.pending is 'what pending payments add up to: taken off what may be paid meanwhile';
comment on column invoices.is_owed is 'it is open, so its trade is not completed';
comment on column invoices.is_settled is 'it is paid, void or written off, so its trade does not wait for it';
comment on column invoices.due_date is 'the last day to pay in time, in UTC';
comment on column invoices.overdue_at is 'when it fell overdue, once that is recorded';

create table payments (
    id bigint generated always as identity,
    invoice_id bigint not null,
    credit_card_id bigint not null,
    customer_id bigint not null,
    amount numeric(16, 4) not null,
    currency text not null,
    status text not null,
    failure_code text,
    gateway_reference text,
    is_late boolean not null,
    charge_key text not null,
    created_at timestamptz not null,
    constraint payments_pkey primary key (id),
    constraint payments_charge_key_key unique (charge_key),
    constraint payments_invoice_fkey foreign key (customer_id, invoice_id, currency)
        references invoices (customer_id, id, currency),
    constraint payments_credit_card_fkey foreign key (customer_id, credit_card_id) references credit_cards (customer_id, id),
    constraint payments_amount_check check (amount > 0),
    constraint payments_currency_check check (currency ~ '^[A-Z]{3}$'),
    constraint payments_status_check check (status in ('pending', 'succeeded', 'failed')),
    constraint payments_failed_check check ((status = 'failed') = (failure_code is not null)),
    constraint payments_reference_check check ((status = 'pending') = (gateway_reference is null))
) with (fillfactor = 85);

create index payments_invoice_idx on payments (invoice_id, id);
create index payments_customer_idx on payments (customer_id, id);
create index payments_credit_card_idx on payments (credit_card_id, id);
create index payments_status_idx on payments (status, id);
create index payments_pending_idx on payments (created_at, id) where status = 'pending';
create index payments_declines_idx on payments (customer_id, created_at) where failure_code is not null;

comment on table payments is 'attempts to pay an invoice with a card';
comment on column payments.charge_key is 'under which the gateway knows the charge, however often it is asked';
comment on constraint payments_invoice_fkey on payments is 'only the billed customer pays, in the currency of the bill';
comment on constraint payments_credit_card_fkey on payments is 'with a card that was theirs';
