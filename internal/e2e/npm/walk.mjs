// A walk through Callboard's API with Svix's JavaScript client. CALLBOARD_URL and CALLBOARD_TOKEN say where and as whom,
// CALLBOARD_CLIENT which generation of the client: svix1 or svix2. The server retries twice, within a tenth of a second.
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { after, before, test } from "node:test";
import { Receiver, eventually, verify } from "./receiver.mjs";

// Node 18 has it under a name only; the client of today wants it everywhere.
globalThis.crypto ??= webcrypto;

const { CALLBOARD_URL, CALLBOARD_TOKEN, CALLBOARD_CLIENT } = process.env;
const { Svix, Webhook, ...library } = await import(CALLBOARD_CLIENT);
const second = CALLBOARD_CLIENT === "svix2";
const ApiException = library.ApiException;

// What the second generation renamed.
const put = second ? "upsert" : "update";
const setHeaders = second ? "setHeaders" : "updateHeaders";
const types = second ? "eventTypes" : "filterTypes";

const connect = (token) => new Svix(token, { serverUrl: CALLBOARD_URL, numRetries: 0 });
const svix = connect(CALLBOARD_TOKEN);
const receiver = new Receiver(Webhook);
const unique = Date.now().toString(36);

before(() => receiver.start());
after(() => {
  receiver.stop();
  assert.deepEqual(receiver.failures, [], "deliveries that do not verify");
});

const newApp = () => svix.application.create({ name: "Walk" });
const newEndpoint = (app, hook, more = {}) => svix.endpoint.create(app.id, { url: hook.url, secret: hook.secret, ...more });
const post = (app, n, more = {}) => svix.message.create(app.id, { eventType: "walk.done", payload: { n }, ...more });

/** Asserts that a call is answered with this status. */
async function refused(status, call, code) {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof ApiException, String(error));
    assert.equal(error.code, status);
    if (code) assert.equal(error.body.code, code);
    return true;
  });
}

/** Waits until an endpoint's counts are these; those that are not named are 0. */
const awaitStats = (app, endpoint, want) =>
  eventually(`stats ${JSON.stringify(want)}`, async () => {
    const got = await svix.endpoint.getStats(app.id, endpoint.id);
    const all = { success: 0, pending: 0, sending: 0, fail: 0, canceled: 0, ...want };
    return Object.entries(all).every(([name, n]) => got[name] === n);
  });

/** Goes through all pages of a list. */
async function all(list, options = {}) {
  const data = [];
  for (let iterator = null, pages = 0; ; pages++) {
    assert.ok(pages < 100, "the list does not end");
    const page = await list({ ...options, ...(iterator && { iterator }) });
    data.push(...page.data);
    if (page.done) return data;
    iterator = page.iterator;
  }
}

/** Asserts that an object has these fields with these values. */
function has(object, want) {
  const got = Object.fromEntries(Object.keys(want).map((name) => [name, object[name]]));
  assert.deepEqual(got, want);
}

test("health", async () => {
  await svix.health.get();
});

test("applications", async () => {
  const uid = `acme-${unique}`;
  const made = await svix.application.create({ name: "Acme", uid, throttleRate: 50, metadata: { plan: "gold" } });
  assert.match(made.id, /^app_[0-9A-Za-z]{27}$/);
  assert.ok(made.createdAt instanceof Date && Math.abs(Date.now() - made.createdAt) < 60_000);
  const want = { id: made.id, name: "Acme", uid, throttleRate: 50, metadata: { plan: "gold" } };
  has(made, want);
  has(await svix.application.get(uid), want);
  has(await svix.application.get(made.id), want);
  await refused(409, svix.application.create({ name: "Other", uid }), "conflict");
  has(await svix.application.getOrCreate({ name: "Other", uid }), want);
  has(await svix.application.patch(uid, { name: "Acme 2", throttleRate: null }), { ...want, name: "Acme 2", throttleRate: null });
  has(await svix.application[put](made.id, { name: "Acme 3", uid }), { ...want, name: "Acme 3", throttleRate: null, metadata: {} });
  has(await svix.application[put](`${uid}-2`, { name: "Put", uid: `${uid}-2` }), { name: "Put", uid: `${uid}-2` });
  const ids = (await all((o) => svix.application.list(o), { limit: 1, order: "ascending" })).map((a) => a.id);
  assert.deepEqual(ids, [...ids].sort());
  assert.ok(ids.includes(made.id));
  await svix.application.delete(uid);
  await refused(404, svix.application.get(made.id), "not_found");
  await refused(422, svix.application.create({ name: "Bad", uid: "with space" }));
  await refused(422, svix.application.list({ limit: 251 }));
  await refused(401, connect("nobody").application.list(), "authentication_failed");
});

