'use strict';

const { buildAction } = require('./actions');
const { App } = require('./app');
const { buildAuth } = require('./auth');
const { buildTrigger } = require('./triggers');

// The engine uses the first export whose class has exactly this name. Upstream's class is part of a framework that is
// no longer published, and older servers hide its pieces. To an engine, this class is the same.
class Piece {
  constructor(manifest, { auth, actions, triggers }) {
    this.displayName = manifest.displayName;
    this.logoUrl = manifest.logoUrl;
    this.authors = manifest.authors ?? [];
    this.categories = manifest.categories ?? [];
    this.auth = auth;
    this.minimumSupportedRelease = manifest.minimumSupportedRelease;
    this.maximumSupportedRelease = manifest.maximumSupportedRelease;
    this.description = manifest.description ?? '';
    this._actions = actions;
    this._triggers = triggers;
  }

  // Version 1 of the context is understood by servers from 0.73 on; with version 2, servers below 0.82 hide the
  // piece.
  getContextInfo() {
    return { version: '1' };
  }

  metadata() {
    return {
      displayName: this.displayName,
      logoUrl: this.logoUrl,
      actions: this._actions,
      triggers: this._triggers,
      categories: this.categories,
      description: this.description,
      authors: this.authors,
      auth: Array.isArray(this.auth) ? this.auth.map(withIdentifierFlag) : this.auth && withIdentifierFlag(this.auth),
      minimumSupportedRelease: this.minimumSupportedRelease,
      maximumSupportedRelease: this.maximumSupportedRelease,
      contextInfo: this.getContextInfo(),
    };
  }

  getAction(name) {
    return this._actions[name];
  }

  getTrigger(name) {
    return this._triggers[name];
  }

  actions() {
    return this._actions;
  }

  triggers() {
    return this._triggers;
  }
}

// The server keeps metadata as JSON, which drops functions: it asks for an account's name only if this says so.
function withIdentifierFlag(auth) {
  return { ...auth, hasConnectionIdentifier: auth.getConnectionIdentifier !== undefined };
}

function buildPiece(manifest) {
  const app = new App(manifest);
  return new Piece(manifest, {
    auth: buildAuth(app, manifest.auth ?? []),
    actions: buildAll(manifest.actions, (name, declared) => buildAction(app, name, declared)),
    triggers: buildAll(manifest.triggers, (name, declared) => buildTrigger(app, name, declared)),
  });
}

function buildAll(declared, build) {
  return Object.fromEntries(Object.entries(declared ?? {}).map(([name, each]) => [name, build(name, each)]));
}

module.exports = { Piece, buildPiece };
