-- One trade, read by who made a proposal in it.
\set trade random(1, :trades)
\set buyer 1 + (:trade + 1 + :trade / :customers % (:customers - 1)) % :customers

select u.id as user_id, u.role, c.id as customer_id
from tokens k
join users u on u.id = k.user_id
left join customers c on c.user_id = u.id
where k.hash = sha256(int8send(:buyer)) and k.expires_at > now() and u.is_active
\gset me_

-- The trade, and what decides which actions are open to the reader.
select
    t.id, t.vehicle_id, t.service_id, t.customer_id, t.counterparty_id, t.title, t.description, t.status, t.accepted_proposal_id,
    i.id as invoice_id, t.created_at, t.agreed_at, t.completed_at, t.cancelled_at,
    i.status = 'open' and i.customer_id = :me_customer_id and i.amount > i.paid + i.pending as may_pay,
    t.has_proposals, own.proposals_made
from trades t
left join invoices i on i.trade_id = t.id
cross join lateral (
    select count(*) as proposals_made
    from proposals p
    where p.trade_id = t.id and p.customer_id = :me_customer_id
) own
where t.id = :trade
    and (
        t.status = 'open'
        or t.customer_id = :me_customer_id
        or t.counterparty_id = :me_customer_id
        or own.proposals_made > 0
    )
\gset
