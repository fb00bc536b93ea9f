'use strict';

// Reads manifest.json and makes of it a piece for Activepieces. Nothing in here knows Tasklane:
// what the app offers stands in the manifest.

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

function built(factories, { type, ...options }) {
  return factories[type](options);
}

function properties(described) {
  return Object.fromEntries(
    Object.entries(described).map(([name, property]) => [name, built(PROPERTIES, property)]),
  );
}

// The fields of the action that were filled in. Nothing else in `propsValue` may be sent to the app: the engine puts the
// whole connection there too, as `auth`, with the client secret and all tokens. An empty field is left out because the
// API would refuse it, or take it for a value.
function filled(fields, propsValue) {
  const entries = Object.keys(fields).map((name) => [name, propsValue[name]]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined && value !== null && value !== ''));
}

function action(auth, name, { displayName, description, method, path, props }) {
  return createAction({
    auth,
    name,
    displayName,
    description,
    props: properties(props),
    async run({ auth: connection, propsValue }) {
      // Where the app is: part of an OAuth connection, a field of the action for any other.
      const { base_url = connection.props.base_url, ...input } = filled(props, propsValue);
      const answer = await httpClient.sendRequest({
        method,
        url: base_url.replace(/\/+$/, '') + path,
        authentication: {
          type: AuthenticationType.BEARER_TOKEN,
          token: connection.access_token ?? connection.secret_text,
        },
        [method === 'GET' ? 'queryParams' : 'body']: input,
        timeout: 30_000,
      });
      return answer.body;
    },
  });
}

const { props: authProps, ...described } = manifest.auth;
const auth = built(AUTH, authProps ? { ...described, props: properties(authProps) } : described);

module.exports = {
  piece: createPiece({
    displayName: manifest.displayName,
    description: manifest.description,
    minimumSupportedRelease: manifest.minimumSupportedRelease,
    logoUrl: manifest.logoUrl,
    authors: manifest.authors,
    auth,
    actions: Object.entries(manifest.actions).map(([name, one]) => action(auth, name, one)),
    triggers: [],
  }),
};
