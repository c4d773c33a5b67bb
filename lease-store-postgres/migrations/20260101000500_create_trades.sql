create table trades (
    id bigint generated always as identity,
    version bigint not null default 1,
    vehicle_id bigint not null,
    vehicle_make text collate "C" not null,
    vehicle_model text collate "C" not null,
    vehicle_year integer not null,
    offered_vin text collate "C",
    offered_chassis_number text collate "C",
    offered_make text not null,
    offered_model text not null,
    offered_color text not null,
    offered_mileage bigint,
    offered_license_plate text not null,
    offered_description text not null,
    service_id bigint not null,
    service_kind text not null,
    customer_id bigint not null,
    title text not null,
    description text not null,
    status text not null,
    counterparty_id bigint,
    accepted_proposal_id bigint,
    stage text generated always as (
        case
            when status in ('agreed', 'completed') then 'agreed'
            when status = 'open' then 'open'
            when accepted_proposal_id is not null then 'rescinded'
        end
    ) stored,
    may_owe boolean generated always as (case when status <> 'completed' then true end) stored,
    may_owe_nothing boolean generated always as (case when status <> 'agreed' then true end) stored,
    live_owner_id bigint generated always as (case when status in ('open', 'agreed') then customer_id end) stored,
    agreed_from date,
    agreed_until date,
    agreed_start date generated always as (
        case when accepted_proposal_id is not null then coalesce(agreed_from, 'infinity') end
    ) stored,
    created_at timestamptz not null,
    agreed_at timestamptz,
    completed_at timestamptz,
    cancelled_at timestamptz,
    cancel_reason text,
    external_id text collate "C",
    metadata jsonb not null default '{}',
    search_text text not null,
    constraint trades_pkey primary key (id),
    constraint trades_customer_id_id_key unique (customer_id, id),
    constraint trades_stage_key unique (id, stage),
    constraint trades_may_owe_key unique (id, may_owe),
    constraint trades_may_owe_nothing_key unique (id, may_owe_nothing),
    constraint trades_customer_id_fkey foreign key (customer_id) references customers (id),
    constraint trades_counterparty_id_fkey foreign key (counterparty_id) references customers (id),
    constraint trades_vehicle_fkey foreign key (vehicle_id) references vehicles (id),
    constraint trades_live_owner_fkey foreign key (vehicle_id, live_owner_id) references vehicles (id, customer_id),
    constraint trades_service_fkey foreign key (service_id, service_kind) references services (id, kind),
    constraint trades_status_check check (status in ('open', 'agreed', 'completed', 'cancelled')),
    constraint trades_agreement_check check (
        num_nonnulls(counterparty_id, accepted_proposal_id, agreed_at) in (0, 3)
        and (status <> 'open' or agreed_at is null)
        and (status not in ('agreed', 'completed') or agreed_at is not null)
    ),
    constraint trades_counterparty_check check (counterparty_id <> customer_id),
    constraint trades_completed_check check ((status = 'completed') = (completed_at is not null)),
    constraint trades_cancelled_check check (
        (status = 'cancelled') = (cancelled_at is not null)
        and (status = 'cancelled') = (cancel_reason is not null)
    ),
    constraint trades_agreed_period_check check (
        (agreed_from is null) = (agreed_until is null)
        and (agreed_from is null or status in ('agreed', 'completed'))
        and agreed_from <= agreed_until
    ),
    constraint trades_agreed_periods_excl exclude using gist (
        vehicle_id with =,
        daterange(agreed_from, agreed_until, '[)') with &&
    ) where (agreed_from is not null),
    constraint trades_metadata_check check (jsonb_typeof(metadata) = 'object'),
    constraint trades_version_check check (version > 0)
) with (fillfactor = 80);

