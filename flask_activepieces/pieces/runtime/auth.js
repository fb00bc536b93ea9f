'use strict';

// The kinds of connection, each checked against the app when it is saved.

// One kind is an object, several are a list: the engine takes the one whose type is that of the connection.
function buildAuth(app, declared) {
  const kinds = declared.map((kind) => buildKind(app, kind));
  return kinds.length > 1 ? kinds : kinds[0];
}

function buildKind(app, declared) {
  const connectionOf = CONNECTIONS[declared.type];
  return {
    ...declared,
    ...(declared.refresh && { refresh: buildRefresh(app, declared.refresh) }),
    validate: ({ auth }) => validate(app, connectionOf(auth)),
    getConnectionIdentifier: ({ auth }) => identify(app, connectionOf(auth)),
  };
}

// The engine passes the whole value of a connection to an action, but to these functions the bare string of a
// SECRET_TEXT and the bare fields of a CUSTOM_AUTH.
const CONNECTIONS = {
  OAUTH2: (auth) => auth,
  BASIC_AUTH: (auth) => ({ ...auth, type: 'BASIC_AUTH' }),
  SECRET_TEXT: (auth) => ({ type: 'SECRET_TEXT', secret_text: auth }),
  CUSTOM_AUTH: (auth) => ({ type: 'CUSTOM_AUTH', props: auth }),
};

// Never throws: the engine would show a failure of its own instead of the reason.
async function validate(app, connection) {
  try {
    await app.me(connection);
    return { valid: true };
  } catch (error) {
    const refused = `${app.name} does not accept this sign-in: check what you entered, and try again.`;
    return { valid: false, error: error.status === 401 ? refused : error.message };
  }
}

// "Ann Example, ann@example.com (Acme)"; a connection without a label is still a connection.
async function identify(app, connection) {
  try {
    const { name, email, workspace } = await app.me(connection);
    const account = [name, email === name ? '' : email].filter(Boolean).join(', ');
    return [account, workspace?.name && `(${workspace.name})`].filter(Boolean).join(' ') || undefined;
  } catch {
    return undefined;
  }
}

function buildRefresh(app, { defaultExpiresIn }) {
  return {
    defaultExpiresIn,
    generate: async ({ auth }) => {
      const { access_token, expires_in } = await app.tokens.exchange(CONNECTIONS.CUSTOM_AUTH(auth));
      return { access_token, expires_in };
    },
  };
}

module.exports = { buildAuth };
