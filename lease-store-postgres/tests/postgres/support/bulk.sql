-- Enough rows in addition to those of world.sql that a plan can tell one index from another.
insert into users (
    username, email, first_name, last_name, password_hash, is_active, role, date_joined, token_epoch, links, proposal_notices,
    invoice_notices, payment_notices, search_text
)
select
    'user' || n, 'user' || n || '@example.com', '', '', 'hash', n % 20 <> 0, 'customer', '2026-01-01', 0, '[]', true, true, true,
    ' user' || n
from generate_series(1, 2000) as n;

insert into customers (user_id, is_active, job, notes, created_at)
select id, is_active, '', '', '2026-01-01'
from users
where username like 'user%';

insert into tokens (hash, user_id, name, epoch, created_at, expires_at)
select sha256(id::text::bytea), id, '', 0, '2026-01-01', '2027-01-01'
from users;

insert into login_names (name, user_id)
select username, id
from users
where username like 'user%';

insert into credit_cards (customer_id, brand, last4, exp_month, exp_year, holder_name, is_default, gateway_token, created_at)
select id, 'visa', '4242', 1, 2030, '', true, 'token', '2026-01-01'
from customers
where id > 2;

insert into leads (first_name, last_name, email, phone, company, source, status, customer_id, notes, created_at, search_text)
select
    'lead' || n, '', '', '', '', '', case n % 20 when 0 then 'converted' when 1 then 'lost' else 'new' end,
    case n % 20 when 0 then 2 + n end, '', '2026-01-01', ' lead' || n
from generate_series(1, 2000) as n;

insert into contacts (
    customer_id, lead_id, label, name, email, phone, address_line1, address_line2, city, state, postal_code, country, created_at
)
select
    case n % 2 when 0 then 2 + n end, case n % 2 when 1 then n end, '', '', '', '1', '', '', '', '', '', '', '2026-01-01'
from generate_series(1, 2000) as n;

insert into vehicles (
    customer_id, vin, make, model, year, color, license_plate, description, created_at, make_key, model_key, search_text
)
select 2 + n % 500, lpad(n::text, 17, '0'), '', '', 1900 + n % 100, '', '', '', '2026-01-01', 'make' || n % 100, 'model' || n % 100,
    ' vehicle' || n
from generate_series(1, 2000) as n;

insert into services (
    name, kind, invoice_on, bill_to, fee_amount, fee_currency, payment_due_days, description, is_active, is_used
)
select '', case n % 50 when 0 then 'custom' else 'lease' end, 'first_proposal', 'owner', 50, 'USD', 14, '', n % 50 <> 1, true
from generate_series(1, 2000) as n;

insert into trades (
    vehicle_id, vehicle_make, vehicle_model, vehicle_year, offered_make, offered_model, offered_color, offered_license_plate,
    offered_description, service_id, service_kind, customer_id, title, description, status, created_at, cancelled_at, cancel_reason,
    search_text
)
select
    v.id, v.make_key, v.model_key, v.year, v.make, v.model, '', '', '', s.id, s.kind, v.customer_id, '', '',
    case v.id % 6 when 0 then 'open' else 'cancelled' end, '2026-01-01', case v.id % 6 when 0 then null else now() end,
    case v.id % 6 when 0 then null else '' end, ' trade' || v.id
from vehicles v
join services s on s.id = v.id - 1
where v.id > 3;

insert into trade_parties (customer_id, trade_id)
select customer_id, id
from trades
where id > 2;

insert into vehicle_parties (customer_id, vehicle_id)
select customer_id, vehicle_id
from trades;

insert into proposals (
    trade_id, trade_owner_id, customer_id, amount, currency, message, status, created_at, expires_at, decided_at, is_public
)
select
    id, customer_id, customer_id, 100, 'USD', '', case status when 'open' then 'pending' else 'closed' end, '2026-01-01',
    '2026-02-01', case status when 'open' then null else now() end, status = 'open'
from trades
where id > 2;

