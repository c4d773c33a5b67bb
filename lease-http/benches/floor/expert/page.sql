-- The 25 newest trades that a customer may see. A 26th tells whether there is a next page.
\set customer random(1, :customers)

select u.id as user_id, u.role, c.id as customer_id
from tokens k
join users u on u.id = k.user_id
left join customers c on c.user_id = u.id
where k.hash = sha256(int8send(:customer)) and k.expires_at > now() and u.is_active
\gset me_

with visible as (
    (select id from trades where status = 'open' order by id desc limit 26)
    union
    (select id from trades where customer_id = :me_customer_id order by id desc limit 26)
    union
    (select id from trades where counterparty_id = :me_customer_id order by id desc limit 26)
    union
    (select distinct trade_id from proposals where customer_id = :me_customer_id order by trade_id desc limit 26)
    order by id desc
    limit 26
)
select
    t.id, t.vehicle_id, t.service_id, t.customer_id, t.counterparty_id, t.title, t.description, t.status, t.accepted_proposal_id,
    i.id as invoice_id, t.created_at, t.agreed_at, t.completed_at, t.cancelled_at,
    i.status = 'open' and i.customer_id = :me_customer_id and i.amount > i.paid + i.pending as may_pay,
    t.has_proposals, own.proposals_made
from visible
join trades t on t.id = visible.id
left join invoices i on i.trade_id = t.id
cross join lateral (
    select count(*) as proposals_made
    from proposals p
    where p.trade_id = t.id and p.customer_id = :me_customer_id
) own
order by t.id desc;
