'use strict';

// Plays the engine of Activepieces for one call of a piece: one JSON document in, one out.

const { randomUUID } = require('node:crypto');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const logged = [];
console.log = (...words) => logged.push(words.join(' '));

async function main() {
  const { directory, entry, steps, args, context, store, filePrefix } = JSON.parse(await read(process.stdin), revive);
  const files = [];
  const services = {
    store: storeOf(store),
    files: {
      write: async ({ fileName, data }) => {
        const token = randomUUID();
        files.push({ name: fileName, base64: data.toString('base64'), token });
        return filePrefix + token;
      },
    },
  };
  try {
    const called = steps.slice(0, -1).reduce((value, name) => value[name], await load(path.join(directory, entry)));
    const result = await called[steps.at(-1)](...args, ...(context ? [{ ...context, ...services }] : []));
    return { result, store, files, logged };
  } catch (error) {
    return { error: error.message, store, files, logged };
  }
}

// packages/server/engine: the module's first export whose class has this name.
async function load(file) {
  const module = await import(pathToFileURL(file));
  const piece = Object.values(module).find((each) => each?.constructor?.name === 'Piece');
  return { auth: piece.auth, actions: piece.actions(), triggers: piece.triggers() };
}

// By scope; the engine answers null for a missing key.
function storeOf(values) {
  return {
    get: async (key, scope = 'FLOW') => values[scope][key] ?? null,
    put: async (key, value, scope = 'FLOW') => { values[scope][key] = value; return value; },
    delete: async (key, scope = 'FLOW') => { delete values[scope][key]; },
  };
}

// {"$bytes": base64} stands for a Buffer, as in the engine's files.
function revive(_name, value) {
  return value && typeof value === 'object' && '$bytes' in value ? Buffer.from(value.$bytes, 'base64') : value;
}

async function read(stream) {
  const chunks = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

main().then((answer) => process.stdout.write(JSON.stringify(answer)));
