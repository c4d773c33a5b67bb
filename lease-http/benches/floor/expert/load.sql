-- The rows of the store, in the expert's tables.
set search_path = expert, public;
set session_replication_role = replica;

insert into users (id, username, email, first_name, last_name, password_hash, is_active, role, date_joined, last_login)
overriding system value
select id, username, email, first_name, last_name, password_hash, is_active, role, date_joined, last_login
from public.users;

insert into customers (id, user_id, job, dob, notes, created_at)
overriding system value
select id, user_id, job, dob, notes, created_at
from public.customers;

-- pgbench knows numbers only, so a token is its user's id here.
insert into tokens (hash, user_id, expires_at)
select sha256(int8send(id)), id, '2999-01-01'
from users;

insert into credit_cards (
    id, customer_id, brand, last4, exp_month, exp_year, holder_name, is_default, gateway_token, created_at, deleted_at
)
overriding system value
select id, customer_id, brand, last4, exp_month, exp_year, holder_name, is_default, gateway_token, created_at, deleted_at
from public.credit_cards;

insert into services (
    id, name, kind, invoice_on, bill_to, fee_amount, fee_currency, payment_due_days, description, is_active
)
overriding system value
select id, name, kind, invoice_on, bill_to, fee_amount, fee_currency, payment_due_days, description, is_active
from public.services;

insert into vehicles (
    id, customer_id, vin, make, model, year, color, mileage, license_plate, description, created_at, search_text
)
overriding system value
select id, customer_id, vin, make, model, year, color, mileage, license_plate, description, created_at, search_text
from public.vehicles;

insert into trades (
    id, vehicle_id, make, model, year, service_id, customer_id, title, description, status, counterparty_id,
    has_proposals, accepted_proposal_id, agreed_from, agreed_until, created_at, agreed_at, completed_at, cancelled_at,
    search_text
)
overriding system value
select
    t.id, vehicle_id, lower(make), lower(model), year, service_id, t.customer_id, title, t.description, status, counterparty_id,
    exists (select from public.proposals p where p.trade_id = t.id), accepted_proposal_id, agreed_from, agreed_until, t.created_at,
    agreed_at, completed_at, cancelled_at, t.search_text
from public.trades t
join public.vehicles v on v.id = t.vehicle_id;

insert into proposals (
    id, trade_id, customer_id, amount, currency, start_date, end_date, message, status, expires_at, created_at, decided_at
)
overriding system value
select id, trade_id, customer_id, amount, currency, start_date, end_date, message, status, expires_at, created_at, decided_at
from public.proposals;

insert into invoices (
    id, trade_id, proposal_id, customer_id, amount, currency, paid, pending, status, issued_at, due_date, paid_at, voided_at,
    void_reason
)
overriding system value
select
    id, trade_id, proposal_id, customer_id, amount, currency, paid, pending, status, issued_at, due_date, paid_at, voided_at,
    void_reason
from public.invoices;

insert into payments (
    id, invoice_id, credit_card_id, customer_id, amount, currency, status, failure_code, gateway_reference, is_late, charge_key,
    created_at
)
overriding system value
select
    id, invoice_id, credit_card_id, customer_id, amount, currency, status, failure_code, gateway_reference, is_late, charge_key,
    created_at
from public.payments;

select setval(pg_get_serial_sequence(name, 'id'), 1000000)
from unnest(array['vehicles', 'trades', 'proposals', 'invoices', 'payments']) as name;

reset session_replication_role;
reset search_path;
