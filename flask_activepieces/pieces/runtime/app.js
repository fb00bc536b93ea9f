'use strict';

// The app behind the piece: where it is, and how to call it with a connection.

const { failure, isObject, sentenceFor } = require('./errors');
const { queryString, send } = require('./http');
const { Tokens, isExchanged, secretsOf } = require('./tokens');

class App {
  constructor(manifest) {
    this.name = manifest.displayName;
    this.baseUrl = manifest.baseUrl;
    this.apiPath = manifest.apiPath;
    this.tokens = new Tokens(this);
  }

  // The address without a slash at the end: the one in the connection, if its form asks for it, or the app's own.
  addressFor(connection) {
    const address = String(connection?.props?.base_url || this.baseUrl || '').trim();
    if (!/^https?:\/\/[^/]/i.test(address) || !URL.canParse(address)) {
      throw failure(`Enter the address of ${this.name} in the connection, such as https://app.example.com.`);
    }
    return address.replace(/\/+$/, '');
  }

  // The JSON of the answer; any other status than success is an error with a sentence and that `status`.
  async call(connection, { path, ...request }) {
    const url = this.addressFor(connection) + path;
    const answer = await this.request(connection, { url, ...request });
    if (answer.status < 200 || answer.status >= 300) {
      throw failure(sentenceFor(this, answer, secretsOf(connection)), answer.status);
    }
    return answer.body;
  }

  // The JSON object that one of the app's routes for pieces answers with.
  async ask(connection, { path, ...request }) {
    const answer = await this.call(connection, { path: this.apiPath + path, ...request });
    if (!isObject(answer)) {
      throw failure(`${this.name} gives an unexpected answer: check its address in the connection.`);
    }
    return answer;
  }

  // Any answer to a request with the connection's token.
  async request(connection, request) {
    const answer = await this.requestOnce(connection, request);
    if (answer.status !== 401 || !isExchanged(connection)) {
      return answer;
    }
    // The token for a user name and password was revoked before its time; the user name and password may still be
    // right.
    this.tokens.forget(connection);
    return this.requestOnce(connection, request);
  }

  async requestOnce(connection, { url, method, query = {}, json, form, headers = {}, timeout }) {
    const token = await this.tokens.bearer(connection);
    const sent = new Headers({ accept: 'application/json', ...headers });
    if (token) {
      sent.set('authorization', `Bearer ${token}`);
    }
    if (json !== undefined) {
      sent.set('content-type', 'application/json');
    }
    const body = json === undefined ? form : JSON.stringify(json);
    return send(this, { url: url + queryString(query), method, headers: sent, body, timeout });
  }

  // Who the connection acts as.
  me(connection) {
    return this.ask(connection, { method: 'GET', path: '/me', timeout: 'signIn' });
  }
}

module.exports = { App };
