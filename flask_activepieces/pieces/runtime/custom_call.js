'use strict';

// The action "Custom API call": any request to the app, for what no other action does.

const { failure, sentenceFor } = require('./errors');
const { isEmpty } = require('./properties');
const { secretsOf } = require('./tokens');

async function callCustom(app, _declared, { auth, propsValue }, key) {
  const { method, path, query, body } = propsValue;
  const target = targetOf(app, auth, path);
  const answer = await app.request(auth, {
    method,
    url: target.origin + target.pathname,
    query: { ...Object.fromEntries(target.searchParams), ...query },
    headers: key ? { 'idempotency-key': key } : {},
    ...(!isEmpty(body) && method !== 'GET' && { json: body }),
    timeout: 'action',
  });
  if (answer.status >= 300) {
    throw failure(sentenceFor(app, answer, secretsOf(auth)), answer.status);
  }
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body: answer.body };
}

// A path, or a URL of the app. The request carries the connection's token, which no other server may see.
function targetOf(app, connection, path) {
  const address = app.addressFor(connection);
  const text = String(path ?? '').trim();
  const target = /^https?:/i.test(text) ? text : `${address}/${text.replace(/^\/+/, '')}`;
  if (!URL.canParse(target) || new URL(target).origin !== new URL(address).origin) {
    throw failure(`Enter a path, such as /api/tasks, or a URL that starts with ${address}.`);
  }
  return new URL(target);
}

module.exports = { callCustom };
