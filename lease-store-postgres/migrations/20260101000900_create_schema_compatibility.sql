create table schema_compatibility (
    id boolean default true,
    oldest_migration bigint not null,
    constraint schema_compatibility_pkey primary key (id),
    constraint schema_compatibility_one_row_check check (id)
);

insert into schema_compatibility (oldest_migration) values (20260101000900);

comment on table schema_compatibility is 'which servers can use the schema; the migration that takes away what older ones need raises it';
comment on column schema_compatibility.oldest_migration is 'a server that does not know this migration is too old';
