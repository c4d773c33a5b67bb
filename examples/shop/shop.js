// A shop for the Lease API: each page is a <section>, chosen by the part of the address after "#".
"use strict";
const api = (new URLSearchParams(location.search).get("api") ?? "").replace(/\/+$/, "");
const byId = (id) => document.getElementById(id);
const actionNames = { accept: "Accept", reject: "Reject", withdraw: "Withdraw" };
let me = null; // who is logged in, as of /api/me
let services = new Map(); // the active services by id
let listPath = "/api/trades?status=open"; // the page of offers that is shown
let trade = null; // the trade that is shown

const token = () => sessionStorage.getItem("token");
const headers = (more) => ({ ...(token() && { Authorization: `Token ${token()}` }), ...more });
async function send(method, path, body, more) {
  const response = await fetch(api + path, { method, body, cache: "no-store", headers: headers(more) });
  const content = await response.json().catch(() => ({})); // no body, or one that is not the API's
  if (response.ok) return content;
  if (response.status === 401) forgetLogin();
  const text = content.detail || `The server answered ${response.status}.`; // a problem of RFC 9457
  throw Object.assign(new Error(text), { status: response.status, errors: content.errors });
}
const get = (path) => send("GET", path);
// Each click has a key of its own. If the response is lost, the same key asks again, and nothing is done twice.
async function post(path, body = {}) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const key = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  for (let attempt = 1; ; attempt++) {
    try {
      return await send("POST", path, JSON.stringify(body), { "Content-Type": "application/json", "Idempotency-Key": key });
    } catch (error) { if ((error.status && error.status !== 503) || attempt === 3) throw error; }
    await sleep(1000 * attempt);
  }
}
// All rows of a list, page by page.
async function getAll(path) {
  const page = await get(path);
  return page.next ? [...page.results, ...await getAll(page.next)] : page.results;
}
const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
// An element. Strings become text, never markup.
function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}
const quiet = (...children) => make("div", { className: "quiet" }, ...children);
const fill = (id, items, ifEmpty) =>
  byId(id).replaceChildren(...(items.length || !ifEmpty ? items : [make("li", {}, quiet(ifEmpty))]));

// A button that is disabled while its work runs. Its id lets it keep the focus when the page is drawn again.
function button(id, text, work, className = "") {
  const node = make("button", { type: "button", id, className }, text);
  node.onclick = () => run(node, null, work);
  return node;
}
const money = (amount, currency) =>
  new Intl.NumberFormat(undefined, { style: "currency", currency, currencyDisplay: "code" }).format(amount);
const moment = (instant) => new Date(instant).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
const words = (text) => text.replace(/[._]/g, " ");
const nameOf = (vehicle) => `${vehicle.make} ${vehicle.model}, ${vehicle.year}`;
const linkTo = (id, text) => make("a", { href: `#/trade/${id}` }, text);
function priceOf(terms, serviceId) {
  const days = terms.start_date ? `, ${terms.start_date} to ${terms.end_date}` : "";
  return money(terms.amount, terms.currency) + (services.get(serviceId)?.kind === "lease" ? " a month" : "") + days;
}
const personOf = (customerId) => customerId === me.customer_id ? "you"
  : customerId === trade?.customer_id ? "the owner" : `customer ${customerId}`;
function clearProblem(form) {
  byId("message").textContent = "";
  for (const note of form?.querySelectorAll(".wrong") ?? []) note.remove();
  for (const field of form?.querySelectorAll("[aria-invalid]") ?? []) field.removeAttribute("aria-invalid");
}
// Shows each error beside its field, and what belongs to no field above the button or at the top of the page.
function showProblem(form, error) {
  const rest = [];
  let first = null;
  for (const [name, texts] of Object.entries(error.errors ?? {})) {
    const field = form?.elements.namedItem(name);
    const text = [texts].flat().join(" ");
    if (field?.checkVisibility()) {
      field.closest("label").append(make("span", { className: "wrong" }, text));
      field.ariaInvalid = "true";
      first ??= field;
    } else rest.push(name === "non_field_errors" ? text : `${words(name)}: ${text}`);
  }
  if (!first && !rest.length) rest.push(error instanceof TypeError ? "The server cannot be reached." : error.message);
  const note = rest.length ? make("p", { className: "wrong", role: "alert" }, rest.join(" ")) : "";
  if (form?.checkVisibility()) form.querySelector(":scope > button").before(note);
  else byId("message").textContent = rest.join(" ");
  first?.focus();
}
// Does the work of a click. Whatever goes wrong is shown, and the page is drawn again.
async function run(clicked, form, work) {
  clearProblem(form);
  clicked.disabled = true;
  const problem = await work().catch((error) => error);
  clicked.disabled = false;
  if (me) await showSafely();
  if (problem instanceof Error) showProblem(form, problem);
}
const onSubmit = (id, work) => byId(id).addEventListener("submit", (event) => {
  event.preventDefault();
  run(event.target.querySelector(":scope > button"), event.target, () => work(valuesOf(event.target), event.target));
});

