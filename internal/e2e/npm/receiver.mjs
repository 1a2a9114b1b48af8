// A receiver of webhooks on loopback. It verifies every delivery with both libraries, by both families of headers.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { Webhook as StandardWebhook } from "standardwebhooks";

const patience = 30_000;

/** Waits until look gives something that is not undefined or false. */
export async function eventually(what, look) {
  const deadline = Date.now() + patience;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    assert.ok(Date.now() < deadline, `waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** One path of a receiver: the URL and the secret of one endpoint. */
class Hook {
  constructor(url) {
    this.url = url;
    this.secret = "whsec_" + randomBytes(32).toString("base64");
    this.answers = [200]; // statuses; the last one again and again
    this.received = [];
  }

  /** Waits until n deliveries of a message have come. */
  awaitMessage(id, n = 1) {
    return eventually(`${n} deliveries of ${id}`, () => {
      const found = this.received.filter((d) => d.id === id);
      return found.length >= n && found;
    });
  }
}

/** Checks a delivery with Svix's library and the standard's; throws if one of them refuses it. */
export function verify(SvixWebhook, secret, body, headers) {
  const only = (prefix) => Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith(prefix)));
  new SvixWebhook(secret).verify(body, only("svix-"));
  new SvixWebhook(secret).verify(body, only("webhook-"));
  assert.deepEqual(new StandardWebhook(secret).verify(body, only("webhook-")), JSON.parse(body));
}

/** A server for any number of hooks. Deliveries that do not verify are kept in failures. */
export class Receiver {
  constructor(SvixWebhook) {
    this.SvixWebhook = SvixWebhook;
    this.hooks = [];
    this.failures = [];
    this.server = createServer((request, response) => this.take(request, response));
  }

  async start() {
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
  }

  stop() {
    this.server.close();
    this.server.closeAllConnections();
  }

  hook() {
    const hook = new Hook(`http://127.0.0.1:${this.server.address().port}/${this.hooks.length}`);
    this.hooks.push(hook);
    return hook;
  }

  async take(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const hook = this.hooks[Number(request.url.slice(1))];
    try {
      verify(this.SvixWebhook, hook.secret, body, request.headers);
    } catch (error) {
      this.failures.push(error);
    }
    hook.received.push({ id: request.headers["webhook-id"], headers: request.headers, body });
    response.writeHead(hook.answers[Math.min(hook.received.length, hook.answers.length) - 1]);
    response.end("heard");
  }
}
