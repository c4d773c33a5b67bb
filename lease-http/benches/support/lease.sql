-- A token for each of the loaded users: their id, written as a token.
insert into tokens (hash, user_id, name, epoch, created_at, expires_at)
select sha256(convert_to(lpad(to_hex(id), 40, '0'), 'UTF8')), id, 'bench', token_epoch, '2026-01-01', '2999-01-01'
from users;

-- What time has brought is on record, so that no round pays for recording it.
update proposals set status = 'expired', decided_at = expires_at where status = 'pending' and expires_at <= now();
update invoices set overdue_at = due_date + 1 where status = 'open' and due_date < current_date;
