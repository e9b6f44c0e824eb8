// Requests against an OpenAPI 3 or Swagger 2 description: does the route exist, are all parameters
// declared, does the body match its schema. Stricter than the descriptions in one way: a member
// that a schema does not name is an error, because it is a misspelt one.
import Ajv from 'ajv-draft-04';
import addFormats from 'ajv-formats';

function newAjv(options) {
  const ajv = new Ajv({ strict: false, allErrors: true, ...options });
  addFormats(ajv);
  for (const name of ['int32', 'int64', 'uint64', 'float', 'double', 'dateTime', 'binary', 'byte'])
    ajv.addFormat(name, true);
  return ajv;
}
const bodies = newAjv({});
const texts = newAjv({ coerceTypes: true }); // parameters travel as text

// A copy with every $ref replaced; what refers to itself is left open at that point.
function resolve(doc, node, trail = []) {
  if (Array.isArray(node)) return node.map((item) => resolve(doc, item, trail));
  if (node === null || typeof node !== 'object') return node;
  if (typeof node.$ref === 'string') {
    if (trail.includes(node.$ref)) return {};
    let target = doc;
    for (const part of node.$ref.replace(/^#\//, '').split('/'))
      target = target?.[decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')];
    if (target === undefined) throw new Error(`the description lacks ${node.$ref}`);
    return resolve(doc, target, [...trail, node.$ref]);
  }
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, resolve(doc, value, trail)]),
  );
}

// Objects in an allOf name their members together, so they become one before it is closed.
function merge(schema) {
  const { allOf, ...rest } = schema;
  const whole = {
    type: 'object',
    ...rest,
    properties: { ...rest.properties },
    required: [...(rest.required ?? [])],
  };
  for (const part of allOf.map((item) => (item.allOf ? merge(item) : item))) {
    Object.assign(whole.properties, part.properties);
    whole.required.push(...(part.required ?? []));
  }
  if (whole.required.length === 0) delete whole.required;
  return whole;
}

function close(schema) {
  if (Array.isArray(schema)) return schema.map(close);
  if (schema === null || typeof schema !== 'object') return schema;
  const whole = schema.allOf?.every((part) => part.properties || part.allOf)
    ? merge(schema)
    : schema;
  const closed = {};
  for (const [key, value] of Object.entries(whole)) {
    if (key === 'properties')
      closed.properties = Object.fromEntries(
        Object.entries(value).map(([name, item]) => [name, close(item)]),
      );
    else if (['items', 'oneOf', 'anyOf', 'allOf', 'not', 'additionalProperties'].includes(key))
      closed[key] = close(value);
    else if (!['example', 'examples', 'description', 'title', 'discriminator', 'xml'].includes(key))
      closed[key] = value;
  }
  const choice = closed.oneOf ?? closed.anyOf ?? closed.allOf;
  if (closed.properties && !choice && closed.additionalProperties === undefined)
    closed.additionalProperties = false;
  return closed;
}

const words = (errors) =>
  errors.map((e) => `${e.instancePath || 'body'} ${e.message} ${JSON.stringify(e.params)}`);

// A template's last part may stand for several segments where it is a file's path.
function routePattern(template) {
  const parts = template.split('/').filter(Boolean);
  const pattern = parts.map((part, i) => {
    if (!/^\{.*\}$/.test(part)) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return i === parts.length - 1 && /path\}$/.test(part) ? '.+' : '[^/]+';
  });
  return {
    regexp: new RegExp(`^/${pattern.join('/')}$`),
    variables: parts.filter((p) => p.startsWith('{')).length,
  };
}

function schemaOf(parameter) {
  if (parameter.schema) return parameter.schema;
  const { name, in: place, required, description, collectionFormat, ...schema } = parameter;
  return schema;
}

function valueOf(parameter, schema, text) {
  if (schema.type !== 'array') return text;
  const separate =
    parameter.collectionFormat === 'multi' || (parameter.schema && parameter.explode !== false);
  return separate ? [text].flat() : String(text).split(',');
}

function checkQuery(parameters, query) {
  const errors = [];
  for (const name of Object.keys(query))
    if (!parameters.some((p) => p.in === 'query' && p.name === name))
      errors.push(`query parameter ${name} is not declared`);
  for (const parameter of parameters.filter((p) => p.in === 'query')) {
    if (!(parameter.name in query)) {
      if (parameter.required) errors.push(`query parameter ${parameter.name} is missing`);
      continue;
    }
    const schema = close(schemaOf(parameter));
    const wrapped = { v: valueOf(parameter, schema, query[parameter.name]) };
    const validate = texts.compile({ type: 'object', properties: { v: schema } });
    if (!validate(wrapped))
      errors.push(...words(validate.errors).map((text) => `query ${parameter.name}: ${text}`));
  }
  return errors;
}

function bodySchema(operation, parameters) {
  const body = parameters.find((p) => p.in === 'body');
  if (body) return { required: body.required, schema: body.schema, types: operation.consumes };
  const content = operation.requestBody?.content;
  if (!content) return null;
  return {
    required: operation.requestBody.required,
    schema: content['application/json']?.schema,
    types: Object.keys(content),
  };
}

export function openapi(doc, prefix) {
  const routes = Object.entries(doc.paths).map(([template, item]) => ({
    template,
    item,
    ...routePattern(template),
  }));
  routes.sort((a, b) => a.variables - b.variables); // a literal segment wins over a variable
  const validators = new Map();

  function checkBody(key, operation, parameters, request) {
    const declared = bodySchema(operation, parameters);
    const present = request.body !== undefined || request.body_bytes > 0;
    if (!declared) return present ? ['a body is sent, but none is declared'] : [];
    if (!present) return declared.required ? ['the body is missing'] : [];
    const type = request.headers['content-type']?.split(';')[0];
    const errors = [];
    if (declared.types && type && !declared.types.includes(type))
      errors.push(`content type ${type} is not declared`);
    if (request.body === undefined || !declared.schema || declared.schema.format === 'binary')
      return errors;
    if (!validators.has(key)) validators.set(key, bodies.compile(close(declared.schema)));
    const validate = validators.get(key);
    if (!validate(request.body)) errors.push(...words(validate.errors));
    return errors;
  }

  return (request) => {
    if (!request.path.startsWith(prefix)) return [`the path is outside of ${prefix}`];
    const path = request.path.slice(prefix.length);
    const method = request.method.toLowerCase();
    const route = routes.find((r) => r.regexp.test(path) && r.item[method]);
    if (!route) return ['no such method and path'];
    const operation = resolve(doc, route.item[method]);
    const parameters = [
      ...resolve(doc, route.item.parameters ?? []),
      ...(operation.parameters ?? []),
    ];
    return [
      ...checkQuery(parameters, request.query),
      ...checkBody(`${method} ${route.template}`, operation, parameters, request),
    ];
  };
}

// A route that no description has, by the page that documents it: {method, path, query, body}.
export function byHand(routes) {
  const compiled = routes.map((r) => ({ ...r, body: r.body && bodies.compile(close(r.body)) }));
  return (request) => {
    const route = compiled.find((r) => r.method === request.method && r.path.test(request.path));
    if (!route) return ['no such method and path'];
    const errors = Object.keys(request.query)
      .filter((name) => !(route.query ?? []).includes(name))
      .map((name) => `query parameter ${name} is not declared`);
    if (!route.body)
      return request.body === undefined
        ? errors
        : [...errors, 'a body is sent, but none is declared'];
    if (!route.body(request.body ?? null)) errors.push(...words(route.body.errors));
    return errors;
  };
}
