'use strict';

// Errors as a sentence for the author of a flow.

const SHORTEST_SECRET = 4;
const LONGEST_SENTENCE = 1000;

// The engine shows the stack of an error, which does not help the author. So this error has no stack.
function failure(sentence, status) {
  const error = new Error(sentence);
  error.stack = `Error: ${sentence}`;
  // Not enumerable, because the engine shows such properties too.
  Object.defineProperty(error, 'status', { value: status });
  return error;
}

// The sentence for a response that is not a success. It contains only texts for people, and never a whole body.
function sentenceFor(app, { status, headers, body }, secrets = []) {
  return redact(describe(app, status, headers, body), secrets).slice(0, LONGEST_SENTENCE);
}

function describe(app, status, headers, body) {
  const problem = isObject(body) ? body : {};
  const detail = detailOf(problem);
  if (status >= 300 && status < 400) {
    return `${app.name} answers with a redirect: check its address in the connection.`;
  }
  if (status === 401) {
    return `Reconnect: the sign-in to ${app.name} has ended.`;
  }
  if (status === 403 && codeOf(problem, headers) === 'insufficient_scope') {
    return lacks(app, problem.scope ?? challengeOf(headers).scope);
  }
  if (status === 429 || status === 503) {
    return `${detail || `${app.name} is busy.`} ${whenToRetry(headers.get('retry-after'))}`;
  }
  const fields = sentencesOf(problem.fields ?? problem.errors);
  return fields.join(' ') || detail || `${app.name} answered with status ${status}.`;
}

function lacks(app, scope) {
  const scopes = [scope ?? []].flat().join(' ').split(' ').filter(Boolean);
  if (scopes.length === 0) {
    return `The connection lacks a permission in ${app.name}: reconnect and allow it.`;
  }
  const noun = scopes.length === 1 ? 'permission' : 'permissions';
  return `The connection lacks the ${noun} ${scopes.join(', ')}: reconnect and allow it.`;
}

// RFC 9110 §10.2.3: a number of seconds or a date.
function whenToRetry(header) {
  const seconds = /^\d+$/.test(header ?? '') ? Number(header) : Math.ceil((Date.parse(header) - Date.now()) / 1000);
  if (!(seconds >= 1)) {
    return 'Try again later.';
  }
  return `Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`;
}

// Problem details (RFC 9457), the errors of OAuth (RFC 6749 §5.2), and what other APIs use.
function detailOf({ detail, error_description: description, message, title, error }) {
  return [detail, description, message, title, error].find((text) => typeof text === 'string' && text) ?? '';
}

function codeOf(problem, headers) {
  return problem.code ?? problem.error ?? challengeOf(headers).error;
}

// RFC 6750 §3: Bearer error="insufficient_scope", scope="tasks:write"
function challengeOf(headers) {
  const pairs = (headers.get('www-authenticate') ?? '').matchAll(/(\w+)="([^"]*)"/g);
  return Object.fromEntries(Array.from(pairs, ([, name, value]) => [name, value]));
}

// {"title": ["Not a valid string."], "lines": {"0": {"due": "Missing."}}} as "title: Not a valid string.", …
function sentencesOf(errors, path = []) {
  if (typeof errors === 'string') {
    return [path.length > 0 ? `${path.join('.')}: ${errors}` : errors];
  }
  if (Array.isArray(errors)) {
    return errors.flatMap((each) => sentencesOf(each, path));
  }
  if (!isObject(errors)) {
    return [];
  }
  // marshmallow files an error of the whole input under _schema.
  return Object.entries(errors).flatMap(([name, inner]) =>
    sentencesOf(inner, name === '_schema' ? path : [...path, name]),
  );
}

function redact(sentence, secrets) {
  const long = secrets.filter((secret) => typeof secret === 'string' && secret.length >= SHORTEST_SECRET);
  return long.reduce((text, secret) => text.replaceAll(secret, '[hidden]'), sentence);
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

module.exports = { failure, isObject, sentenceFor };