// What was filled in. Empty fields and those of a disabled fieldset are left out.
const isNumber = (name, text) => /^(year|mileage|exp_month|exp_year|\w+_id)$/.test(name) && /^\d+$/.test(text);
const valuesOf = (form) => Object.fromEntries([...new FormData(form)].filter(([, text]) => text !== "")
  .map(([name, text]) => [name, isNumber(name, text) ? Number(text) : text]));

// The fieldset after a select is for what is new: it is off while something that is there already is chosen.
function switchNew(select) {
  const fieldset = select.closest("label").nextElementSibling;
  fieldset.disabled = fieldset.hidden = select.value !== "";
}
// Draws the choices anew without losing the one that was made.
function setOptions(select, options) {
  const before = select.options.length ? select.value : options[0]?.[0];
  select.replaceChildren(...options.map(([value, text]) => make("option", { value }, text)));
  select.value = options.some(([value]) => value === before) ? before : (options[0]?.[0] ?? "");
}
function switchDates(form, serviceId) {
  const kind = services.get(Number(serviceId))?.kind;
  const dates = form.querySelector(".dates");
  dates.disabled = dates.hidden = kind === "sell";
  for (const input of dates.querySelectorAll("input")) input.required = kind === "lease";
}
async function begin(newToken = token()) {
  sessionStorage.setItem("token", newToken);
  me = await get("/api/me");
  services = new Map((await getAll("/api/services?is_active=true&limit=100")).map((service) => [service.id, service]));
  byId("who").textContent = me.username;
  follow();
}
function forgetLogin() {
  sessionStorage.removeItem("token");
  stream?.abort();
  me = trade = null;
  for (const list of document.querySelectorAll("ul, ol")) list.replaceChildren();
  for (const form of document.forms) form.reset();
  showSection("account");
}
function showSection(id) {
  const changed = byId(id).hidden;
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== id;
  byId("pages").hidden = byId("live").hidden = !me;
  for (const link of document.querySelectorAll("nav a")) link.ariaCurrent = link.hash === `#/${id}` ? "page" : null;
  if (changed) byId(id).querySelector("h2").focus();
}
const pages = { browse: showOffers, trade: showTrade, offer: showOfferForm, mine: showMine };

