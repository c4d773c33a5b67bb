create table users (
    id bigint generated always as identity,
    version bigint not null default 1,
    username text not null,
    email text,
    first_name text not null,
    last_name text not null,
    password_hash text not null,
    is_active boolean not null,
    role text not null,
    date_joined timestamptz not null,
    last_login timestamptz,
    token_epoch bigint not null,
    email_verified_at timestamptz,
    links jsonb not null,
    proposal_notices boolean not null,
    invoice_notices boolean not null,
    payment_notices boolean not null,
    external_id text collate "C",
    metadata jsonb not null default '{}',
    search_text text not null,
    constraint users_pkey primary key (id),
    constraint users_id_role_key unique (id, role),
    constraint users_id_is_active_key unique (id, is_active),
    constraint users_role_check check (role in ('customer', 'staff', 'superuser')),
    constraint users_links_check check (jsonb_typeof(links) = 'array'),
    constraint users_metadata_check check (jsonb_typeof(metadata) = 'object'),
    constraint users_version_check check (version > 0)
) with (fillfactor = 85);

create unique index users_external_id_key on users (external_id) where external_id is not null;
create index users_inactive_idx on users (id) where not is_active;
create index users_administrative_idx on users (role, id) where role <> 'customer';
create index users_search_idx on users using gin (search_text gin_trgm_ops);

comment on table users is 'logins';
comment on column users.external_id is 'what another system calls it';
comment on column users.metadata is 'what the company keeps with it, for no rule';
comment on column users.version is 'goes up with each change, logins excepted';
comment on column users.token_epoch is 'only tokens of this epoch are good';
comment on column users.email_verified_at is 'when they showed that the present address is theirs';
comment on column users.links is 'those that were mailed and may still be used, with the hashes of their tokens, which themselves are stored nowhere';
comment on column users.proposal_notices is 'whether they want mail about proposals; so with the others';
comment on column users.search_text is 'what a search looks through, computed by lease-core';

create function first_superuser_is_due() returns boolean
language plpgsql
as $$
begin
    -- If several servers start at once, the second one waits here and then sees what the first one created.
    perform pg_advisory_xact_lock(hashtextextended('lease.first_superuser', 0));
    return not exists (select from users where role = 'superuser' and is_active);
end;
$$;

comment on function first_superuser_is_due is 'whether no active user is a superuser; to be asked by one transaction at a time';

create table login_names (
    name text collate "C" not null,
    user_id bigint not null,
    constraint login_names_pkey primary key (name),
    constraint login_names_user_id_fkey foreign key (user_id) references users (id) on delete cascade
);

create index login_names_user_id_idx on login_names (user_id);

comment on table login_names is 'the distinct names that log a user in: user name and e-mail address share one name space';
comment on column login_names.name is 'a comparison key, computed by lease-core';

create table customers (
    id bigint generated always as identity,
    version bigint not null default 1,
    user_id bigint not null,
    user_role text not null default 'customer',
    is_active boolean not null default true,
    job text not null,
    dob date,
    notes text not null,
    created_at timestamptz not null,
    external_id text collate "C",
    metadata jsonb not null default '{}',
    constraint customers_pkey primary key (id),
    constraint customers_user_id_key unique (user_id),
    constraint customers_user_role_check check (user_role = 'customer'),
    constraint customers_user_fkey foreign key (user_id, user_role) references users (id, role),
    constraint customers_is_active_fkey foreign key (user_id, is_active) references users (id, is_active) on update cascade,
    constraint customers_metadata_check check (jsonb_typeof(metadata) = 'object'),
    constraint customers_version_check check (version > 0)
) with (fillfactor = 85);

create unique index customers_external_id_key on customers (external_id) where external_id is not null;

comment on table customers is 'the trading parties behind users that do not administer';
comment on column customers.external_id is 'what another system calls it';
comment on column customers.metadata is 'what the company keeps with it, for no rule';
comment on column customers.version is 'goes up with each change of the profile or of the cards';
comment on column customers.is_active is 'repeated from the user, so that lists need not look there; the foreign key keeps it right';
comment on column customers.user_role is 'always customer: with the foreign key it keeps administrative users from having one';

create table tokens (
    id bigint generated always as identity,
    user_id bigint not null,
    hash bytea not null,
    name text not null,
    epoch bigint not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    constraint tokens_pkey primary key (id),
    constraint tokens_hash_key unique (hash),
    constraint tokens_hash_check check (octet_length(hash) = 32),
    constraint tokens_user_id_fkey foreign key (user_id) references users (id) on delete cascade
);

create index tokens_user_epoch_idx on tokens (user_id, epoch, id);
create index tokens_expires_at_idx on tokens (expires_at);

comment on table tokens is 'who may come in';
comment on column tokens.hash is 'the SHA-256 of the token, which itself is stored nowhere';
comment on column tokens.name is 'what the user calls it';
comment on column tokens.epoch is 'good only while it is the user''s';

create table credit_cards (
    id bigint generated always as identity,
    customer_id bigint not null,
    brand text not null,
    last4 text not null,
    exp_month integer not null,
    exp_year integer not null,
    holder_name text not null,
    is_default boolean not null,
    gateway_token text not null,
    created_at timestamptz not null,
    deleted_at timestamptz,
    constraint credit_cards_pkey primary key (id),
    constraint credit_cards_customer_id_fkey foreign key (customer_id) references customers (id),
    constraint credit_cards_customer_id_id_key unique (customer_id, id),
    -- Deferrable, so that one statement can move the default from one card to another.
    constraint credit_cards_one_default exclude using btree (customer_id with =) where (is_default)
        deferrable initially immediate,
    constraint credit_cards_last4_check check (last4 ~ '^[0-9]{4}$'),
    constraint credit_cards_exp_month_check check (exp_month between 1 and 12),
    constraint credit_cards_deleted_check check (deleted_at is null or not is_default)
);

comment on table credit_cards is 'stored means of payment: what may be shown of a card, never its number';
comment on column credit_cards.gateway_token is 'what the payment gateway knows the card by';
comment on column credit_cards.deleted_at is 'gone from lists, kept for its payments';

create table card_refusals (
    id bigint generated always as identity,
    customer_id bigint not null,
    refused_at timestamptz not null,
    constraint card_refusals_pkey primary key (id),
    constraint card_refusals_customer_id_fkey foreign key (customer_id) references customers (id) on delete cascade
);

create index card_refusals_customer_idx on card_refusals (customer_id, refused_at);
create index card_refusals_refused_at_idx on card_refusals (refused_at);

comment on table card_refusals is 'when the gateway refused a new card of a customer, kept as long as it counts as a decline';
