create table vehicles (
    id bigint generated always as identity,
    version bigint not null default 1,
    customer_id bigint not null,
    vin text collate "C",
    chassis_number text collate "C",
    make text not null,
    model text not null,
    year integer not null,
    color text not null,
    mileage bigint,
    license_plate text not null,
    description text not null,
    created_at timestamptz not null,
    external_id text collate "C",
    metadata jsonb not null default '{}',
    make_key text collate "C" not null,
    model_key text collate "C" not null,
    search_text text not null,
    constraint vehicles_pkey primary key (id),
    constraint vehicles_vin_key unique (vin),
    constraint vehicles_chassis_number_key unique (chassis_number),
    constraint vehicles_owner_key unique (id, customer_id),
    constraint vehicles_customer_id_fkey foreign key (customer_id) references customers (id),
    constraint vehicles_vin_check check (vin ~ '^[0-9A-HJ-NPR-Z]{17}$'),
    constraint vehicles_chassis_number_check check (chassis_number ~ '^[0-9A-Z-]{5,20}$'),
    constraint vehicles_identity_check check (num_nonnulls(vin, chassis_number) <= 1),
    constraint vehicles_mileage_check check (mileage >= 0),
    constraint vehicles_metadata_check check (jsonb_typeof(metadata) = 'object'),
    constraint vehicles_version_check check (version > 0)
) with (fillfactor = 85);

create unique index vehicles_external_id_key on vehicles (external_id) where external_id is not null;
create index vehicles_customer_id_idx on vehicles (customer_id, id);
create index vehicles_make_idx on vehicles (make_key, id);
create index vehicles_model_idx on vehicles (model_key, id);
create index vehicles_year_idx on vehicles (year, id);
create index vehicles_search_idx on vehicles using gin (search_text gin_trgm_ops);

comment on table vehicles is 'what is offered';
comment on column vehicles.external_id is 'what another system calls it';
comment on column vehicles.metadata is 'what the company keeps with it, for no rule';
comment on column vehicles.chassis_number is 'of a vehicle without a VIN; one from an import may have neither until it is offered';
comment on column vehicles.version is 'goes up with each change, with a trade opened and with a change of hands';
comment on column vehicles.make_key is 'the make as it is compared, computed by lease-core';
comment on column vehicles.model_key is 'the model as it is compared, computed by lease-core';
comment on column vehicles.search_text is 'what a search looks through, computed by lease-core';

create table services (
    id bigint generated always as identity,
    version bigint not null default 1,
    name text not null,
    kind text not null,
    invoice_on text not null,
    bill_to text not null,
    fee_amount numeric(16, 4) not null,
    fee_currency text not null,
    payment_due_days integer not null,
    description text not null,
    is_active boolean not null,
    is_used boolean not null,
    constraint services_pkey primary key (id),
    constraint services_id_kind_key unique (id, kind),
    constraint services_kind_check check (kind in ('lease', 'sell', 'custom')),
    constraint services_invoice_on_check check (
        invoice_on in ('first_proposal', 'acceptance')
        and (kind <> 'lease' or invoice_on = 'first_proposal')
        and (kind <> 'sell' or invoice_on = 'acceptance')
    ),
    constraint services_bill_to_check check (
        bill_to = 'owner'
        or (bill_to = 'counterparty' and invoice_on = 'acceptance')
    ),
    constraint services_fee_check check (fee_amount >= 0),
    constraint services_fee_currency_check check (fee_currency ~ '^[A-Z]{3}$'),
    constraint services_payment_due_days_check check (payment_due_days between 0 and 365),
    constraint services_version_check check (version > 0)
);

create index services_kind_idx on services (kind, id);
create index services_active_idx on services (is_active, id);

comment on table services is 'what the company sells, and the rules by which it bills it';
comment on column services.is_used is 'whether a trade was ever opened under it';

create function seed_is_due() returns boolean
language plpgsql
as $$
begin
    -- If several servers start at once, the second one waits here and then sees what the first one created.
    perform pg_advisory_xact_lock(hashtextextended('lease.seed_services', 0));
    return not exists (select from services);
end;
$$;

comment on function seed_is_due is 'whether there is no service at all; to be asked by one transaction at a time';
