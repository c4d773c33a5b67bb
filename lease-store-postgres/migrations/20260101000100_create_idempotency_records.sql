create table idempotency_records (
    key bytea not null,
    holder bytea not null,
    fingerprint bytea not null,
    held_until timestamptz not null,
    expires_at timestamptz not null,
    has_effect boolean not null default false,
    made bigint,
    response bytea,
    constraint idempotency_records_pkey primary key (key),
    constraint idempotency_records_key_check check (octet_length(key) = 32),
    constraint idempotency_records_holder_check check (octet_length(holder) = 16),
    constraint idempotency_records_fingerprint_check check (octet_length(fingerprint) = 32),
    constraint idempotency_records_made_check check (made is null or has_effect)
);

create index idempotency_records_expires_at_idx on idempotency_records (expires_at);

comment on table idempotency_records is 'what was asked under an idempotency key, and what became of it; no secret can be read here';
comment on column idempotency_records.key is 'a hash over actor and key';
comment on column idempotency_records.holder is 'which request holds the claim: one that was taken over no longer does';
comment on column idempotency_records.has_effect is 'set in the same statement as the act itself';
comment on column idempotency_records.made is 'the id of the row that the act made, from which its response can be made again';
comment on column idempotency_records.response is 'the response, encrypted under a key that is not stored';
