-- Two customers who trade, a member of staff and a superuser; one trade that is open and one that is agreed.
insert into users (
    username, email, first_name, last_name, password_hash, is_active, role, date_joined, token_epoch, links, proposal_notices,
    invoice_notices, payment_notices, search_text
)
values
    ('owner', 'owner@example.com', '', '', 'hash', true, 'customer', '2026-01-01', 0, '[]', true, true, true, ' owner'),
    ('buyer', 'buyer@example.com', '', '', 'hash', true, 'customer', '2026-01-01', 0, '[]', true, true, true, ' buyer'),
    ('staff', 'staff@example.com', '', '', 'hash', true, 'staff', '2026-01-01', 0, '[]', true, true, true, ' staff'),
    ('super', 'super@example.com', '', '', 'hash', true, 'superuser', '2026-01-01', 0, '[]', true, true, true, ' super');

insert into login_names (name, user_id)
values ('owner', 1), ('owner@example.com', 1), ('buyer', 2), ('buyer@example.com', 2);

insert into customers (user_id, job, dob, notes, created_at)
values (1, '', null, '', '2026-01-01'), (2, '', null, '', '2026-01-01');

insert into credit_cards (
    customer_id, brand, last4, exp_month, exp_year, holder_name, is_default, gateway_token, created_at
)
values
    (1, 'visa', '4242', 12, 2030, 'Owner', true, 'token-1', '2026-01-01'),
    (1, 'visa', '1881', 12, 2030, 'Owner', false, 'token-2', '2026-01-01'),
    (2, 'visa', '4242', 12, 2030, 'Buyer', true, 'token-3', '2026-01-01');

insert into leads (first_name, last_name, email, phone, company, source, status, notes, created_at, search_text)
values ('Lea', '', '', '', '', '', 'new', '', '2026-01-01', ' lea');

insert into vehicles (
    customer_id, vin, make, model, year, color, license_plate, description, created_at, make_key, model_key, search_text
)
values
    (1, '1HGCM82633A004352', 'Honda', 'Accord', 2003, '', '', '', '2026-01-01', 'honda', 'accord', ' honda'),
    (1, 'JH4KA7561PC008269', 'Acura', 'Legend', 1993, '', '', '', '2026-01-01', 'acura', 'legend', ' acura'),
    (1, 'WVWZZZ1JZXW000001', 'VW', 'Golf', 1999, '', '', '', '2026-01-01', 'vw', 'golf', ' vw');

insert into services (
    name, kind, invoice_on, bill_to, fee_amount, fee_currency, payment_due_days, description, is_active, is_used
)
values
    ('Lease', 'lease', 'first_proposal', 'owner', 50, 'USD', 14, '', true, true),
    ('Sell', 'sell', 'acceptance', 'owner', 200, 'USD', 14, '', true, false);

-- Trade 1 is open; trade 2 will be agreed on proposal 3.
insert into trades (
    vehicle_id, vehicle_make, vehicle_model, vehicle_year, offered_make, offered_model, offered_color, offered_license_plate, offered_description, service_id, service_kind, customer_id, title, description, status,
    created_at, search_text
)
values
    (1, 'honda', 'accord', 2003, '', '', '', '', '', 1, 'lease', 1, '', '', 'open', '2026-01-01', ''),
    (2, 'acura', 'legend', 1993, '', '', '', '', '', 1, 'lease', 1, '', '', 'open', '2026-01-01', '');

insert into trade_parties (customer_id, trade_id)
values (1, 1), (1, 2), (2, 2);

insert into proposals (
    trade_id, trade_owner_id, customer_id, amount, currency, start_date, end_date, message, status, created_at, decided_at,
    is_public
)
values
    (1, 1, 1, 300, 'USD', '2026-02-01', '2026-08-01', '', 'pending', '2026-01-01', null, true),
    (1, 1, 2, 250, 'USD', '2026-02-01', '2026-08-01', '', 'pending', '2026-01-01', null, false),
    (2, 1, 1, 300, 'USD', '2026-02-01', '2026-08-01', '', 'closed', '2026-01-01', '2026-01-02', false),
    (2, 1, 2, 200, 'USD', '2026-02-01', '2026-08-01', '', 'closed', '2026-01-01', '2026-01-02', false);

with accepted as (
    update proposals
    set status = 'accepted'
    where id = 3
)
update trades
set status = 'agreed',
    counterparty_id = 2,
    accepted_proposal_id = 3,
    agreed_at = '2026-01-02',
    agreed_from = '2026-02-01',
    agreed_until = '2026-08-01'
where id = 2;

-- The invoice of trade 2; the tests issue that of trade 1.
insert into invoices (trade_id, proposal_id, customer_id, amount, currency, issued_at, due_date)
values (2, 3, 1, 50, 'USD', '2026-01-01', '2026-01-15');

insert into payments (
    invoice_id, credit_card_id, customer_id, amount, currency, status, settled_at, failure_code, gateway_reference, is_late,
    charge_key, created_at
)
values (1, 1, 1, 50, 'USD', 'failed', '2026-01-02', 'card_declined', 'ref-1', false, 'key-1', '2026-01-02');

insert into webhook_endpoints (url, description, event_types, is_active, secret, previous_secrets, previous_until, created_at)
values ('https://example.com/hook', '', '{trade.*}', true, 'whsec_c2VjcmV0', '{}', '{}', '2026-01-01');

insert into webhook_positions (endpoint_id, last_event_id)
values (1, 0);

insert into webhook_deliveries (endpoint_id, status, next_attempt_at, tries, attempts, created_at)
values (1, 'pending', '2026-01-01', 0, '{}', '2026-01-01');

insert into mails (kind, event_id, customer_id, facts, status, next_attempt_at, tries, created_at)
values ('invoice_issued', 1, 1, '{}', 'pending', '2026-01-01', 0, '2026-01-01');
