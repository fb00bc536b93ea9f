'use strict';

// A trigger to which the app sends its events.

const { isObject } = require('./errors');
const { problemWith } = require('./signature');

// Kept in the store of the flow: {id, secrets}, the newest secret first. In a test run the engine uses another store.
const KEY = 'subscription';
// Events that were sent before a renewal or a publication may run after it: their secrets stay valid.
const KEPT_SECRETS = 3;

// With this header, the app asks whether its calls reach the flow; the piece answers and no run starts.
const HANDSHAKE_HEADER = 'webhook-handshake';
const handshakeConfiguration = { strategy: 'HEADER_PRESENT', paramName: HANDSHAKE_HEADER };

async function onHandshake(_trigger, { payload }) {
  const handshake = payload.headers[HANDSHAKE_HEADER];
  return { status: 200, body: { handshake }, headers: { 'content-type': 'application/json' } };
}

// May be called twice for one URL, for which the app keeps one subscription.
async function onEnable(trigger, context) {
  const { app, name } = trigger;
  const subscription = await app.ask(context.auth, {
    method: 'POST',
    path: '/subscriptions',
    json: { trigger: name, webhookUrl: context.webhookUrl, inputs: trigger.inputsOf(context) },
    timeout: 'trigger',
  });
  await remember(context, subscription);
}

// Never throws, because then the flow could not be disabled. The app finds out by the 404 to its next event.
async function onDisable({ app }, context) {
  try {
    const { id, secrets = [] } = (await context.store.get(KEY)) ?? {};
    if (id) {
      await context.store.put(KEY, { secrets });
      const path = `${app.apiPath}/subscriptions/${encodeURIComponent(id)}`;
      await app.call(context.auth, { method: 'DELETE', path, timeout: 'trigger' });
    }
  } catch (error) {
    console.log(`The subscription was not removed: ${error.message}`);
  }
}

async function onRenew(trigger, context) {
  const { app } = trigger;
  const { id } = (await context.store.get(KEY)) ?? {};
  if (!id) {
    return onEnable(trigger, context);
  }
  const path = `/subscriptions/${encodeURIComponent(id)}/renew`;
  try {
    await remember(context, await app.ask(context.auth, { method: 'POST', path, timeout: 'trigger' }));
  } catch (error) {
    if (error.status !== 404) {
      throw error;
    }
    await onEnable(trigger, context);
  }
}

async function remember({ store }, { id, secret }) {
  const { secrets = [] } = (await store.get(KEY)) ?? {};
  await store.put(KEY, { id, secrets: [...new Set([secret, ...secrets])].slice(0, KEPT_SECRETS) });
}

// One item per event. Anyone can call a flow's webhook URL, so what the app did not sign starts no run.
async function run(_trigger, { payload, store }) {
  const { secrets = [] } = (await store.get(KEY)) ?? {};
  const problem = problemWith(payload, secrets);
  if (problem) {
    console.log(`A webhook call was ignored: ${problem}`);
    return [];
  }
  const { id, data } = payload.body;
  // The engine drops an item whose key it has just seen: the app may deliver an event twice.
  return [{ ...(isObject(data) ? data : { data }), _dedupe_key: id }];
}

module.exports = { handshakeConfiguration, onDisable, onEnable, onHandshake, onRenew, run };
