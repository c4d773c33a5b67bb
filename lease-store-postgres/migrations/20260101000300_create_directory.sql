create table leads (
    id bigint generated always as identity,
    version bigint not null default 1,
    first_name text not null,
    last_name text not null,
    email text not null,
    phone text not null,
    company text not null,
    source text not null,
    status text not null,
    customer_id bigint,
    notes text not null,
    created_at timestamptz not null,
    search_text text not null,
    constraint leads_pkey primary key (id),
    constraint leads_customer_id_fkey foreign key (customer_id) references customers (id),
    constraint leads_status_check check (status in ('new', 'contacted', 'qualified', 'converted', 'lost')),
    constraint leads_converted_check check ((status = 'converted') = (customer_id is not null)),
    constraint leads_version_check check (version > 0)
);

create index leads_status_idx on leads (status, id);
create index leads_customer_id_idx on leads (customer_id, id) where customer_id is not null;
create index leads_search_idx on leads using gin (search_text gin_trgm_ops);

comment on table leads is 'prospects';
comment on column leads.customer_id is 'the customer it became';
comment on column leads.search_text is 'what a search looks through, computed by lease-core';

create table contacts (
    id bigint generated always as identity,
    version bigint not null default 1,
    customer_id bigint,
    lead_id bigint,
    label text not null,
    name text not null,
    email text not null,
    phone text not null,
    address_line1 text not null,
    address_line2 text not null,
    city text not null,
    state text not null,
    postal_code text not null,
    country text not null,
    created_at timestamptz not null,
    constraint contacts_pkey primary key (id),
    constraint contacts_customer_id_fkey foreign key (customer_id) references customers (id),
    constraint contacts_lead_id_fkey foreign key (lead_id) references leads (id),
    constraint contacts_owner_check check (num_nonnulls(customer_id, lead_id) = 1),
    constraint contacts_version_check check (version > 0)
);

create index contacts_customer_id_idx on contacts (customer_id, id) where customer_id is not null;
create index contacts_lead_id_idx on contacts (lead_id, id) where lead_id is not null;

comment on table contacts is 'address-book entries of either a customer or a lead';
comment on column contacts.state is 'of the address: a state or province';
