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

-- Passes where no claim is made. Locks the claim, so that of two statements under one claim the second waits.
create function hold_claim(claim_key bytea, claim_holder bytea) returns boolean
language plpgsql
as $$
begin
    if claim_key is null then
        return true;
    end if;
    perform 1
    from idempotency_records
    where key = claim_key
        and holder = claim_holder
        and not has_effect
        and response is null
    for update;
    if not found then
        raise exception 'the claim is not held' using errcode = 'check_violation', constraint = 'idempotency_records_held';
    end if;
    return true;
end;
$$;

comment on function hold_claim is 'opens every statement that writes: refuses the whole of it where its claim is not held';

create function mark_claim(claim_key bytea, made_id bigint) returns boolean
language plpgsql
as $$
begin
    if claim_key is not null then
        update idempotency_records
        set has_effect = true,
            made = made_id
        where key = claim_key;
    end if;
    return true;
end;
$$;

comment on function mark_claim is 'closes every statement that writes: the act was done, and made this row';

create function ensure_whole(is_whole boolean) returns boolean
language plpgsql
immutable
as $$
begin
    if is_whole is distinct from true then
        raise exception 'a part of the change found no row' using errcode = 'check_violation', constraint = 'change_is_whole';
    end if;
    return true;
end;
$$;

comment on function ensure_whole is 'undoes a statement of which one part wrote and another found nothing to write';
