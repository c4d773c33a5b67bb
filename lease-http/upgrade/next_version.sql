-- What the next version could add: a migration that only expands the schema.
alter table invoices add column reminder_sent_at timestamptz;

create table reminders (
    id bigint generated always as identity,
    invoice_id bigint not null,
    sent_at timestamptz not null,
    constraint reminders_pkey primary key (id),
    constraint reminders_invoice_id_fkey foreign key (invoice_id) references invoices (id)
);

create index trades_title_idx on trades (title);
