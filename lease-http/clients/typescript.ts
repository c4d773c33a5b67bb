// A sale with the client that openapi-generator generates for TypeScript and axios.

import assert from "node:assert/strict";
import { isAxiosError } from "axios";
import {
    AccountsApi, CreditCardsApi, InvoicesApi, PaymentsApi, PaymentStatus, Problem, ProblemCodeEnum, ProposalsApi, ProposalStatus,
    ServiceKind, ServicesApi, TradesApi, TradeStatus, VehiclesApi,
} from "./api";
import { Configuration } from "./configuration";

const basePath = process.env.LEASE_URL;
const password = "violet-harbor-93";

/** Registers a customer and logs in. */
async function person(username: string) {
    const anonymous = new AccountsApi(new Configuration({ basePath }));
    const names = { username, email: `${username}@example.com`, first_name: "Ada", last_name: "Byron" };
    const registration = (await anonymous.register({ ...names, password, password2: password })).data;
    const login = (await anonymous.login({ username, password })).data;
    assert.equal(login.customer_id, registration.customer_id);
    const configuration = new Configuration({ basePath, accessToken: login.token });
    return {
        customerId: login.customer_id,
        vehicles: new VehiclesApi(configuration),
        services: new ServicesApi(configuration),
        trades: new TradesApi(configuration),
        proposals: new ProposalsApi(configuration),
        invoices: new InvoicesApi(configuration),
        cards: new CreditCardsApi(configuration),
        payments: new PaymentsApi(configuration),
    };
}

async function sell() {
    const owner = await person("olivia.typescript");
    const buyer = await person("ben.typescript");
    const honda = { vin: "1HGCM82633A004354", make: "Honda", model: "Accord", year: 2003 };
    const vehicle = (await owner.vehicles.createVehicle(honda)).data;
    const service = (await owner.services.listServices(undefined, undefined, undefined, ServiceKind.Sell)).data.results[0];
    const { id } = (await owner.trades.openTrade({ vehicle_id: vehicle.id, service_id: service.id })).data;
    await owner.proposals.createTradeProposal(id, { amount: "18500.00" });
    const counter = (await buyer.proposals.createTradeProposal(id, { amount: 17900 })).data;
    const accepted = (await owner.proposals.acceptProposal(counter.id)).data;
    assert.deepEqual([accepted.status, accepted.amount], [ProposalStatus.Accepted, "17900.00"]);

    const trade = (await owner.trades.getTrade(id)).data;
    assert.equal(trade.status, TradeStatus.Agreed);
    assert(trade.invoice_id);
    const invoice = (await owner.invoices.getInvoice(trade.invoice_id)).data;
    const visa = { number: "4242424242424242", exp_month: 12, exp_year: 2099, holder_name: "Olivia" };
    const card = (await owner.cards.createCreditCard(visa)).data;
    const pay = { invoice_id: invoice.id, credit_card_id: card.id };
    const payment = (await owner.payments.createPayment(pay)).data;
    assert.deepEqual([payment.status, payment.amount], [PaymentStatus.Succeeded, invoice.amount]);
    assert.equal((await owner.trades.getTrade(id)).data.status, TradeStatus.Completed);
    assert.equal((await buyer.vehicles.getVehicle(vehicle.id)).data.customer_id, buyer.customerId);

    const again = await owner.payments.createPayment(pay).catch((error: unknown) => error);
    assert(isAxiosError<Problem>(again) && again.response);
    assert.deepEqual([again.response.status, again.response.data.code], [409, ProblemCodeEnum.InvoiceNotOpen]);
    console.log("openapi-generator, typescript-axios: sold");
}

void sell();
