-- Recipients may be deleted, and events cleared: nothing here refers to them.
create table mails (
    id bigint generated always as identity,
    kind text not null,
    event_id bigint,
    customer_id bigint,
    user_id bigint,
    address text,
    facts jsonb not null,
    status text not null,
    next_attempt_at timestamptz,
    held_until timestamptz,
    tries integer not null,
    created_at timestamptz not null,
    constraint mails_pkey primary key (id),
    constraint mails_kind_check check (
        kind in (
            'proposal_made', 'proposal_accepted', 'proposal_rejected', 'proposal_closed', 'invoice_issued', 'invoice_due_soon',
            'invoice_overdue', 'payment_received', 'payment_failed', 'payment_refunded', 'password_changed', 'email_changed',
            'password_reset', 'email_verification'
        )
    ),
    constraint mails_recipient_check check ((customer_id is null) = (num_nonnulls(user_id, address) > 0)),
    constraint mails_status_check check (status in ('pending', 'sent', 'failed', 'dropped')),
    constraint mails_pending_check check ((status = 'pending') = (next_attempt_at is not null)),
    constraint mails_held_check check (held_until is null or status = 'pending'),
    constraint mails_tries_check check (tries >= 0)
) with (fillfactor = 85);

create unique index mails_once_key on mails (
    event_id, kind, coalesce(customer_id, 0), coalesce(user_id, 0), coalesce(address, '')
) where event_id is not null;
-- What is sent next. Few rows are held at the same time, so these are not kept apart, and claiming one changes no index.
create index mails_pending_idx on mails (next_attempt_at, id) where status = 'pending';
-- What is old enough to be purged.
create index mails_done_idx on mails (created_at) where status <> 'pending';

comment on table mails is 'what is to be sent by mail, or was: once for each event, kind and recipient';
comment on column mails.event_id is 'the event that it was made from';
comment on column mails.customer_id is 'whose user gets it; otherwise user_id or address says who does';
comment on column mails.address is 'that of the user, whatever theirs is now; without a user, whoever has it';
comment on column mails.facts is 'what it is about; no link and no secret';
comment on column mails.held_until is 'until when a server has claimed it';