// Draws the page that the address names.
async function show() {
  const place = location.hash, focused = document.activeElement?.id;
  const [, page, id] = place.split("/");
  const name = page in pages ? page : "browse";
  await pages[name](id);
  if (!me || location.hash !== place) return;
  showSection(name);
  if (focused && document.activeElement === document.body) byId(focused)?.focus();
}
const showSafely = () => show().catch((error) => showProblem(null, error));
async function showOffers() {
  const page = await get(listPath);
  fill("offers", page.results.map((row) => make("li", {},
    linkTo(row.id, row.title || nameOf(row.vehicle)),
    make("div", { className: "price" }, row.asking ? priceOf(row.asking, row.service_id) : "no price yet"),
    quiet(`${row.title ? `${nameOf(row.vehicle)} · ` : ""}${services.get(row.service_id)?.name ?? ""}`))), "Nothing is offered.");
  for (const way of ["previous", "next"]) {
    byId(way).hidden = !page[way];
    byId(way).onclick = () => { listPath = page[way]; showSafely(); };
  }
}
async function showTrade(id) {
  const [found, proposals, history] = await Promise.all([
    get(`/api/trades/${id}`), getAll(`/api/trades/${id}/proposals?limit=100`), getAll(`/api/trades/${id}/history?limit=100`)]);
  if (!me || location.hash !== `#/trade/${id}`) return; // the shopper has left meanwhile
  if (trade?.id !== found.id) for (const form of byId("trade").querySelectorAll("form")) { form.reset(); clearProblem(form); }
  trade = found;
  const { vehicle, asking, service_id: service } = trade;
  byId("trade-title").textContent = trade.title || nameOf(vehicle);
  const facts = [["Vehicle", nameOf(vehicle)], ["VIN", vehicle.vin ?? vehicle.chassis_number], ["Colour", vehicle.color],
    ["Mileage", vehicle.mileage], ["Offered by", personOf(trade.customer_id)], ["Service", services.get(service)?.name],
    ["State", trade.status], ["Asking price", asking && priceOf(asking, service)], ["Cancelled", trade.cancel_reason]];
  byId("trade-facts").replaceChildren(...facts.filter(([, value]) => value || value === 0)
    .flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))]));
  fill("proposals", proposals.map((row) => proposalItem(row, service)), "No proposals yet.");
  fill("history", history.map(eventItem), "Nothing that you may see.");
  for (const action of ["propose", "cancel", "pay"]) byId(action).hidden = !trade.available_actions.includes(action);
  switchDates(byId("propose"), service);
  await showPayments();
}
function proposalItem(proposal, serviceId) {
  const price = priceOf(proposal, serviceId);
  const act = async (action) => {
    if (action === "accept" && !confirm(`Accept ${price}? This binds you.`)) return;
    await post(`/api/proposals/${proposal.id}/${action}`);
  };
  const buttons = proposal.available_actions.filter((action) => action in actionNames).map((action) =>
    button(`${action}-${proposal.id}`, actionNames[action], () => act(action), action === "accept" ? "main" : ""));
  return make("li", {}, make("div", { className: "price" }, price), make("div", {}, proposal.message),
    quiet(`${proposal.status}, by ${personOf(proposal.customer_id)}`), make("div", { className: "row" }, ...buttons));
}
// The invoice and its payments, as far as they are the shopper's own.
async function showPayments() {
  const payments = trade.invoice_id ? await getAll(`/api/payments?invoice_id=${trade.invoice_id}`) : [];
  fill("payments", payments.map(paymentItem));
  if (byId("pay").hidden) return;
  const [invoice, cards] = await Promise.all([get(`/api/invoices/${trade.invoice_id}`), getAll("/api/credit-cards?limit=100")]);
  byId("due").textContent = `${invoice.number}: ${money(invoice.amount_due, invoice.currency)}, due ${invoice.due_date}`;
  const select = byId("pay").elements.credit_card_id;
  setOptions(select, [...cards.map((card) => [String(card.id), `${card.brand} ending in ${card.last4}`]), ["", "a new card"]]);
  switchNew(select);
}
function paymentItem(payment) {
  const item = make("li", {}, `Payment of ${money(payment.amount, payment.currency)}: ${words(payment.status)}`);
  if (payment.failure_code) item.append(` (${words(payment.failure_code)})`);
  if (payment.status !== "requires_action") return item;
  const play = (outcome) => () => post(`/api/sandbox/payments/${payment.id}`, { outcome }); // the shopper plays their bank
  const buttons = payment.next_action?.type !== "sandbox" ? [] : [
    button(`confirm-${payment.id}`, "Confirm with the bank", play("succeed"), "main"),
    button(`refuse-${payment.id}`, "Refuse", play("fail"))];
  buttons.push(button(`give-up-${payment.id}`, "Cancel the payment", () => post(`/api/payments/${payment.id}/cancel`)));
  item.append(make("div", { className: "row" }, ...buttons));
  return item;
}
async function showOfferForm() {
  const form = byId("offer-form");
  const vehicles = await getAll(`/api/vehicles?customer_id=${me.customer_id}&limit=100`);
  setOptions(form.elements.vehicle_id, [["", "a new vehicle"],
    ...vehicles.map((vehicle) => [String(vehicle.id), nameOf(vehicle)])]);
  setOptions(form.elements.service_id, [...services.values()].map((service) =>
    [String(service.id), `${service.name} (fee ${money(service.amount, service.currency)})`]));
  switchNew(form.elements.vehicle_id);
  switchDates(form, form.elements.service_id.value);
}
async function showMine() {
  const [trades, proposals, invoices, vehicles] = await Promise.all(["trades", "proposals", "invoices", "vehicles"]
    .map((kind) => getAll(`/api/${kind}?customer_id=${me.customer_id}&limit=100`)));
  const item = (tradeId, title, text) => make("li", {}, tradeId ? linkTo(tradeId, title) : title, quiet(text));
  const due = (row) => `${words(row.status)}, ${money(row.amount_due, row.currency)} to pay`;
  fill("my-offers", trades.map((row) => item(row.id, row.title || nameOf(row.vehicle), row.status)), "None.");
  fill("my-proposals", proposals.map((row) => item(row.trade_id, money(row.amount, row.currency), row.status)), "None.");
  fill("my-invoices", invoices.map((row) => item(row.trade_id, row.number, due(row))), "None.");
  fill("my-vehicles", vehicles.map((row) => item(null, nameOf(row), row.vin ?? row.chassis_number ?? "")), "None.");
}

