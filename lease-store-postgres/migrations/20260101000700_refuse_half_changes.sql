create function refuse_half_a_change() returns boolean
language plpgsql
as $$
begin
    raise exception 'a part of the change found no row' using errcode = 'check_violation', constraint = 'change_is_whole';
end;
$$;

comment on function refuse_half_a_change is 'undoes a statement of which one part wrote and another found nothing to write';
