export { createServer, type ServerOptions } from './create-server.js';
export { type ApiDescription, describeApi, schemaOf } from './open-api.js';
export { deepestNesting, parseJsonBody, pointerTo } from './json-body.js';
export { Problem, type ProblemBody, type ProblemError, type ProblemOptions } from './problem.js';
export { ProblemFilter } from './problem.filter.js';
export { serverSettings, type ServerSettings } from './server.config.js';
export { textFault } from './text-fault.js';
export { ZodBody, ZodPipe, ZodQuery } from './zod.decorators.js';
