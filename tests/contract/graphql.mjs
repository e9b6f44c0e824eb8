// GraphQL requests against the platform's schema: the text must validate, every declared variable
// must take the value that is sent, and nothing else may be sent.
import { buildSchema, getVariableValues, Kind, parse, validate } from 'graphql';

export function graphql(sdl, path) {
  const schema = buildSchema(sdl, { assumeValid: true });

  return (request) => {
    if (request.method !== 'POST' || request.path !== path)
      return [`GraphQL is spoken at POST ${path}`];
    const { query, variables = {}, ...rest } = request.body ?? {};
    if (typeof query !== 'string') return ['the body has no query'];
    let document;
    try {
      document = parse(query);
    } catch (error) {
      return [error.message];
    }
    const errors = validate(schema, document).map((error) => error.message);
    if (errors.length) return errors;
    const operations = document.definitions.filter((d) => d.kind === Kind.OPERATION_DEFINITION);
    if (operations.length !== 1) return ['there must be exactly one operation'];
    const declared = operations[0].variableDefinitions ?? [];
    const coerced = getVariableValues(schema, declared, variables);
    for (const error of coerced.errors ?? []) errors.push(error.message);
    for (const name of Object.keys(variables))
      if (!declared.some((d) => d.variable.name.value === name))
        errors.push(`variable ${name} is not declared`);
    for (const name of Object.keys(rest))
      errors.push(`member ${name} has no place beside query and variables`);
    return errors;
  };
}