test("endpoints", async () => {
  const app = await newApp();
  const made = await svix.endpoint.create(app.id, {
    url: "https://receiver.example.com/a",
    uid: "main",
    description: "Main",
    channels: ["eu"],
    throttleRate: 9,
    metadata: { k: "v" },
    [types]: ["a.b"],
  });
  assert.match(made.id, /^ep_[0-9A-Za-z]{27}$/);
  const want = {
    id: made.id,
    url: "https://receiver.example.com/a",
    uid: "main",
    description: "Main",
    channels: ["eu"],
    throttleRate: 9,
    metadata: { k: "v" },
    disabled: false,
    [types]: ["a.b"],
  };
  has(made, want);
  has(await svix.endpoint.get(app.id, "main"), want);
  const patched = { ...want, description: "Changed", channels: null, [types]: null };
  has(await svix.endpoint.patch(app.id, made.id, { description: "Changed", channels: null, [types]: null }), patched);
  has(await svix.endpoint[put](app.id, "main", { url: "https://receiver.example.com/b", uid: "main", disabled: true }), {
    ...patched,
    url: "https://receiver.example.com/b",
    description: "",
    throttleRate: null,
    metadata: {},
    disabled: true,
  });
  const other = await svix.endpoint[put](app.id, "other", { url: "https://receiver.example.com/c" });
  const list = await all((o) => svix.endpoint.list(app.id, o), { limit: 1, order: "ascending" });
  assert.deepEqual(list.map((e) => e.id), [made.id, other.id]);
  await svix.endpoint.delete(app.id, "other");
  await refused(404, svix.endpoint.get(app.id, other.id), "not_found");
  await refused(422, svix.endpoint.create(app.id, { url: "ftp://receiver.example.com" }));
});

test("headers and secrets", async () => {
  const app = await newApp();
  const hook = receiver.hook();
  const endpoint = await newEndpoint(app, hook);
  await svix.endpoint[setHeaders](app.id, endpoint.id, { headers: { "X-Tenant": "acme", Authorization: "Bearer hush" } });
  await svix.endpoint.patchHeaders(app.id, endpoint.id, { headers: { "X-Tenant": "acme-2" } });
  assert.deepEqual({ ...(await svix.endpoint.getHeaders(app.id, endpoint.id)) }, {
    headers: { "X-Tenant": "acme-2" },
    sensitive: ["Authorization"],
  });
  const first = (await hook.awaitMessage((await post(app, 1)).id))[0];
  assert.equal(first.headers["x-tenant"], "acme-2");
  assert.equal(first.headers.authorization, "Bearer hush");
  assert.equal(first.headers["content-type"], "application/json");

  const old = hook.secret;
  assert.equal((await svix.endpoint.getSecret(app.id, endpoint.id)).key, old);
  await svix.endpoint.rotateSecret(app.id, endpoint.id, {});
  const fresh = (await svix.endpoint.getSecret(app.id, endpoint.id)).key;
  assert.notEqual(fresh, old);
  const both = (await hook.awaitMessage((await post(app, 2)).id))[0];
  for (const secret of [old, fresh]) verify(Webhook, secret, both.body, both.headers);
  assert.throws(() => verify(Webhook, "whsec_" + "A".repeat(44), both.body, both.headers));
});

test("event types", async () => {
  const name = `user.signed_up.${unique}`;
  const schemas = { 1: { type: "object" } };
  const made = await svix.eventType.create({ name, description: "Signed up", schemas, groupName: "user" });
  has(made, { name, description: "Signed up", schemas, groupName: "user", archived: false, deprecated: false });
  await refused(409, svix.eventType.create({ name, description: "Again" }), "conflict");
  has(await svix.eventType.patch(name, { description: "Changed" }), { description: "Changed", schemas });
  has(await svix.eventType[put](name, { description: "Put" }), { name, description: "Put", schemas: null });
  const names = async (options) => (await all((o) => svix.eventType.list(o), { limit: 2, ...options })).map((t) => t.name);
  assert.ok((await names()).includes(name));
  await svix.eventType.delete(name);
  assert.ok(!(await names()).includes(name));
  assert.ok((await names({ includeArchived: true })).includes(name));
  assert.equal((await svix.eventType.get(name)).archived, true);
});

