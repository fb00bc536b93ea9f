'use strict';

// Standard Webhooks: `webhook-signature` is a list of "v1," + base64(HMAC-SHA256(secret, "<id>.<timestamp>.<body>")).

const { createHmac, timingSafeEqual } = require('node:crypto');

const MOST_SECONDS_AHEAD = 5 * 60;
// The specification also suggests five minutes here. But Activepieces queues an event until a worker has time, and an
// event that waited for longer would be lost. A repeated event has the same id, which the author of a flow can check.
const MOST_SECONDS_BEHIND = 24 * 60 * 60;

// What is wrong with a received event, or undefined.
function problemWith({ headers = {}, rawBody, body }, secrets, now = Date.now() / 1000) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (!id || !timestamp || !signatures) {
    return 'it has no signature.';
  }
  if (secrets.length === 0) {
    return 'this flow has no subscription.';
  }
  const age = now - Number(timestamp);
  if (!(age >= -MOST_SECONDS_AHEAD && age <= MOST_SECONDS_BEHIND)) {
    return 'its timestamp is too far from the current time.';
  }
  const content = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), bytesOf(rawBody, body)]);
  const received = String(signatures).split(' ').filter((each) => each.startsWith('v1,'));
  const isSigned = secrets.some((secret) => received.some((each) => isEqual(each.slice(3), sign(secret, content))));
  if (!isSigned) {
    return 'its signature does not match.';
  }
  return body?.id === id ? undefined : 'its body does not have the id of its header.';
}

// The body as it was received. Without a raw body, it is encoded again, which gives the same bytes for an app that
// writes compact JSON; otherwise the signature does not match.
function bytesOf(rawBody, body) {
  if (rawBody?.type === 'Buffer') {
    return Buffer.from(rawBody.data); // a Buffer that was JSON on its way from the server to the worker
  }
  return Buffer.from(rawBody ?? JSON.stringify(body));
}

function sign(secret, content) {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return createHmac('sha256', key).update(content).digest('base64');
}

function isEqual(received, expected) {
  const [left, right] = [Buffer.from(received), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}

module.exports = { problemWith };