insert into invoices (trade_id, proposal_id, customer_id, amount, currency, issued_at, due_date, status, voided_at, void_reason)
select
    trade_id, id, customer_id, 50, 'USD', '2026-01-01', '2026-01-15', case id % 10 when 0 then 'open' else 'void' end,
    case id % 10 when 0 then null else now() end, case id % 10 when 0 then null else '' end
from proposals
where id > 4;

insert into payments (
    invoice_id, credit_card_id, customer_id, amount, currency, status, settled_at, action_kind, gateway_reference, is_late,
    charge_key, created_at
)
select
    i.id, k.id, i.customer_id, 5, 'USD', case i.id % 20 when 0 then 'pending' when 1 then 'requires_action' else 'succeeded' end,
    case when i.id % 20 > 1 then timestamptz '2026-01-02' end, case i.id % 20 when 1 then 'redirect' end,
    case i.id % 20 when 0 then null else 'ref' end, false, 'bulk-' || i.id, '2026-01-02'
from invoices i
join credit_cards k on k.customer_id = i.customer_id and k.is_default
where i.id > 1;

insert into refunds (
    payment_id, invoice_id, customer_id, amount, currency, reason, note, status, settled_at, gateway_reference, refund_key,
    created_at
)
select
    id, invoice_id, customer_id, 1, 'USD', 'other', '', case id % 20 when 2 then 'pending' else 'succeeded' end,
    case id % 20 when 2 then null else timestamptz '2026-01-03' end, 'ref', 'bulk-' || id, '2026-01-03'
from payments
where status = 'succeeded';

insert into card_refusals (customer_id, refused_at)
select 2 + n, timestamptz '2026-01-01' + n * interval '1 hour'
from generate_series(1, 2000) as n;

insert into idempotency_records (key, holder, fingerprint, held_until, expires_at)
select sha256(n::text::bytea), decode(repeat('00', 16), 'hex'), sha256('x'), '2026-01-01', '2026-01-02'
from generate_series(1, 1000) as n;

insert into events (
    id, event_type, subject_kind, subject_id, occurred_at, actor_kind, actor_user_id, trade_id, data, changes, audience, readers
)
select
    n, case n % 50 when 0 then 'trade.cancelled' else 'vehicle.updated' end, case n % 50 when 0 then 'trade' else 'vehicle' end,
    n % 500, '2026-01-01', 'user', n % 500 + 1, case n % 2 when 0 then n % 400 + 1 end, '{}', '{}', 'customers', array[n % 300 + 1]
from generate_series(1, 4000) as n;

insert into event_readers (is_user, reader_id, event_id)
select false, n % 300 + 1, n
from generate_series(1, 4000) as n;

insert into webhook_endpoints (url, description, event_types, is_active, secret, previous_secrets, previous_until, created_at)
select 'https://example.com/' || n, '', '{}', n % 20 = 0, 'whsec_c2VjcmV0', '{}', '{}', '2026-01-01'
from generate_series(1, 400) as n;

insert into webhook_positions (endpoint_id, last_event_id)
select id, 3900
from webhook_endpoints
where id > 1;

-- Of ten deliveries one is due, one is not yet, and one was given up.
insert into webhook_deliveries (endpoint_id, event_id, event_type, status, next_attempt_at, tries, attempts, created_at)
select
    n % 400 + 1, n, 'vehicle.updated', case n / 400 % 10 when 0 then 'pending' when 1 then 'pending' when 2 then 'failed' else 'succeeded' end,
    case n / 400 % 10 when 0 then timestamptz '2026-01-01' when 1 then timestamptz '2026-12-01' end, 1, '{}',
    timestamptz '2026-01-01' + n * interval '1 second'
from generate_series(1, 20000) as n;

insert into mails (kind, event_id, customer_id, facts, status, next_attempt_at, tries, created_at)
select
    'payment_received', n, 2 + n, '{}', case n % 10 when 0 then 'pending' when 1 then 'pending' else 'sent' end,
    case n % 10 when 0 then timestamptz '2026-01-01' when 1 then timestamptz '2026-12-01' end, 1,
    timestamptz '2026-01-01' + n * interval '1 second'
from generate_series(1, 4000) as n;

analyze;