test("messages", async () => {
  const app = await newApp();
  const hook = receiver.hook();
  await newEndpoint(app, hook);
  const payload = { email: "a@b.c", list: [1, 2.5, "ü<&>"] };
  const made = await svix.message.create(app.id, {
    eventType: "user.signed_up",
    eventId: "evt-1",
    payload,
    channels: ["eu"],
    tags: ["t"],
  });
  assert.match(made.id, /^msg_[0-9A-Za-z]{27}$/);
  // The second generation asks for no content unless it is told to.
  has(made, { eventId: "evt-1", eventType: "user.signed_up", channels: ["eu"], tags: ["t"], payload: second ? {} : payload });
  has(await svix.message.get(app.id, "evt-1", { withContent: true }), { id: made.id, payload });
  has(await svix.message.get(app.id, made.id, { withContent: false }), { id: made.id, payload: {} });
  const delivery = (await hook.awaitMessage(made.id))[0];
  assert.equal(delivery.body, JSON.stringify(payload));
  await refused(409, svix.message.create(app.id, { eventType: "a", eventId: "evt-1", payload: {} }), "conflict");

  const once = await svix.message.create(app.id, { eventType: "a", payload: {} }, { idempotencyKey: "k" });
  const twice = await svix.message.create(app.id, { eventType: "a", payload: {} }, { idempotencyKey: "k" });
  assert.equal(once.id, twice.id);
  await refused(409, svix.message.create(app.id, { eventType: "b", payload: {} }, { idempotencyKey: "k" }), "conflict");
  await hook.awaitMessage(once.id);

  assert.deepEqual({ ...(await svix.message.precheck(app.id, { eventType: "a" })) }, { active: true });
  await svix.message.expungeContent(app.id, made.id);
  has(await svix.message.get(app.id, made.id, { withContent: true }), { payload: { expired: true } });
  assert.ok(hook.received.every((d) => hook.received.filter((o) => o.id === d.id).length === 1));
  await refused(422, svix.message.create(app.id, { eventType: "a b", payload: {} }));
});

test("lists of messages, bounded in milliseconds", async () => {
  const app = await newApp();
  const made = [];
  for (let n = 0; n < 5; n++) {
    made.push(await post(app, n, { eventType: n % 2 ? "odd" : "even", channels: [`c${n}`], tags: [`t${n}`] }));
    await eventually("the next millisecond", () => Date.now() > made[n].timestamp.getTime() + 2);
  }
  const found = async (options) =>
    (await all((o) => svix.message.list(app.id, o), { limit: 2, withContent: true, ...options })).map((m) => m.payload.n);
  assert.deepEqual(await found(), [4, 3, 2, 1, 0]);
  assert.deepEqual(await found({ eventTypes: ["odd"] }), [3, 1]);
  assert.deepEqual(await found({ eventTypes: ["odd", "even"] }), [4, 3, 2, 1, 0]);
  assert.deepEqual(await found({ channel: "c2" }), [2]);
  assert.deepEqual(await found({ tag: "t3" }), [3]);
  assert.deepEqual(await found({ before: made[2].timestamp }), [1, 0]);
  assert.deepEqual(await found({ after: made[2].timestamp }), [4, 3]);
  assert.deepEqual(await found({ after: made[0].timestamp, before: made[4].timestamp }), [3, 2, 1]);
});

