-- A sale from the vehicle to the payment: seven acts of six requests. Each looks up a token, loads what it decides on, and writes
-- in one statement, which finds nothing to write where what was loaded has changed: pgbench then stops, as \gset needs a row.
\set owner random(1, :customers)
\set buyer 1 + :owner % :customers
\set number random(1, 10000000000000000 - 1)

-- 1. The owner stores a vehicle.
select u.id as user_id, u.role, c.id as customer_id
from tokens k
join users u on u.id = k.user_id
left join customers c on c.user_id = u.id
where k.hash = sha256(int8send(:owner)) and k.expires_at > now() and u.is_active
\gset owner_

insert into vehicles (
    customer_id, vin, make, model, year, color, license_plate, description, created_at, search_text
)
values (
    :owner_customer_id, 'S' || lpad(:number::bigint::text, 16, '0'), 'make1', 'model1', 2020, '', '', '', now(),
    ' s' || lpad(:number::bigint::text, 16, '0') || ' make1 model1'
)
returning id as vehicle
\gset

-- 2. The owner offers it for sale.
select u.id as user_id, u.role, c.id as customer_id
from tokens k
join users u on u.id = k.user_id
left join customers c on c.user_id = u.id
where k.hash = sha256(int8send(:owner)) and k.expires_at > now() and u.is_active
\gset owner_

select v.customer_id, v.make, v.model, v.year, s.id as service, s.kind, s.is_active
from vehicles v, services s
where v.id = :vehicle and s.id = 2
\gset

insert into trades (vehicle_id, make, model, year, service_id, customer_id, title, description, status, created_at, search_text)
select v.id, lower(v.make), lower(v.model), v.year, :service, v.customer_id, 'A fine car', '', 'open', now(), ' a fine car'
from vehicles v
where v.id = :vehicle and v.customer_id = :owner_customer_id
for share
returning id as trade
\gset

-- 3. The owner names a price.
select u.id as user_id, u.role, c.id as customer_id
from tokens k
join users u on u.id = k.user_id
left join customers c on c.user_id = u.id
where k.hash = sha256(int8send(:owner)) and k.expires_at > now() and u.is_active
\gset owner_

select
    t.version, t.status, t.customer_id, t.counterparty_id, s.kind, s.invoice_on, s.fee_currency as currency, t.has_proposals,
    (select count(*) from proposals p where p.trade_id = t.id and p.customer_id = :owner_customer_id) as proposals_made,
    (select p.id from proposals p where p.trade_id = t.id and p.customer_id = :owner_customer_id and p.status = 'pending')
        as pending_id
from trades t
join services s on s.id = t.service_id
where t.id = :trade
\gset

with trade as (
    update trades
    set version = version + 1, has_proposals = true
    where id = :trade and version = :version and status = 'open'
    returning id
)
insert into proposals (trade_id, customer_id, amount, currency, message, status, created_at)
select id, :owner_customer_id, 9000, :currency, '', 'pending', now()
from trade
returning id as proposal
\gset

-- 4. The buyer accepts it, and the owner is billed.
select u.id as user_id, u.role, c.id as customer_id
from tokens k
join users u on u.id = k.user_id
left join customers c on c.user_id = u.id
where k.hash = sha256(int8send(:buyer)) and k.expires_at > now() and u.is_active
\gset buyer_

select
    p.customer_id as author_id, p.amount, p.currency, p.start_date, p.end_date, p.status as proposal_status, p.expires_at,
    t.version, t.status, t.customer_id, s.kind, s.invoice_on, s.bill_to, s.fee_amount, s.fee_currency, s.payment_due_days as days,
    u.is_active,
    exists (
        select from trades other
        where other.vehicle_id = t.vehicle_id and other.id <> t.id
            and daterange(other.agreed_from, other.agreed_until) && daterange(coalesce(p.start_date, current_date), p.end_date)
    ) as is_taken
from proposals p
join trades t on t.id = p.trade_id
join services s on s.id = t.service_id
join customers c on c.id = p.customer_id
join users u on u.id = c.user_id
where p.id = :proposal
\gset