let stream = null; // what ends the stream that is open
let redraw = 0; // the timer of the next drawing
function eventItem(event) {
  const { actor, data } = event;
  const by = actor.kind !== "user" ? `the ${actor.kind}` : actor.customer_id ? personOf(actor.customer_id) : "staff";
  const amount = data.amount ? `, ${money(data.amount, data.currency)}` : "";
  return make("li", {}, words(event.type) + amount,
    make("span", { className: "quiet" }, ` by ${by}, ${moment(event.occurred_at)}`));
}
function onEvent(event) {
  byId("news").prepend(eventItem(event));
  if (event.trade_id) byId("news").firstChild.append(" ", linkTo(event.trade_id, "see the trade"));
  byId("news").children[5]?.remove();
  redrawSoon();
}
// Several events of one act draw the page once.
function redrawSoon() {
  clearTimeout(redraw);
  redraw = setTimeout(() => me && showSafely(), 200);
}

// Reads the stream of events for as long as the login lasts, and goes on after the last event when it breaks.
async function follow() {
  const ending = stream = new AbortController();
  let lastId = null, pause = 1000;
  while (!ending.signal.aborted) {
    try {
      const response = await fetch(`${api}/api/events/stream`, {
        headers: headers(lastId ? { "Last-Event-ID": lastId } : {}), signal: ending.signal, cache: "no-store" });
      if (response.status === 401) return forgetLogin();
      if (response.status === 410) lastId = null; // these events are kept no longer: begin with now
      if (!response.ok) throw new Error(response.statusText);
      byId("live-state").textContent = "as it happens";
      pause = 1000;
      clearProblem(null);
      redrawSoon();
      for await (const { id, data } of readEvents(response.body)) {
        lastId = id ?? lastId;
        if (data) onEvent(JSON.parse(data));
      }
    } catch { /* connect again */ }
    if (ending.signal.aborted) return;
    byId("live-state").textContent = "connecting again …";
    await sleep(pause);
    pause = Math.min(pause * 2, 30000);
  }
}
// Server-sent events: lines of "name: value", and an empty line after each event. Comments begin with a colon.
async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = "", event = {};;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split(/\r?\n/);
    rest = lines.pop();
    for (const line of lines) {
      const [, name, text] = /^([^:]*):? ?(.*)$/.exec(line);
      if (name) event[name] = text;
      else if (line === "") { yield event; event = {}; }
    }
  }
}

onSubmit("login", async (values) => begin((await post("/api/login", values)).token));
onSubmit("register", async (values) => begin((await post("/api/register", values)).token));
onSubmit("filter", async (values) => {
  const path = `/api/trades?${new URLSearchParams({ status: "open", ...values })}`;
  await get(path); // a wrong filter is shown beside its field, and the list stays
  listPath = path;
});
onSubmit("cancel", (values) => post(`/api/trades/${trade.id}/cancel`, values));
onSubmit("propose", (values, form) => post(`/api/trades/${trade.id}/proposals`, values).then(() => form.reset()));
onSubmit("offer-form", async (values, form) => {
  let { vehicle_id: id, make: maker, model, year, vin, mileage, color, service_id, title, ...terms } = values;
  if (!id) {
    id = (await post("/api/vehicles", { make: maker, model, year, vin, mileage, color })).id;
    form.elements.vehicle_id.append(make("option", { value: id, selected: true }, maker)); // should the next step fail
  }
  const opened = await post("/api/trades", { vehicle_id: id, service_id, title });
  history.pushState(null, "", `#/trade/${opened.id}`);
  form.reset();
  await show();
  const propose = byId("propose");
  for (const [name, value] of Object.entries(terms)) propose.elements[name].value = value;
  // What is wrong with the price can be put right there.
  await post(`/api/trades/${opened.id}/proposals`, terms).then(() => propose.reset(), (error) => showProblem(propose, error));
});
onSubmit("pay", async (values, form) => {
  let { credit_card_id: id, ...card } = values;
  if (!id) {
    id = (await post("/api/credit-cards", card)).id;
    form.reset();
    form.elements.credit_card_id.append(make("option", { value: id, selected: true }, "the new card"));
  }
  await post("/api/payments", { invoice_id: trade.invoice_id, credit_card_id: id });
});
byId("log-out").onclick = () => run(byId("log-out"), null, () => post("/api/logout").then(forgetLogin));
byId("pay").elements.credit_card_id.onchange = (event) => switchNew(event.target);
byId("offer-form").elements.vehicle_id.onchange = (event) => switchNew(event.target);
byId("offer-form").elements.service_id.onchange = (event) => switchDates(byId("offer-form"), event.target.value);

addEventListener("hashchange", () => { clearProblem(null); if (me) showSafely(); });
if (token()) begin().then(show).catch((error) => showProblem(null, error));
else showSection("account");