create unique index trades_external_id_key on trades (external_id) where external_id is not null;
create unique index trades_live_vehicle_key on trades (vehicle_id) where status in ('open', 'agreed');
create index trades_weekly_totals_idx on trades using brin (created_at) with (autosummarize = on);
create index trades_open_vehicle_idx on trades (vehicle_id) where status = 'open';
-- The trades on offer, in the order of the trades and in that of the vehicles.
create index trades_open_make_idx on trades (vehicle_make, id) where status = 'open';
create index trades_open_model_idx on trades (vehicle_model, id) where status = 'open';
create index trades_open_vehicle_make_idx on trades (vehicle_make, vehicle_id) where status = 'open';
create index trades_open_vehicle_model_idx on trades (vehicle_model, vehicle_id) where status = 'open';
create index trades_status_idx on trades (status, id);
create index trades_service_idx on trades (service_id, id);
create index trades_kind_idx on trades (service_kind, id);
create index trades_vehicle_idx on trades (vehicle_id, id);
create index trades_counterparty_idx on trades (counterparty_id, id) where counterparty_id is not null;
create index trades_make_idx on trades (vehicle_make, id);
create index trades_model_idx on trades (vehicle_model, id);
create index trades_year_idx on trades (vehicle_year, id);
create index trades_mileage_idx on trades (offered_mileage, id);
create index trades_search_idx on trades using gin (search_text gin_trgm_ops);

comment on table trades is 'a vehicle offered under a service';
comment on column trades.external_id is 'what another system calls it';
comment on column trades.metadata is 'what the company keeps with it, for no rule';
comment on column trades.version is 'goes up with each change of the trade, of what it offers or of what hangs on it: proposals, invoice, payments';
comment on column trades.vehicle_make is 'make_key of what is offered; as the offered columns';
comment on column trades.vehicle_model is 'model_key of what is offered; as the offered columns';
comment on column trades.vehicle_year is 'as the offered columns';
comment on column trades.offered_make is 'as all offered columns: the vehicle''s, which a live trade repeats as they are, and an earlier one as they were';
comment on column trades.service_kind is 'repeated from the service, which fixes it once it is used';
comment on column trades.customer_id is 'the owner of the vehicle when the trade was opened';
comment on column trades.stage is 'what the state of a proposal can demand: that it is open, agreed, or cancelled after it was agreed';
comment on column trades.may_owe is 'whether its invoice may be open: not once it is completed';
comment on column trades.may_owe_nothing is 'whether its invoice may be paid or void: while it is agreed, it is neither';
comment on column trades.live_owner_id is 'whose its vehicle must be: its owner''s, while it is live';
comment on column trades.accepted_proposal_id is 'the accepted proposal, which is rescinded once the trade is cancelled';
comment on column trades.agreed_start is 'agreed_from as the accepted proposal must have it, which may have none';
comment on column trades.agreed_from is 'the first of the agreed days, where there are any';
comment on column trades.agreed_until is 'the day after the last; if they were ended on the first, the same day';
comment on column trades.search_text is 'what a search looks through, computed by lease-core';

