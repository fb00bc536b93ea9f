'use strict';

// Builds a piece for Activepieces from manifest.json. Everything about Tasklane is in the manifest.

const { createAction, createPiece, PieceAuth, Property } = require('@activepieces/pieces-framework');
const { AuthenticationType, httpClient } = require('@activepieces/pieces-common');
const manifest = require('./manifest.json');

const AUTH = { OAUTH2: PieceAuth.OAuth2, SECRET_TEXT: PieceAuth.SecretText };
const PROPERTIES = {
  CHECKBOX: Property.Checkbox,
  LONG_TEXT: Property.LongText,
  NUMBER: Property.Number,
  SHORT_TEXT: Property.ShortText,
};

function build(factories, { type, ...options }) {
  return factories[type](options);
}

function buildProperties(descriptions) {
  return Object.fromEntries(
    Object.entries(descriptions).map(([name, property]) => [name, build(PROPERTIES, property)]),
  );
}

// Returns the action's own fields that have a value. Never send the rest of `propsValue` to the app: the engine puts the
// whole connection there, too, as `auth`, with the client secret and all tokens. Empty fields are left out because the
// API would reject them or store them.
function filledFields(fields, propsValue) {
  const entries = Object.keys(fields).map((name) => [name, propsValue[name]]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined && value !== null && value !== ''));
}

function buildAction(auth, name, { displayName, description, method, path, props }) {
  return createAction({
    auth,
    name,
    displayName,
    description,
    props: buildProperties(props),
    async run({ auth: connection, propsValue }) {
      // The address of the app is part of an OAuth connection; with other connections, it is a field of the action.
      const { base_url = connection.props.base_url, ...input } = filledFields(props, propsValue);
      const response = await httpClient.sendRequest({
        method,
        url: base_url.replace(/\/+$/, '') + path,
        authentication: {
          type: AuthenticationType.BEARER_TOKEN,
          token: connection.access_token ?? connection.secret_text,
        },
        [method === 'GET' ? 'queryParams' : 'body']: input,
        timeout: 30_000,
      });
      return response.body;
    },
  });
}

const { props: authProps, ...authOptions } = manifest.auth;
const auth = build(AUTH, authProps ? { ...authOptions, props: buildProperties(authProps) } : authOptions);

module.exports = {
  piece: createPiece({
    displayName: manifest.displayName,
    description: manifest.description,
    minimumSupportedRelease: manifest.minimumSupportedRelease,
    logoUrl: manifest.logoUrl,
    authors: manifest.authors,
    auth,
    actions: Object.entries(manifest.actions).map(([name, description]) => buildAction(auth, name, description)),
    triggers: [],
  }),
};
