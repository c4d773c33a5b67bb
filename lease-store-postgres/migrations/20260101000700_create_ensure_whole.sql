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
