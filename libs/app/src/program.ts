import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ProgramInfo, Settings } from 'eyrie/config';
import type { StandardSlices } from './standard-settings.js';

/** What a program is made from. */
export interface ProgramContext<S extends StandardSlices = StandardSlices> {
  /** As {@link serve} was told. */
  service: string;
  settings: Settings<S>;
  info: ProgramInfo;
  /** Aborts when a stop is asked for while the program starts. */
  signal: AbortSignal;
}

/** An app, as {@link serve} runs it. */
export interface Program<S extends StandardSlices = StandardSlices> {
  /** Everything that it can be told: `{ ...standardSettings, … }`. */
  slices: S;
  /** Where it listens; 0 takes a free port. */
  port: (settings: Settings<S>) => number;
  /** Builds it, ready to listen; most often with `createServer` of eyrie/server. */
  create: (context: ProgramContext<S>) => Promise<NestFastifyApplication>;
}

/** Says which settings a program has, so that the compiler knows them in its `port` and `create`. */
export function defineProgram<S extends StandardSlices>(program: Program<S>): Program<S> {
  return program;
}

/** What `serve` is told. */
export interface Served<S extends StandardSlices> {
  /** The name of the service in logs, metrics and traces. */
  name: string;
  /** `import.meta.dirname`: the `package.json` above it tells the version. */
  directory: string;
  /** Loads the program: dynamically, so that a primary process never does, and that what it imports can be traced. */
  program: () => Promise<{ default: Program<S> }>;
}
