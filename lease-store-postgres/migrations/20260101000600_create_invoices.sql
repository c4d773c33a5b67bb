create table invoices (
    id bigint generated always as identity,
    trade_id bigint not null,
    proposal_id bigint not null,
    customer_id bigint not null,
    amount numeric(16, 4) not null,
    currency text not null,
    paid numeric(16, 4) not null default 0,
    pending numeric(16, 4) not null default 0,
    refunded numeric(16, 4) not null default 0,
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
    constraint invoices_refunded_check check (refunded between 0 and paid),
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
create index invoices_weekly_totals_idx on invoices using brin (issued_at) with (autosummarize = on);
create index invoices_to_fall_overdue_idx on invoices (due_date, id) where status = 'open' and overdue_at is null;

comment on table invoices is 'the company''s claims for its fees: at most one a trade';
comment on column invoices.paid is 'what succeeded payments add up to';
comment on column invoices.pending is 'what payments under way add up to: taken off what may be paid meanwhile';
comment on column invoices.refunded is 'what was refunded of the payments: nothing is owed because of it';
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
    refunded numeric(16, 4) not null default 0,
    refunding numeric(16, 4) not null default 0,
    currency text not null,
    status text not null,
    settled_at timestamptz,
    failure_code text,
    action_kind text,
    action_url text,
    action_client_secret text,
    gateway_reference text,
    is_late boolean not null,
    charge_key text not null,
    created_at timestamptz not null,
    constraint payments_pkey primary key (id),
    constraint payments_charge_key_key unique (charge_key),
    constraint payments_invoice_id_id_key unique (invoice_id, id, customer_id, currency),
    constraint payments_invoice_fkey foreign key (customer_id, invoice_id, currency)
        references invoices (customer_id, id, currency),
    constraint payments_credit_card_fkey foreign key (customer_id, credit_card_id) references credit_cards (customer_id, id),
    constraint payments_amount_check check (amount > 0),
    constraint payments_currency_check check (currency ~ '^[A-Z]{3}$'),
    constraint payments_status_check check (status in ('pending', 'requires_action', 'succeeded', 'failed', 'cancelled')),
    constraint payments_settled_check check ((status in ('succeeded', 'failed', 'cancelled')) = (settled_at is not null)),
    constraint payments_failed_check check ((status = 'failed') = (failure_code is not null)),
    constraint payments_action_check check (
        (status = 'requires_action') = (action_kind is not null)
        and (status = 'requires_action' or num_nonnulls(action_url, action_client_secret) = 0)
    ),
    constraint payments_reference_check check (status in ('pending', 'failed') or gateway_reference is not null),
    constraint payments_refunded_check check (
        refunded >= 0
        and refunding >= 0
        and refunded + refunding <= case status when 'succeeded' then amount else 0 end
    )
) with (fillfactor = 85);

create index payments_customer_idx on payments (customer_id, id);
create index payments_credit_card_idx on payments (credit_card_id, id);
create index payments_status_idx on payments (status, id);
create index payments_weekly_totals_idx on payments using brin (created_at) with (autosummarize = on);
create index payments_pending_idx on payments (created_at, id) where status = 'pending';
create index payments_requires_action_idx on payments (created_at, id) where status = 'requires_action';
create index payments_declines_idx on payments (customer_id, created_at) where failure_code is not null;

comment on table payments is 'attempts to pay an invoice with a card';
comment on column payments.refunded is 'what its refunds that succeeded add up to';
comment on column payments.refunding is 'what its refunds under way add up to: taken off what may be refunded meanwhile';
comment on column payments.action_client_secret is 'with which the browser of the payer acts: gone as soon as it need not';
comment on column payments.charge_key is 'under which the gateway knows the charge, however often it is asked';
comment on constraint payments_invoice_fkey on payments is 'only the billed customer pays, in the currency of the bill';
comment on constraint payments_credit_card_fkey on payments is 'with a card that was theirs';

create table refunds (
    id bigint generated always as identity,
    payment_id bigint not null,
    invoice_id bigint not null,
    customer_id bigint not null,
    amount numeric(16, 4) not null,
    currency text not null,
    reason text not null,
    note text not null,
    status text not null,
    settled_at timestamptz,
    failure_code text,
    gateway_reference text,
    refund_key text not null,
    created_at timestamptz not null,
    constraint refunds_pkey primary key (id),
    constraint refunds_refund_key_key unique (refund_key),
    constraint refunds_payment_fkey foreign key (invoice_id, payment_id, customer_id, currency)
        references payments (invoice_id, id, customer_id, currency),
    constraint refunds_amount_check check (amount > 0),
    constraint refunds_currency_check check (currency ~ '^[A-Z]{3}$'),
    constraint refunds_reason_check check (
        reason in ('duplicate', 'fraudulent', 'requested_by_customer', 'trade_cancelled', 'other')
    ),
    constraint refunds_status_check check (status in ('pending', 'succeeded', 'failed')),
    constraint refunds_settled_check check ((status = 'pending') = (settled_at is null)),
    constraint refunds_failed_check check ((status = 'failed') = (failure_code is not null)),
    constraint refunds_reference_check check (status <> 'succeeded' or gateway_reference is not null)
) with (fillfactor = 85);

create index refunds_payment_idx on refunds (payment_id, id);
create index refunds_invoice_idx on refunds (invoice_id, id);
create index refunds_customer_idx on refunds (customer_id, id);
create index refunds_status_idx on refunds (status, id);
create index refunds_pending_idx on refunds (created_at, id) where status = 'pending';

comment on table refunds is 'money of a payment that is given back';
comment on column refunds.note is 'what else the staff noted';
comment on column refunds.refund_key is 'under which the gateway knows the refund, however often it is asked';
comment on constraint refunds_payment_fkey on refunds is 'to whom the payment is from, in its currency';
