create index trade_parties_trade_idx on trade_parties (trade_id);

create table event_inbox (
    sequence bigint generated always as identity,
    at timestamptz not null,
    actor_kind text not null,
    actor_user_id bigint,
    actor_customer_id bigint,
    request_id text,
    events jsonb not null,
    ids jsonb,
    joined_trade_id bigint,
    joined_customer_id bigint,
    constraint event_inbox_pkey primary key (sequence)
-- Rows come and go, so that it must be swept often, however large it once was. They do not stay long enough to be compressed.
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, toast_tuple_target = 8160);

comment on table event_inbox is 'the events of each commit, until they get their place in the order: place_events moves them';
comment on column event_inbox.sequence is 'not the order in which commits become visible';
comment on column event_inbox.events is 'in their order; where an id is a name, it is that of a row in ids';
comment on column event_inbox.ids is 'the ids of the rows that the commit made, by the names that events use';
comment on column event_inbox.joined_customer_id is 'the customer whom the commit made a member of the trade joined_trade_id';

create table events (
    id bigint not null,
    event_type text not null,
    subject_kind text not null,
    subject_id bigint,
    occurred_at timestamptz not null,
    actor_kind text not null,
    actor_user_id bigint,
    actor_customer_id bigint,
    request_id text,
    trade_id bigint,
    data jsonb not null,
    changes jsonb not null,
    audience text not null,
    constraint events_pkey primary key (id)
);

create index events_trade_idx on events (trade_id, id) where trade_id is not null;
create index events_subject_idx on events (subject_kind, subject_id, id);
create index events_actor_idx on events (actor_user_id, id) where actor_user_id is not null;
create index events_type_idx on events (event_type, id);
create index events_occurred_at_idx on events (occurred_at);

comment on table events is 'what happened, who did it, and what it changed; never changed, and in the order of the ids';
comment on column events.id is 'given by place_events: whoever has read up to an id finds no other at or below it later';
comment on column events.audience is 'who may see it, whom event_readers lists; members of the trade are added as they come';

create table event_readers (
    reader_id bigint not null,
    event_id bigint not null,
    is_user boolean not null,
    constraint event_readers_pkey primary key (is_user, reader_id, event_id)
);

comment on table event_readers is 'who may see which event: a user where is_user, else a customer';

create table event_log (
    id boolean default true,
    last_id bigint not null,
    constraint event_log_pkey primary key (id),
    constraint event_log_one_row_check check (id)
);

insert into event_log (last_id) values (0);

comment on table event_log is 'the last id that was given to an event; whoever gives ids holds the lock of the row';

create table event_consumers (
    name text not null,
    last_event_id bigint not null,
    constraint event_consumers_pkey primary key (name)
);

comment on table event_consumers is 'the event up to which each consumer of an app has done all, so that it goes on from there';

create function rfc3339(at timestamptz) returns text
language sql
stable
as $$
    select to_char(at at time zone 'UTC', case
        when extract(microseconds from at)::integer % 1000000 = 0 then 'YYYY-MM-DD"T"HH24:MI:SS"Z"'
        when extract(microseconds from at)::integer % 1000 = 0 then 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'
        else 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
    end);
$$;

comment on function rfc3339 is 'an instant as the API writes it';

create function event_id(reference jsonb, ids jsonb) returns bigint
language sql
immutable
as $$
    select case jsonb_typeof(reference)
        when 'number' then reference::bigint
        when 'string' then (ids -> (reference #>> '{}'))::bigint
    end;
$$;

comment on function event_id is 'an id in an event: a number, or the name of one of the ids';

create function place_events(at_most bigint) returns bigint
language plpgsql
as $$
declare
    last_given bigint;
    commits bigint;
    placed bigint;
begin
    -- One at a time. The next statement sees what was committed until the lock was given, so it sees all that was placed before,
    -- and the members of each trade as they are then.
    select last_id into last_given from event_log for update;
    with taken as (
        delete from event_inbox
        where sequence in (select sequence from event_inbox order by sequence limit at_most)
        returning *
    ), happened as materialized (
        select
            last_given + row_number() over (order by t.sequence, e.place) as id,
            e.event ->> 'type' as event_type,
            e.event ->> 'kind' as subject_kind,
            event_id(e.event -> 'subject', t.ids) as subject_id,
            coalesce((e.event ->> 'at')::timestamptz, t.at) as occurred_at,
            coalesce(e.event #>> '{actor,0}', t.actor_kind) as actor_kind,
            case when e.event ? 'actor' then (e.event #>> '{actor,1}')::bigint else t.actor_user_id end as actor_user_id,
            case when e.event ? 'actor' then (e.event #>> '{actor,2}')::bigint else t.actor_customer_id end as actor_customer_id,
            t.request_id,
            event_id(e.event -> 'trade', t.ids) as trade_id,
            (e.event -> 'data') || coalesce(
                (select jsonb_object_agg(new.key, t.ids -> new.value) from jsonb_each_text(e.event -> 'new') new), '{}'
            ) as data,
            coalesce(e.event -> 'changes', '{}') || coalesce(
                (
                    select jsonb_object_agg(new.key, jsonb_build_object('from', null, 'to', t.ids -> new.value))
                    from jsonb_each_text(e.event -> 'changed') new
                ), '{}'
            ) as changes,
            e.event ->> 'audience' as audience,
            array(select event_id(reader, t.ids) from jsonb_array_elements(e.event -> 'readers') reader) as readers
        from taken t
        cross join lateral jsonb_array_elements(t.events) with ordinality as e (event, place)
    ), moved as (
        insert into events (
            id, event_type, subject_kind, subject_id, occurred_at, actor_kind, actor_user_id, actor_customer_id, request_id,
            trade_id, data, changes, audience
        )
        select
            id, event_type, subject_kind, subject_id, occurred_at, actor_kind, actor_user_id, actor_customer_id, request_id,
            trade_id, data, changes, audience
        from happened
        order by id
    ), shown as (
        insert into event_readers (is_user, reader_id, event_id)
        select audience = 'user', unnest(readers), id from happened
        union
        select false, party.customer_id, happened.id
        from happened
        join trade_parties party on party.trade_id = happened.trade_id
        where happened.audience = 'members'
        union
        -- To a new member, the earlier events of the trade, which "offset 0" finds trade by trade.
        select false, taken.joined_customer_id, earlier.id
        from taken
        cross join lateral (
            select id from events where trade_id = taken.joined_trade_id and audience = 'members' offset 0
        ) earlier
        where taken.joined_trade_id is not null
        on conflict do nothing
    )
    select (select count(*) from taken), (select count(*) from happened) into commits, placed;
    if placed > 0 then
        update event_log set last_id = last_given + placed;
    end if;
    return commits;
end;
$$;

comment on function place_events is 'gives ids to the events of the oldest commits, and shows them to their readers; returns how many commits';
