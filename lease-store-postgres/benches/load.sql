-- A market of `lease.trades` trades, written at once. Everything is computed from the ids: a vehicle a trade and two
-- proposals a trade, a customer for every ten vehicles. Of twenty trades three are open, one is agreed, two were cancelled,
-- and the rest are completed; every other is a lease, the rest are sales.
set session_replication_role = replica;

create temporary table plan as
select
    n as id,
    1 + n % customers as owner_id,
    1 + (n + 1 + n / customers % (customers - 1)) % customers as buyer_id,
    1 + n % 2 as service_id,
    case n % 2 when 0 then 'lease' else 'sell' end as kind,
    case when n / 2 % 20 < 3 then 'open' when n / 2 % 20 = 3 then 'agreed' when n / 2 % 20 < 6 then 'cancelled' else 'completed' end
        as status,
    -- By the block of 41, so that those of one customer differ, with however many customers.
    'make' || n / 41 % 5 as make,
    'model' || n / 41 % 20 as model,
    1990 + n / 41 * 13 % 35 as year,
    lpad(((n * 61803398874989487::numeric) % 100000000000000003)::text, 17, '0') as vin,
    timestamptz '2020-01-01' + n * interval '10 seconds' as made_at,
    date '2020-01-01' + (n % 1000)::int as starts_on
from (select current_setting('lease.trades')::bigint / 10 as customers) as size,
    generate_series(1, current_setting('lease.trades')::bigint) as n;

insert into users (
    id, username, email, first_name, last_name, password_hash, is_active, role, date_joined, token_epoch, links,
    proposal_notices, invoice_notices, payment_notices, search_text
)
overriding system value
select
    n, 'user' || n, 'user' || n || '@example.com', '', '', 'none', true, 'customer', '2020-01-01', 0, '[]', true, true, true,
    ' user' || n || ' user' || n || '@example.com'
from generate_series(1, current_setting('lease.trades')::bigint / 10) as n;

insert into login_names (name, user_id)
select username, id
from users;

insert into customers (id, user_id, job, notes, created_at)
overriding system value
select id, id, '', '', date_joined
from users;

insert into credit_cards (id, customer_id, brand, last4, exp_month, exp_year, holder_name, is_default, gateway_token, created_at)
overriding system value
select id, id, 'visa', '4242', 12, 2099, '', true, 'sandbox_ok', created_at
from customers;

insert into vehicles (
    id, customer_id, vin, make, model, year, mileage, color, license_plate, description, created_at, make_key, model_key, search_text
)
overriding system value
select
    id, case when kind = 'sell' and status = 'completed' then buyer_id else owner_id end, vin, make, model, year, id % 200000, '', '', '',
    made_at, make, model, ' ' || vin || ' ' || make || ' ' || model
from plan;

insert into trades (
    id, vehicle_id, vehicle_make, vehicle_model, vehicle_year, offered_make, offered_model, offered_color, offered_license_plate, offered_description, offered_mileage, service_id, service_kind, customer_id, title, description, status,
    counterparty_id, accepted_proposal_id, agreed_from, agreed_until, created_at, agreed_at, completed_at, cancelled_at,
    cancel_reason, search_text
)
overriding system value
select
    id, id, make, model, year, make, model, '', '', '', id % 200000, service_id, kind, owner_id, 'offer' || id, '', status,
    case when is_agreed then buyer_id end,
    case when is_agreed then 2 * id end,
    case when is_agreed and kind = 'lease' then starts_on end,
    case when is_agreed and kind = 'lease' then starts_on + 365 end,
    made_at,
    case when is_agreed then made_at end,
    case when status = 'completed' then made_at end,
    case when status = 'cancelled' then made_at end,
    case when status = 'cancelled' then '' end,
    ' offer' || id
from (select *, status in ('agreed', 'completed') as is_agreed from plan) as planned;

-- The owner's has the odd id, the buyer's the even one. Every other block of the owners' had an end, which has come.
insert into proposals (
    id, trade_id, trade_owner_id, customer_id, amount, currency, start_date, end_date, message, status, expires_at, created_at,
    decided_at, is_public
)
overriding system value
select
    2 * id - 1 + number, id, owner_id, case number when 0 then owner_id else buyer_id end, 100 + id % 5000, 'USD',
    case kind when 'lease' then starts_on end, case kind when 'lease' then starts_on + 365 end, '',
    case when status = 'open' then 'pending' when number = 1 and status in ('agreed', 'completed') then 'accepted' else 'closed' end,
    case when number = 0 and id / 41 % 2 = 0 then made_at + interval '7 days' end, made_at,
    case when status <> 'open' then made_at end, number = 0 and status = 'open'
from plan, generate_series(0, 1) as number
order by 1;

insert into trade_parties (customer_id, trade_id)
select party_id, id
from plan, unnest(array[owner_id, buyer_id]) as party_id;

insert into vehicle_parties (customer_id, vehicle_id)
select party_id, id
from plan, unnest(array[owner_id, case when status in ('agreed', 'completed') then buyer_id end]) as party_id
where party_id is not null;

-- A lease has its invoice from the first proposal on, a sale from its acceptance. Of the open ones, every tenth is overdue.
insert into invoices (
    id, trade_id, proposal_id, customer_id, amount, currency, paid, refunded, status, issued_at, due_date, paid_at
)
overriding system value
select
    id, id, 2 * id - (kind = 'lease')::int, owner_id, 49, 'USD', case status when 'completed' then 49 else 0 end,
    case when status = 'completed' and id % 5 = 0 then 9 else 0 end,
    case status when 'completed' then 'paid' else 'open' end, made_at,
    case when status = 'completed' or id % 10 = 0 then made_at::date + 14 else date '2999-01-01' end,
    case status when 'completed' then made_at end
from plan
where kind = 'lease' or status in ('agreed', 'completed');

insert into payments (
    id, invoice_id, credit_card_id, customer_id, amount, refunded, currency, status, settled_at, gateway_reference, is_late,
    charge_key, created_at
)
overriding system value
select
    id, id, customer_id, customer_id, 49, refunded, 'USD', 'succeeded', issued_at, 'reference', false, 'bulk' || id, issued_at
from invoices
where status = 'paid';

-- Of every fifth payment a part was refunded; of others the gateway refused to.
insert into refunds (
    id, payment_id, invoice_id, customer_id, amount, currency, reason, note, status, settled_at, failure_code, gateway_reference,
    refund_key, created_at
)
overriding system value
select
    id, id, id, customer_id, 9, 'USD', 'other', '', case refunded when 0 then 'failed' else 'succeeded' end, created_at,
    case refunded when 0 then 'expired_or_canceled_card' end, 'reference', 'bulk' || id, created_at
from payments;

drop table plan;

select setval(pg_get_serial_sequence(name, 'id'), 2 * current_setting('lease.trades')::bigint + 1)
from unnest(array['users', 'customers', 'credit_cards', 'vehicles', 'trades', 'proposals', 'invoices', 'payments', 'refunds']) as name;

reset session_replication_role;
