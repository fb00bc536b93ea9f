'use strict';

const { callCustom } = require('./custom_call');
const { failure } = require('./errors');
const { takeFiles, writeFiles } = require('./files');
const { Keys } = require('./idempotency');
const { buildProps, isEmpty } = require('./properties');

const NO_ERROR_HANDLING = { continueOnFailure: { defaultValue: false }, retryOnFailure: { defaultValue: false } };

function buildAction(app, name, { request, ...declared }) {
  const keys = new Keys();
  const perform = request.custom ? callCustom : callAction;
  return {
    requireAuth: true,
    errorHandlingOptions: NO_ERROR_HANDLING,
    ...declared,
    name,
    props: buildProps(app, declared),
    run: (context) => keys.during(context, (key) => perform(app, { ...declared, request }, context, key)),
    // The engine calls this to try a step out in the editor. Each attempt counts, so there is no key.
    test: (context) => perform(app, { ...declared, request }, context),
  };
}

async function callAction(app, { request, props = {} }, context, key) {
  const inputs = filledInputs(props, context.propsValue);
  const output = await app.call(context.auth, {
    method: request.method,
    path: fillPath(request, inputs, props),
    query: pick(inputs, request.query),
    ...bodyOf(request, inputs),
    headers: key ? { 'idempotency-key': key } : {},
    timeout: 'action',
  });
  return writeFiles(context, output);
}

// Only the action's own fields: `propsValue` also contains the whole connection as `auth`, with all its secrets.
// Empty fields are left out, because the app would reject or store them.
function filledInputs(props, values) {
  const names = Object.keys(props).filter((name) => props[name].type !== 'MARKDOWN' && !isEmpty(values[name]));
  return Object.fromEntries(names.map((name) => [name, values[name]]));
}

function fillPath({ path, pathParams = [] }, inputs, props) {
  return pathParams.reduce((filled, name) => {
    const value = isEmpty(inputs[name]) ? '' : String(inputs[name]);
    // A value must not lead to another route: it is encoded and no dot segment. And it has no slash, which many servers
    // decode before they choose the route.
    if (['', '.', '..'].includes(value) || value.includes('/')) {
      throw failure(`Fill in "${props[name]?.displayName ?? name}" with a valid value.`);
    }
    return filled.replace(`{${name}}`, () => encodeURIComponent(value));
  }, path);
}

function bodyOf({ method, body = [], files = [] }, inputs) {
  const { rest, parts } = takeFiles(pick(inputs, [...body, ...files]));
  if (parts.length === 0) {
    return method === 'GET' || method === 'DELETE' ? {} : { json: rest };
  }
  const form = new FormData();
  form.append('input', JSON.stringify(rest));
  for (const { name, file } of parts) {
    form.append(name, new Blob([file.data]), file.filename);
  }
  return { form };
}

function pick(inputs, names = []) {
  return Object.fromEntries(names.filter((name) => name in inputs).map((name) => [name, inputs[name]]));
}

module.exports = { buildAction };
