'use strict';

// The bearer token of a connection. OAuth2 connections and personal access tokens contain one. For a user name and
// password, or for the fields of a custom form, the app returns one that is valid for an hour.

const { createHash } = require('node:crypto');

const { failure, isObject, sentenceFor } = require('./errors');
const { send } = require('./http');

// A token is not used in its last minute, so that it does not expire on its way.
const MARGIN_SECONDS = 60;
const MOST_TOKENS = 1000;

class Tokens {
  constructor(app) {
    this.app = app;
    this.cache = new Map(); // a hash of the credentials -> {token, until}
  }

  async bearer(connection) {
    if (!isExchanged(connection)) {
      return connection?.secret_text ?? connection?.access_token;
    }
    const key = this.keyOf(connection);
    const cached = this.cache.get(key);
    if (cached && Date.now() < cached.until) {
      return cached.token;
    }
    // Newer servers store the token of a custom form that declares `refresh`. After the app has rejected it, it is not
    // used again.
    if (connection.access_token && !cached) {
      return connection.access_token;
    }
    const { access_token: token, expires_in: seconds } = await this.exchange(connection);
    this.remember(key, { token, until: Date.now() + (seconds - MARGIN_SECONDS) * 1000 });
    return token;
  }

  forget(connection) {
    this.remember(this.keyOf(connection), { until: 0 });
  }

  // The app's answer: {access_token, expires_in}.
  async exchange(connection) {
    const answer = await send(this.app, {
      url: `${this.app.addressFor(connection)}${this.app.apiPath}/token`,
      method: 'POST',
      headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
      body: JSON.stringify(credentialsOf(connection)),
      timeout: 'signIn',
    });
    if (answer.status !== 200 || !isObject(answer.body)) {
      throw failure(sentenceFor(this.app, answer, secretsOf(connection)), answer.status);
    }
    return answer.body;
  }

  remember(key, entry) {
    if (this.cache.size >= MOST_TOKENS) {
      this.cache.clear();
    }
    this.cache.set(key, entry);
  }

  // A hash, so that no memory dump of the cache shows a password.
  keyOf(connection) {
    const identity = JSON.stringify([this.app.addressFor(connection), credentialsOf(connection)]);
    return createHash('sha256').update(identity).digest('base64');
  }
}

function isExchanged(connection) {
  return connection?.type === 'BASIC_AUTH' || connection?.type === 'CUSTOM_AUTH';
}

function credentialsOf({ type, username, password, props }) {
  return type === 'BASIC_AUTH' ? { type, username, password } : { type, props };
}

// Values that no message may contain.
function secretsOf(connection) {
  const { secret_text: secret, access_token: token, password, props } = connection ?? {};
  const { base_url: _address, ...fields } = props ?? {};
  return [secret, token, password, ...Object.values(fields)];
}

module.exports = { Tokens, isExchanged, secretsOf };