create table proposals (
    id bigint generated always as identity,
    trade_id bigint not null,
    trade_owner_id bigint not null,
    customer_id bigint not null,
    amount numeric(16, 4) not null,
    currency text not null,
    start_date date,
    end_date date,
    agreed_start date generated always as (
        case when status = 'rescinded' then 'infinity' else coalesce(start_date, 'infinity') end
    ) stored,
    message text not null,
    status text not null,
    stage text generated always as (
        case status when 'pending' then 'open' when 'accepted' then 'agreed' when 'rescinded' then 'rescinded' end
    ) stored,
    expires_at timestamptz,
    created_at timestamptz not null,
    decided_at timestamptz,
    is_public boolean not null,
    constraint proposals_pkey primary key (id),
    constraint proposals_trade_id_id_key unique (trade_id, id),
    constraint proposals_agreed_key unique (trade_id, id, stage, agreed_start),
    constraint proposals_trade_fkey foreign key (trade_owner_id, trade_id) references trades (customer_id, id),
    constraint proposals_stage_fkey foreign key (trade_id, stage) references trades (id, stage),
    constraint proposals_customer_id_fkey foreign key (customer_id) references customers (id),
    -- Deferrable, so that one statement can replace a proposal by the next one of its author.
    constraint proposals_one_pending exclude using btree (trade_id with =, customer_id with =) where (status = 'pending')
        deferrable initially immediate,
    constraint proposals_amount_check check (amount > 0),
    constraint proposals_currency_check check (currency ~ '^[A-Z]{3}$'),
    constraint proposals_period_check check (
        (start_date is null) = (end_date is null)
        and start_date < end_date
    ),
    constraint proposals_status_check check (
        status in ('pending', 'accepted', 'rejected', 'withdrawn', 'superseded', 'closed', 'expired', 'rescinded')
    ),
    constraint proposals_decided_check check ((status = 'pending') = (decided_at is null)),
    constraint proposals_public_check check (not is_public or customer_id = trade_owner_id)
) with (fillfactor = 85);

create unique index proposals_accepted_key on proposals (trade_id) where status in ('accepted', 'rescinded');
create index proposals_author_idx on proposals (customer_id, id);
create index proposals_made_idx on proposals (trade_id, customer_id, id);
create index proposals_trade_owner_idx on proposals (trade_owner_id, id);
create index proposals_public_idx on proposals (id) where is_public;
create index proposals_public_status_idx on proposals (status, id) where is_public;
create index proposals_public_trade_idx on proposals (trade_id) where is_public;
-- What is asked for the trades on offer: an owner's pending proposals.
create index proposals_asking_idx on proposals (currency, amount, trade_id) where is_public and status = 'pending';
create index proposals_status_idx on proposals (status, id);
-- This index has all rows, since only then does Postgres keep statistics on how many proposals have expired.
create index proposals_end_idx on proposals ((case when status = 'pending' then coalesce(expires_at, 'infinity') end), id);

comment on table proposals is 'terms offered in a trade; only how far a proposal is ever changes';
comment on column proposals.trade_owner_id is 'repeated from the trade, so that an index can serve "all in my trades"; the foreign key keeps it right';
comment on column proposals.status is 'as stored: a pending one reads expired from expires_at on';
comment on column proposals.stage is 'what its trade must be at: open where it is pending, agreed where it is accepted, cancelled after that where it is rescinded';
comment on column proposals.agreed_start is 'the first of the agreed days, which a rescinded one no longer has; infinity where there are none';
comment on column proposals.is_public is 'made by the owner of a trade that is open: every customer may see it';

alter table trades
    add constraint trades_accepted_proposal_fkey foreign key (id, accepted_proposal_id, stage, agreed_start)
        references proposals (trade_id, id, stage, agreed_start);

create table trade_parties (
    customer_id bigint not null,
    trade_id bigint not null,
    constraint trade_parties_pkey primary key (customer_id, trade_id),
    constraint trade_parties_customer_id_fkey foreign key (customer_id) references customers (id),
    constraint trade_parties_trade_id_fkey foreign key (trade_id) references trades (id)
);

comment on table trade_parties is 'who has to do with a trade and so always sees it: its owner, who proposed in it, its counterparty';

create table vehicle_parties (
    customer_id bigint not null,
    vehicle_id bigint not null,
    constraint vehicle_parties_pkey primary key (customer_id, vehicle_id),
    constraint vehicle_parties_customer_id_fkey foreign key (customer_id) references customers (id),
    constraint vehicle_parties_vehicle_id_fkey foreign key (vehicle_id) references vehicles (id)
);

-- A vehicle that has never been traded can be deleted.
create index vehicle_parties_vehicle_id_idx on vehicle_parties (vehicle_id);

comment on table vehicle_parties is 'who is a party of a trade of a vehicle of which its owner is a party too, and so sees it';
