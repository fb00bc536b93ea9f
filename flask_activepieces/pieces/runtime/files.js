'use strict';

// Files between Activepieces and the app. The engine passes {filename, data, extension}.

const { isObject } = require('./errors');

// Takes the files out of the inputs: `rest` is JSON, and `parts` are sent beside it, in order, under the name of the
// property. In a list of objects that have other fields too, {"$file": n} keeps the place of the n-th part of that
// name.
function takeFiles(inputs) {
  const rest = {};
  const parts = [];
  for (const [name, value] of Object.entries(inputs)) {
    const files = [value].flat().map(onlyFile);
    if (files.length > 0 && files.every(Boolean)) {
      parts.push(...files.map((file) => ({ name, file })));
      continue;
    }
    let count = 0;
    rest[name] = replaceFiles(value, (file) => {
      parts.push({ name, file });
      return { $file: count++ };
    });
  }
  return { rest, parts };
}

// The file that an item is, or that is its only field: in a form, each item of a list is an object.
function onlyFile(item) {
  const fields = isObject(item) && !isFile(item) ? Object.values(item) : [item];
  return fields.length === 1 && isFile(fields[0]) ? fields[0] : undefined;
}

function replaceFiles(value, replace) {
  return isFile(value) ? replace(value) : mapInside(value, (inner) => replaceFiles(inner, replace));
}

// Stores each {"$file": {name, base64}} of an output in Activepieces, and puts its URL in its place.
async function writeFiles({ files }, output) {
  if (isObject(output) && isObject(output.$file)) {
    const { name, base64 } = output.$file;
    return files.write({ fileName: name, data: Buffer.from(base64, 'base64') });
  }
  return mapInsideAsync(output, (inner) => writeFiles({ files }, inner));
}

async function mapInsideAsync(value, map) {
  if (Array.isArray(value)) {
    return Promise.all(value.map(map));
  }
  if (!isObject(value)) {
    return value;
  }
  const pairs = Object.entries(value).map(async ([name, each]) => [name, await map(each)]);
  return Object.fromEntries(await Promise.all(pairs));
}

function mapInside(value, map) {
  if (Array.isArray(value)) {
    return value.map(map);
  }
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, map(each)])) : value;
}

function isFile(value) {
  return isObject(value) && typeof value.filename === 'string' && ArrayBuffer.isView(value.data);
}

module.exports = { replaceFiles, takeFiles, writeFiles };
