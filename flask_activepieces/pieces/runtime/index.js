'use strict';

// The piece that Activepieces loads. Everything about the app is in manifest.json.

const manifest = require('./manifest.json');
const { buildPiece } = require('./piece');

// Not `module.exports = {…}`: engines load this file with `import()`, and Node finds only exports that are assigned
// by name in a CommonJS module.
exports.piece = buildPiece(manifest);
