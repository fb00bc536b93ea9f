'use strict';

// node build.js VERSION MANIFEST: the metadata of the manifest's piece, as upstream's framework of that version has it.

const fs = require('node:fs');

const [version, manifestPath] = process.argv.slice(2);
const { createAction, createPiece, createTrigger, PieceAuth, Property } = require(`framework-${version}`);
const manifest = JSON.parse(fs.readFileSync(manifestPath, 'utf8'));

const PROPERTIES = {
  SHORT_TEXT: Property.ShortText,
  LONG_TEXT: Property.LongText,
  MARKDOWN: ({ description, variant }) => Property.MarkDown({ value: description, variant }),
  DROPDOWN: Property.Dropdown,
  STATIC_DROPDOWN: Property.StaticDropdown,
  NUMBER: Property.Number,
  CHECKBOX: Property.Checkbox,
  ARRAY: Property.Array,
  OBJECT: Property.Object,
  JSON: Property.Json,
  MULTI_SELECT_DROPDOWN: Property.MultiSelectDropdown,
  STATIC_MULTI_SELECT_DROPDOWN: Property.StaticMultiSelectDropdown,
  DYNAMIC: Property.DynamicProperties,
  DATE_TIME: Property.DateTime,
  FILE: Property.File,
  CUSTOM: Property.Custom,
  COLOR: Property.Color,
  SECRET_TEXT: PieceAuth.SecretText,
};
const AUTH = {
  OAUTH2: PieceAuth.OAuth2,
  SECRET_TEXT: PieceAuth.SecretText,
  BASIC_AUTH: PieceAuth.BasicAuth,
  CUSTOM_AUTH: PieceAuth.CustomAuth,
};
const hook = async () => {};

function map(described, build) {
  return described && Object.fromEntries(Object.entries(described).map(([name, each]) => [name, build(each)]));
}

// Without the properties of a kind that this framework does not have.
function form(described) {
  const known = Object.entries(described ?? {}).filter(([, { type }]) => type in PROPERTIES);
  return described && map(Object.fromEntries(known), property);
}

function property({ type, ...options }) {
  const functions = { DROPDOWN: { options: hook }, MULTI_SELECT_DROPDOWN: { options: hook }, DYNAMIC: { props: hook } };
  const properties = type === 'ARRAY' && options.properties ? { properties: form(options.properties) } : {};
  return PROPERTIES[type]({ ...options, ...properties, ...functions[type] });
}

function auth({ type, ...options }) {
  return AUTH[type]({ ...options, ...(options.props && { props: form(options.props) }), validate: hook });
}

function action([name, { request, ...options }]) {
  return createAction({ ...options, name, props: form(options.props), run: hook });
}

function trigger([name, { renew, type, ...options }]) {
  const handshake = { strategy: 'HEADER_PRESENT', paramName: 'webhook-handshake' };
  return createTrigger({
    ...options,
    name,
    type,
    props: form(options.props),
    handshakeConfiguration: handshake,
    renewConfiguration: renew && { strategy: 'CRON', cronExpression: renew },
    ...{ onEnable: hook, onDisable: hook, onRenew: hook, onHandshake: hook, run: hook, test: hook },
  });
}

const piece = createPiece({
  ...manifest,
  auth: manifest.auth.map(auth),
  actions: Object.entries(manifest.actions).map(action),
  triggers: Object.entries(manifest.triggers).map(trigger),
});
process.stdout.write(`${JSON.stringify(piece.metadata(), null, 2)}\n`);
