'use strict';

const { isObject } = require('./errors');
const polling = require('./polling');
const { buildProps } = require('./properties');
const webhook = require('./webhook');

// Hand-made triggers must have every field that upstream's createTrigger sets: the engine and the server read them
// all.
function buildTrigger(app, name, { renew, ...declared }) {
  const hooks = declared.type === 'POLLING' ? polling : webhook;
  const trigger = { app, name, inputsOf: (context) => inputsOf(declared.props ?? {}, context.propsValue) };
  return {
    requireAuth: true,
    ...declared,
    name,
    props: buildProps(app, declared),
    handshakeConfiguration: hooks.handshakeConfiguration,
    renewConfiguration: renew ? { strategy: 'CRON', cronExpression: renew } : { strategy: 'NONE' },
    testStrategy: 'TEST_FUNCTION',
    onEnable: (context) => hooks.onEnable(trigger, context),
    onDisable: (context) => hooks.onDisable(trigger, context),
    onRenew: (context) => hooks.onRenew(trigger, context),
    onHandshake: (context) => hooks.onHandshake(trigger, context),
    onStart: async () => {},
    run: (context) => hooks.run(trigger, context),
    test: (context) => samples(trigger, context, declared.sampleData),
  };
}

// Without the connection, which the engine puts into `propsValue` with all its secrets.
function inputsOf(props, values) {
  const names = Object.keys(props).filter((name) => props[name].type !== 'MARKDOWN' && values[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, values[name]]));
}

// The newest events, or the example of the declaration if there are none yet. The server stores them one by one and
// shows the last one first, so the newest comes last here.
async function samples({ app, name, inputsOf: inputs }, context, sampleData) {
  const { data } = await app.ask(context.auth, {
    method: 'GET',
    path: `/triggers/${encodeURIComponent(name)}/samples`,
    query: { inputs: inputs(context) },
    timeout: 'trigger',
  });
  const newest = data.slice(0, 5).reverse();
  return newest.length > 0 || !isObject(sampleData) ? newest : [sampleData];
}

module.exports = { buildTrigger };
