-- A token for each of the loaded users: their id, written as a token.
insert into tokens (hash, user_id, epoch, expires_at)
select sha256(convert_to(lpad(to_hex(id), 40, '0'), 'UTF8')), id, token_epoch, '2999-01-01'
from users;
