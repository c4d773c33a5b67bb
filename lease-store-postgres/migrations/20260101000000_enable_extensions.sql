-- These are trusted extensions: the owner of a database may enable them.
create extension if not exists btree_gist;
create extension if not exists pg_trgm;
