'use strict';

// A trigger for which the engine asks the app, where Activepieces cannot be reached from the app.

// Kept in the store of the flow: {cursor, subscription}.
const KEY = 'position';
// More pages wait for the next time, so that one run of the trigger does not exceed the engine's limit.
const MOST_PAGES = 10;

const handshakeConfiguration = { strategy: 'NONE' };

async function onHandshake() {
  return { status: 200 };
}

async function onRenew() {}

// Events count from now on. The app may answer with a `subscription`, which is then part of each call.
async function onEnable(trigger, context) {
  const { cursor, subscription } = await poll(trigger, context, { cursor: null });
  await context.store.put(KEY, { cursor, subscription });
}

// Never throws, because then the flow could not be disabled.
async function onDisable({ app }, context) {
  try {
    const { subscription } = (await context.store.get(KEY)) ?? {};
    await context.store.delete(KEY);
    if (subscription) {
      const path = `${app.apiPath}/subscriptions/${encodeURIComponent(subscription)}`;
      await app.call(context.auth, { method: 'DELETE', path, timeout: 'trigger' });
    }
  } catch (error) {
    console.log(`The subscription was not removed: ${error.message}`);
  }
}

// The events since the last time, oldest first. The position is stored once, after the last call: if one of them
// fails, all are repeated the next time.
async function run(trigger, context) {
  let position = (await context.store.get(KEY)) ?? { cursor: null };
  const items = [];
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { data, cursor } = await poll(trigger, context, position);
    items.push(...data.map(({ id, payload }) => ({ ...payload, _dedupe_key: id })));
    position = { ...position, cursor };
    if (data.length === 0) {
      break;
    }
  }
  await context.store.put(KEY, position);
  return items;
}

function poll({ app, name, inputsOf }, context, { cursor, subscription }) {
  return app.ask(context.auth, {
    method: 'POST',
    path: `/triggers/${encodeURIComponent(name)}/poll`,
    json: { inputs: inputsOf(context), cursor, subscription },
    timeout: 'trigger',
  });
}

module.exports = { handshakeConfiguration, onDisable, onEnable, onHandshake, onRenew, run };
