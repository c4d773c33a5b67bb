create table write_probes (
    id bigint generated always as identity,
    written_at timestamptz not null,
    constraint write_probes_pkey primary key (id)
);

comment on table write_probes is 'the last row that a server wrote to find out whether the database takes writes';