with trade as (
    update trades
    set version = version + 1, status = 'agreed', counterparty_id = :buyer_customer_id, accepted_proposal_id = :proposal,
        agreed_at = now()
    where id = :trade and version = :version and status = 'open'
    returning id, customer_id
), decided as (
    update proposals p
    set status = case p.id when :proposal then 'accepted' else 'closed' end, decided_at = now()
    from trade
    where p.trade_id = trade.id and p.status = 'pending'
)
insert into invoices (trade_id, proposal_id, customer_id, amount, currency, status, issued_at, due_date)
select id, :proposal, customer_id, :fee_amount, :fee_currency, 'open', now(), current_date + :days::integer
from trade
returning id as invoice
\gset

-- 5. The owner reads the trade.
select u.id as user_id, u.role, c.id as customer_id
from tokens k
join users u on u.id = k.user_id
left join customers c on c.user_id = u.id
where k.hash = sha256(int8send(:owner)) and k.expires_at > now() and u.is_active
\gset owner_

select
    t.id, t.vehicle_id, t.service_id, t.customer_id, t.counterparty_id, t.title, t.description, t.status, t.accepted_proposal_id,
    i.id as invoice_id, t.created_at, t.agreed_at, t.completed_at, t.cancelled_at,
    i.status = 'open' and i.customer_id = :owner_customer_id and i.amount > i.paid + i.pending as may_pay,
    t.has_proposals, own.proposals_made
from trades t
left join invoices i on i.trade_id = t.id
cross join lateral (
    select count(*) as proposals_made
    from proposals p
    where p.trade_id = t.id and p.customer_id = :owner_customer_id
) own
where t.id = :trade
    and (
        t.status = 'open'
        or t.customer_id = :owner_customer_id
        or t.counterparty_id = :owner_customer_id
        or own.proposals_made > 0
    )
\gset seen_

-- 6. The owner pays: the amount is reserved before the card is charged,
select u.id as user_id, u.role, c.id as customer_id
from tokens k
join users u on u.id = k.user_id
left join customers c on c.user_id = u.id
where k.hash = sha256(int8send(:owner)) and k.expires_at > now() and u.is_active
\gset owner_

select
    i.customer_id, i.amount - i.paid as due, i.amount - i.paid - i.pending as payable, i.currency, i.status, i.due_date,
    k.id as card, k.exp_year, k.exp_month, k.deleted_at, k.gateway_token
from invoices i
left join credit_cards k on k.id = :owner and k.customer_id = i.customer_id
where i.id = :seen_invoice_id
\gset

with invoice as (
    update invoices
    set pending = pending + :payable
    where id = :seen_invoice_id and status = 'open'
    returning id, customer_id, currency, due_date
)
insert into payments (invoice_id, credit_card_id, customer_id, amount, currency, status, is_late, charge_key, created_at)
select id, :card, customer_id, :payable, currency, 'pending', due_date < current_date, gen_random_uuid(), now()
from invoice
returning id as payment
\gset

-- 7. and settled afterwards, which completes the trade and hands the vehicle over.
with payment as (
    update payments
    set status = 'succeeded', gateway_reference = 'reference'
    where id = :payment and status = 'pending'
    returning invoice_id, amount
), invoice as (
    update invoices i
    set paid = i.paid + p.amount, pending = i.pending - p.amount,
        status = case when i.paid + p.amount = i.amount then 'paid' else i.status end,
        paid_at = case when i.paid + p.amount = i.amount then now() end
    from payment p
    where i.id = p.invoice_id
    returning i.trade_id, i.status
), trade as (
    update trades t
    set version = version + 1, status = 'completed', completed_at = now()
    from invoice i
    where t.id = i.trade_id and i.status = 'paid' and t.status = 'agreed'
    returning t.vehicle_id, t.service_id, t.customer_id, t.counterparty_id
)
update vehicles v
set customer_id = t.counterparty_id
from trade t
join services s on s.id = t.service_id
where v.id = t.vehicle_id and v.customer_id = t.customer_id and s.kind = 'sell'
returning v.id as sold
\gset
