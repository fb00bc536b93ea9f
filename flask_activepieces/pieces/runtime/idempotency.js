'use strict';

// A key by which the app recognizes a repeated call, so that a repeated step does not act twice.
//
// The run and the step are not enough: in a loop, both are the same for each item, and the engine does not say which
// item it is. So the key also contains a hash of the inputs and, for equal items, how often such a call has succeeded.
// A retry after a failure, or a run that starts again after a crash, uses the same keys.

const { createHash } = require('node:crypto');

const { replaceFiles } = require('./files');

const MOST_COUNTS = 10_000;

class Keys {
  constructor() {
    this.successes = new Map(); // key -> how often a call with it succeeded in this process
  }

  async during(context, call) {
    const key = keyOf(context);
    const before = this.successes.get(key) ?? 0;
    const output = await call(before === 0 ? key : `${key}:${before}`);
    if (this.successes.size >= MOST_COUNTS) {
      this.successes.clear();
    }
    this.successes.set(key, before + 1);
    return output;
  }
}

function keyOf({ run, step, propsValue: { auth, ...inputs } }) {
  const content = replaceFiles(inputs, ({ filename, data }) => [filename, hash(data)]);
  return `${run.id}:${step.name}:${hash(JSON.stringify(content)).slice(0, 16)}`;
}

function hash(content) {
  return createHash('sha256').update(content).digest('hex');
}

module.exports = { Keys };
