-- A token for each of the loaded users: their id, written as a token.
insert into tokens (hash, user_id, name, epoch, created_at, expires_at)
select sha256(convert_to(lpad(to_hex(id), 40, '0'), 'UTF8')), id, 'bench', token_epoch, '2026-01-01', '2999-01-01'
from users;
