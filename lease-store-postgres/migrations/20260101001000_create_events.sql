create index trade_parties_trade_idx on trade_parties (trade_id);

create table event_inbox (
    sequence bigint generated always as identity,
    at timestamptz not null,
    actor_kind text not null,
    actor_user_id bigint,
    actor_customer_id bigint,
    request_id text,
    events jsonb[] not null,
    joined_trade_id bigint,
    joined_customer_id bigint,
    constraint event_inbox_pkey primary key (sequence)
-- Rows come and go, so that it must be swept often, however large it once was. They do not stay long enough to be compressed.
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, toast_tuple_target = 8160);

comment on table event_inbox is 'the events of each commit, until they get their place in the order: place_events moves them';
comment on column event_inbox.sequence is 'not the order in which commits become visible';
comment on column event_inbox.events is 'in their order; place_events says which fields they have, of which any may be left out';
comment on column event_inbox.joined_customer_id is 'the customer whom the commit made a member of the trade joined_trade_id';

create table events (
    id bigint not null,
    event_type text collate "C" not null,
    subject_kind text collate "C" not null,
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
    readers bigint[] not null,
    constraint events_pkey primary key (id)
);

create index events_trade_idx on events (trade_id, id) where trade_id is not null;
-- The events of what hangs on a trade are found by the trade.
create index events_subject_idx on events (subject_kind, subject_id, id)
    where subject_kind not in ('trade', 'proposal', 'invoice', 'payment');
create index events_actor_idx on events (actor_user_id, id) where actor_user_id is not null;
create index events_type_idx on events (event_type, id);
create index events_occurred_at_idx on events using brin (occurred_at);

comment on table events is 'what happened, who did it, and what it changed; never changed, and in the order of the ids';
comment on column events.id is 'given by place_events: whoever has read up to an id finds no other at or below it later';
comment on column events.audience is 'who may see it, whom event_readers lists; members of the trade are added as they come';
comment on column events.readers is 'those of event_readers, but for members: by them its rows there are found again';

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
    cleared_id bigint not null,
    constraint event_log_pkey primary key (id),
    constraint event_log_one_row_check check (id),
    constraint event_log_cleared_check check (cleared_id between 0 and last_id)
);

insert into event_log (last_id, cleared_id) values (0, 0);

comment on table event_log is 'where the events begin and end; whoever gives ids or clears events holds the lock of the row';
comment on column event_log.last_id is 'the last id that was given to an event';
comment on column event_log.cleared_id is 'the last id that was cleared: there is no event at or below it';

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
    -- "offset 0" keeps the searches one for each trade, by its index, however many rows the planner expects.
    with taken as (
        delete from event_inbox
        where sequence <= (select max(sequence) from (select sequence from event_inbox order by sequence limit at_most) oldest)
        returning *
    ), happened as materialized (
        select
            last_given + row_number() over (order by t.sequence, written.place) as id,
            e.type, e.kind, e.subject, coalesce(e.at, t.at) as at,
            coalesce(e.actor_kind, t.actor_kind) as actor_kind,
            case when e.actor_kind is null then t.actor_user_id else e.actor_user_id end as actor_user_id,
            case when e.actor_kind is null then t.actor_customer_id else e.actor_customer_id end as actor_customer_id,
            t.request_id, e.trade, e.data, coalesce(e.changes, '{}') as changes, e.audience, coalesce(e.readers, '{}') as readers
        from taken t
        cross join lateral unnest(t.events) with ordinality as written (event, place)
        cross join lateral jsonb_to_record(written.event) as e (
            type text, kind text, subject bigint, at timestamptz, actor_kind text, actor_user_id bigint, actor_customer_id bigint,
            trade bigint, data jsonb, changes jsonb, audience text, readers bigint[]
        )
    ), moved as (
        insert into events (
            id, event_type, subject_kind, subject_id, occurred_at, actor_kind, actor_user_id, actor_customer_id, request_id,
            trade_id, data, changes, audience, readers
        )
        select
            id, type, kind, subject, at, actor_kind, actor_user_id, actor_customer_id, request_id,
            trade, data, changes, audience, readers
        from happened
    ), shown as (
        insert into event_readers (is_user, reader_id, event_id)
        select audience = 'user', unnest(readers), id from happened
        union all
        select false, party.customer_id, happened.id
        from happened
        cross join lateral (select customer_id from trade_parties where trade_id = happened.trade offset 0) party
        where audience = 'members'
        union all
        -- To a new member, the earlier events of the trade, except for those that were placed after they joined.
        select false, taken.joined_customer_id, earlier.id
        from taken
        cross join lateral (
            select id from events where trade_id = taken.joined_trade_id and audience = 'members' offset 0
        ) earlier
        where taken.joined_trade_id is not null and not exists (
            select from event_readers known
            where not known.is_user and known.reader_id = taken.joined_customer_id and known.event_id = earlier.id
        )
    )
    select (select count(*) from taken), (select count(*) from happened) into commits, placed;
    if placed > 0 then
        update event_log set last_id = last_given + placed;
    end if;
    return commits;
end;
$$;

comment on function place_events is 'gives ids to the events of the oldest commits, and shows them to their readers; returns how many commits';

create function clear_events(before timestamptz, at_most bigint) returns bigint
language plpgsql
as $$
declare
    last_cleared bigint;
    cleared bigint;
    newest bigint;
begin
    -- As in place_events: the next statement sees all events that have ids, and their readers.
    select cleared_id into last_cleared from event_log for update;
    with oldest as materialized (
        select first.id, bool_and(first.occurred_at < before) over (order by first.id) as is_past
        from (select id, occurred_at from events where id > last_cleared order by id limit at_most) first
    ), gone as materialized (
        delete from events
        where id in (select id from oldest where is_past)
        returning id, audience, readers, trade_id
    ), hidden as (
        delete from event_readers shown
        using (
            select audience = 'user' as is_user, unnest(readers) as reader_id, id from gone
            union all
            select false, party.customer_id, gone.id
            from gone
            join trade_parties party on party.trade_id = gone.trade_id
            where gone.audience = 'members'
        ) reader
        where shown.is_user = reader.is_user and shown.reader_id = reader.reader_id and shown.event_id = reader.id
    )
    select count(*), max(id) into cleared, newest from gone;
    if cleared > 0 then
        update event_log set cleared_id = newest;
    end if;
    return cleared;
end;
$$;

comment on function clear_events is 'deletes the oldest events, up to the first that happened at that instant or later; returns how many';
