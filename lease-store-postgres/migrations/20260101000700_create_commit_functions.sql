-- Succeeds if the envelope of a commit is valid. Locks its claim, so that of two statements under one claim the second one waits.
-- Also locks the user who acts, so that they can be neither deactivated nor given another role until the statement ends (both
-- columns are in a unique key, so changing them conflicts with the lock; changing any other column does not).
create function begin_commit(envelope jsonb) returns boolean
language plpgsql
as $$
declare
    claim jsonb := nullif(envelope -> 'claim', 'null');
    actor jsonb := nullif(envelope -> 'actor', 'null');
begin
    if claim is not null then
        perform 1
        from idempotency_records
        where key = decode(claim ->> 'key', 'hex')
            and holder = decode(claim ->> 'holder', 'hex')
            and not has_effect
            and response is null
        for update;
        if not found then
            raise exception 'the claim is not held'
                using errcode = 'check_violation', constraint = 'idempotency_records_held';
        end if;
    end if;
    if actor is not null then
        perform 1
        from users u
        where u.id = (actor ->> 'user_id')::bigint
            and u.is_active
            and u.role = actor ->> 'role'
            and (select c.id from customers c where c.user_id = u.id) is not distinct from (actor ->> 'customer_id')::bigint
        for key share of u;
        if not found then
            raise exception 'the user may no longer act so'
                using errcode = 'check_violation', constraint = 'users_acting';
        end if;
    end if;
    return true;
end;
$$;

comment on function begin_commit is 'opens every statement that writes: refuses the whole of it where its envelope does not hold';

create function end_commit(envelope jsonb, made_id bigint) returns boolean
language plpgsql
as $$
begin
    if envelope #>> '{claim,key}' is not null then
        update idempotency_records
        set has_effect = true,
            made = made_id
        where key = decode(envelope #>> '{claim,key}', 'hex');
    end if;
    return true;
end;
$$;

comment on function end_commit is 'closes every statement that writes: the act was done, and made this row';

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
