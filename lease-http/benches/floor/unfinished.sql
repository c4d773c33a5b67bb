-- How many of the vehicles that were to be sold were not, on whichever side.
select count(*)
from vehicles v
where v.vin like 'S%' and not exists (
    select from trades t
    join services s on s.id = t.service_id and s.kind = 'sell'
    join proposals p on p.id = t.accepted_proposal_id and p.customer_id = t.customer_id and p.status = 'accepted'
    join invoices i on i.trade_id = t.id and i.customer_id = t.customer_id and i.status = 'paid' and i.paid = s.fee_amount
    join payments y on y.invoice_id = i.id and y.amount = i.paid and y.status = 'succeeded'
    where t.vehicle_id = v.id and t.status = 'completed' and t.counterparty_id = v.customer_id
)
