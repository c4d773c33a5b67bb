create table webhook_endpoints (
    id bigint generated always as identity,
    version bigint not null default 1,
    url text not null,
    description text not null,
    event_types text[] not null,
    is_active boolean not null,
    disabled_reason text,
    secret text not null,
    previous_secrets text[] not null,
    previous_until timestamptz[] not null,
    created_at timestamptz not null,
    constraint webhook_endpoints_pkey primary key (id),
    constraint webhook_endpoints_disabled_check check (
        disabled_reason is null
        or (disabled_reason in ('gone', 'failing') and not is_active)
    ),
    constraint webhook_endpoints_previous_check check (cardinality(previous_secrets) = cardinality(previous_until)),
    constraint webhook_endpoints_version_check check (version > 0)
);

-- Lists, and the endpoints for which deliveries are queued and claimed.
create index webhook_endpoints_active_idx on webhook_endpoints (is_active, id);

comment on table webhook_endpoints is 'addresses of other systems that are told of events';
comment on column webhook_endpoints.event_types is 'the events that it is told of, such as trade.opened or trade.*; all if there is none';
comment on column webhook_endpoints.disabled_reason is 'why it was switched off by itself';
comment on column webhook_endpoints.secret is 'signs what is sent; it is stored nowhere else';
comment on column webhook_endpoints.previous_secrets is 'those before the last rotations, each of which signs too until its previous_until';

create table webhook_positions (
    endpoint_id bigint not null,
    last_event_id bigint not null,
    failing_since timestamptz,
    constraint webhook_positions_pkey primary key (endpoint_id),
    constraint webhook_positions_endpoint_id_fkey foreign key (endpoint_id) references webhook_endpoints (id) on delete cascade
) with (fillfactor = 50);

comment on table webhook_positions is 'how far each endpoint has come; apart from the endpoints, whose versions it does not move';
comment on column webhook_positions.last_event_id is 'the last event up to which deliveries were queued';
comment on column webhook_positions.failing_since is 'the first of the tries that have failed since one succeeded';

create table webhook_deliveries (
    id bigint generated always as identity,
    endpoint_id bigint not null,
    event_id bigint,
    event_type text collate "C",
    status text not null,
    next_attempt_at timestamptz,
    held_until timestamptz,
    tries integer not null,
    attempts json[] not null,
    created_at timestamptz not null,
    constraint webhook_deliveries_pkey primary key (id),
    constraint webhook_deliveries_endpoint_id_fkey foreign key (endpoint_id) references webhook_endpoints (id) on delete cascade,
    constraint webhook_deliveries_event_check check ((event_id is null) = (event_type is null)),
    constraint webhook_deliveries_status_check check (status in ('pending', 'succeeded', 'failed')),
    constraint webhook_deliveries_pending_check check ((status = 'pending') = (next_attempt_at is not null)),
    constraint webhook_deliveries_held_check check (held_until is null or status = 'pending'),
    constraint webhook_deliveries_tries_check check (tries >= 0)
) with (fillfactor = 85);

-- Lists.
create index webhook_deliveries_endpoint_idx on webhook_deliveries (endpoint_id, id);
create index webhook_deliveries_status_idx on webhook_deliveries (endpoint_id, status, id);
-- What is tried next. Few rows are held at the same time, so these are not kept apart, and claiming one changes no index.
create index webhook_deliveries_pending_idx on webhook_deliveries (endpoint_id, next_attempt_at, id) where status = 'pending';
-- The first event that is still needed.
create index webhook_deliveries_needed_idx on webhook_deliveries (endpoint_id, event_id) where status = 'pending';
-- What is old enough to be purged.
create index webhook_deliveries_created_at_idx on webhook_deliveries (created_at);

comment on table webhook_deliveries is 'what endpoints are to be told, and how that went';
comment on column webhook_deliveries.event_id is 'none for a test; the event may have been cleared';
comment on column webhook_deliveries.held_until is 'until when a server has claimed it';
comment on column webhook_deliveries.tries is 'since it was last queued';
comment on column webhook_deliveries.attempts is 'the last tries, oldest first; not jsonb, which refuses NUL in an answer';
