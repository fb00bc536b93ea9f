'use strict';

// The fields of a form. Those that the app fills while the form is open get a function here, which never throws: the
// engine would show "Throws an error, reconnect or refresh the page" instead of the reason.

function buildProps(app, { props = {}, requireAuth }) {
  const build = (property) => buildProperty(app, property, { props, requireAuth });
  return Object.fromEntries(Object.entries(props).map(([name, property]) => [name, build(property)]));
}

function buildProperty(app, property, form) {
  switch (property.type) {
    case 'DROPDOWN':
    case 'MULTI_SELECT_DROPDOWN':
      return { ...property, options: (values, context) => askOptions(app, property, form, values, context) };
    case 'DYNAMIC':
      return { ...property, props: (values, context) => askProps(app, property, form, values, context) };
    case 'ARRAY':
      return property.properties
        ? { ...property, properties: buildProps(app, { ...form, props: property.properties }) }
        : property;
    default:
      return property;
  }
}

async function askOptions(app, property, form, values, context) {
  const missing = whatIsMissing(app, property, form, values);
  if (missing) {
    return { disabled: true, placeholder: missing, options: [] };
  }
  try {
    const { options = [], disabled = false, placeholder } = await ask(app, property.options, property, values, context);
    return { disabled, placeholder, options };
  } catch (error) {
    return { disabled: true, placeholder: error.message, options: [] };
  }
}

async function askProps(app, property, form, values, context) {
  if (whatIsMissing(app, property, form, values)) {
    return {};
  }
  try {
    return (await ask(app, property.props, property, values, context)).props ?? {};
  } catch (error) {
    // Fields are all that can be returned, so the message is one.
    return { problem: warning(error.message) };
  }
}

function warning(description) {
  return { type: 'MARKDOWN', displayName: 'Problem', description, required: false, variant: 'WARNING' };
}

function ask(app, name, { refreshers = [] }, { auth, ...values }, context) {
  const inputs = Object.fromEntries(refreshers.filter((each) => each in values).map((each) => [each, values[each]]));
  return app.ask(auth, {
    method: 'POST',
    path: `/options/${encodeURIComponent(name)}`,
    json: { inputs, search: context?.searchValue },
    timeout: 'form',
  });
}

// What the author must fill in before the app can be called.
function whatIsMissing(app, { refreshers = [] }, { props, requireAuth = true }, { auth, ...values }) {
  if (requireAuth && !auth) {
    return `Choose a connection to ${app.name} first.`;
  }
  const empty = refreshers.find((name) => props[name]?.required && isEmpty(values[name]));
  return empty && `Fill in "${props[empty].displayName}" first.`;
}

function isEmpty(value) {
  return value === undefined || value === null || value === '';
}

module.exports = { buildProps, isEmpty };