test("attempts, resend, recover", async () => {
  const app = await newApp();
  const hook = receiver.hook();
  const endpoint = await newEndpoint(app, hook);
  const began = new Date(Date.now() - 60_000);
  hook.answers = [500, 502, 503, 200, 500];
  const message = await post(app, 1);
  await awaitStats(app, endpoint, { fail: 1 });
  const attempts = () => svix.messageAttempt.listByMsg(app.id, message.id);
  const seen = (await attempts()).data.map((a) => [a.responseStatusCode, a.status, a.statusText, a.triggerType]);
  assert.deepEqual(seen, [[503, 2, "fail", 0], [502, 2, "fail", 0], [500, 2, "fail", 0]]);
  const failed = await all((o) => svix.messageAttempt.listByEndpoint(app.id, endpoint.id, o), {
    limit: 2,
    status: 2,
    statusCodeClass: 500,
    withContent: true,
    withMsg: true,
  });
  assert.equal(failed.length, 3);
  for (const attempt of failed) {
    has(attempt, { msgId: message.id, endpointId: endpoint.id, url: hook.url, response: "heard" });
    has(attempt.msg, { id: message.id, eventType: "walk.done" });
    assert.match(attempt.id, /^atmpt_[0-9A-Za-z]{27}$/);
    has(await svix.messageAttempt.get(app.id, message.id, attempt.id), { id: attempt.id, response: "heard" });
  }

  assert.deepEqual({ ...(await svix.messageAttempt.resend(app.id, message.id, endpoint.id)) }, {});
  await awaitStats(app, endpoint, { success: 1 });
  has((await attempts()).data[0], { responseStatusCode: 200, status: 0, statusText: "success", triggerType: 1 });
  await svix.messageAttempt.expungeContent(app.id, message.id, failed[0].id);
  assert.notEqual((await svix.messageAttempt.get(app.id, message.id, failed[0].id)).response, "heard");

  const late = await post(app, 2);
  await awaitStats(app, endpoint, { success: 1, fail: 1 });
  const messages = (await svix.messageAttempt.listAttemptedMessages(app.id, endpoint.id, { status: 2 })).data;
  assert.deepEqual(messages.map((m) => [m.id, m.statusText]), [[late.id, "fail"]]);
  const destinations = (await svix.messageAttempt.listAttemptedDestinations(app.id, late.id)).data;
  assert.deepEqual(destinations.map((d) => [d.id, d.status]), [[endpoint.id, 2]]);
  hook.answers.push(...Array(hook.received.length).fill(200));
  const task = await svix.endpoint.recover(app.id, endpoint.id, { since: began });
  has(task, { task: "endpoint.recover" });
  await awaitStats(app, endpoint, { success: 2 });
  await eventually("the task to finish", async () => (await svix.backgroundTask.get(task.id)).status === "finished");
  assert.ok((await all((o) => svix.backgroundTask.list(o), { limit: 1 })).some((t) => t.id === task.id));
});

test("send example, disable", async () => {
  const app = await newApp();
  const hook = receiver.hook();
  const endpoint = await newEndpoint(app, hook, { [types]: ["never"] });
  const example = await svix.endpoint.sendExample(app.id, endpoint.id, { eventType: `any.${unique}` });
  has(JSON.parse((await hook.awaitMessage(example.id))[0].body), { type: `any.${unique}`, data: {} });
  has(await svix.endpoint.patch(app.id, endpoint.id, { disabled: true }), { disabled: true });
  assert.deepEqual({ ...(await svix.message.precheck(app.id, { eventType: "never" })) }, { active: false });
  await refused(409, svix.endpoint.sendExample(app.id, endpoint.id, { eventType: "a" }), "conflict");
});

test("app portal", async () => {
  const app = await newApp();
  const foreign = await newApp();
  const access = await svix.authentication.appPortalAccess(app.id, {});
  assert.ok(access.url.startsWith(CALLBOARD_URL));
  const tenant = connect(access.token);
  await tenant.endpoint.create(app.id, { url: "https://tenant.example.com" });
  assert.equal((await tenant.endpoint.list(app.id)).data.length, 1);
  await refused(404, tenant.endpoint.list(foreign.id), "not_found");
  await refused(403, tenant.application.list(), "permission_denied");
  const viewer = connect((await svix.authentication.appPortalAccess(app.id, { capabilities: ["ViewBase"] })).token);
  await refused(403, viewer.endpoint.create(app.id, { url: "https://tenant.example.com" }), "permission_denied");
  await svix.authentication.expireAll(app.id, {});
  await refused(401, tenant.endpoint.list(app.id), "authentication_failed");
});

test("routes of later days", async () => {
  const app = await newApp();
  const endpoint = await newEndpoint(app, receiver.hook());
  await refused(501, svix.endpoint.replayMissing(app.id, endpoint.id, { since: new Date() }));
});
