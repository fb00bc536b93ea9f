'use strict';

// One HTTP request with `fetch`. TLS is checked as Node checks it, and no setting of the process is changed.

const { failure } = require('./errors');

// Seconds, for the whole answer. Activepieces waits 15 seconds for an account's name, 60 for a trigger and 10 minutes
// for an action.
const TIMEOUTS = { action: 120, form: 20, signIn: 12, trigger: 30 };

// Returns any answer, also an error, with its body as JSON or text.
async function send(app, { url, method, headers, body, timeout }) {
  const seconds = TIMEOUTS[timeout];
  try {
    const response = await fetch(url, {
      method,
      headers,
      body,
      // A redirect would turn a POST into a GET, and may lead to a server that must not see the body.
      redirect: 'manual',
      signal: AbortSignal.timeout(seconds * 1000),
    });
    return { status: response.status, headers: response.headers, body: parse(await response.text()) };
  } catch (error) {
    throw failure(reason(app, new URL(url).origin, error, seconds));
  }
}

function reason(app, origin, error, seconds) {
  if (error.name === 'TimeoutError') {
    return `${app.name} did not answer within ${seconds} seconds. Try again later.`;
  }
  // `fetch` itself only says "fetch failed".
  const cause = error.cause?.code ?? error.cause?.message ?? error.message;
  return `${app.name} cannot be reached at ${origin} (${cause}). Check its address, and whether it is running.`;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

// Lists are repeated names; objects are JSON, as no query has a form for them.
function queryString(values) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      query.append(name, typeof each === 'object' ? JSON.stringify(each) : String(each));
    }
  }
  return query.size > 0 ? `?${query}` : '';
}

module.exports = { TIMEOUTS, queryString, send };
