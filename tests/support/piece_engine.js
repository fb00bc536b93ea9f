'use strict';

// Loads pieces and calls them as the engine of Activepieces does. One JSON document per line in, one out.

const path = require('node:path');
const readline = require('node:readline');
const { pathToFileURL } = require('node:url');
const { inspect } = require('node:util');

const stores = new Map();
const logged = [];
console.log = (...words) => logged.push(words.join(' '));

// packages/server/engine: the module's first export whose class has this name.
async function load(directory) {
  const module = await import(pathToFileURL(path.join(directory, 'src', 'index.js')));
  const piece = Object.values(module).find((each) => each?.constructor?.name === 'Piece');
  if (piece === undefined) {
    throw new Error('no Piece');
  }
  return piece;
}

// packages/server/engine: a piece that names a version of the context gets the whole connection, any other the bare
// secret of a SECRET_TEXT and the bare fields of a CUSTOM_AUTH.
function connectionFor(piece, connection) {
  if (['1', '2'].includes(piece.getContextInfo?.().version)) {
    return connection;
  }
  return connection?.type === 'CUSTOM_AUTH' ? connection.props : connection?.secret_text ?? connection;
}

function contextFor(piece, { auth, propsValue, ...context }) {
  const connection = connectionFor(piece, auth);
  const values = propsValue?.auth ? { ...propsValue, auth: connection } : propsValue;
  return { ...context, auth: connection, propsValue: values };
}

// The engine's store answers null for a missing key, and values are JSON on their way.
function storeOf(directory, prefix) {
  const key = `${directory}:${prefix}`;
  const values = stores.get(key) ?? stores.set(key, new Map()).get(key);
  return {
    get: async (name) => JSON.parse(values.get(name) ?? 'null'),
    put: async (name, value) => values.set(name, JSON.stringify(value)),
    delete: async (name) => values.delete(name),
  };
}

const failingStore = {
  get: async () => { throw new Error('the store is away'); },
};

// {"$bytes": base64} stands for a Buffer, as in the engine's files.
function revive(_name, value) {
  return value && typeof value === 'object' && '$bytes' in value ? Buffer.from(value.$bytes, 'base64') : value;
}

async function answer({ directory, steps, context: given, prefix = '', storeFails = false, timeouts = {} }) {
  const piece = await load(directory);
  Object.assign(require(path.join(directory, 'src', 'http.js')).TIMEOUTS, timeouts);
  if (steps[0] === 'metadata') {
    return { result: piece.metadata(), info: piece.getContextInfo(), names: Object.keys(piece.actions()) };
  }
  // The functions of a connection get what the test says: `validate` has rules of its own.
  const context = steps[0] === 'auth' ? given : contextFor(piece, given);
  const files = [];
  const write = async ({ fileName, data }) => {
    files.push({ fileName, content: data.toString('base64') });
    return `https://activepieces.example/files/${fileName}`;
  };
  const store = storeFails ? failingStore : storeOf(directory, prefix);
  const called = steps.slice(0, -1).reduce((value, name) => value[name], { ...tree(piece), auth: piece.auth });
  const method = called[steps.at(-1)];
  // A dropdown gets the values of the form and a context of its own.
  const isForm = ['options', 'props'].includes(steps.at(-1));
  const result = isForm ? await method(context.propsValue, context) : await method({ ...context, store, files: { write } });
  return { result, files, store: Object.fromEntries(stores.get(`${directory}:${prefix}`) ?? []) };
}

function tree(piece) {
  return { action: piece.actions(), trigger: piece.triggers() };
}

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  logged.length = 0;
  let output;
  try {
    output = await answer(JSON.parse(line, revive));
  } catch (error) {
    output = { error: error.message, shown: inspect(error) };
  }
  process.stdout.write(`${JSON.stringify({ ...output, logged })}\n`);
});
