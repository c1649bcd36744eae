import { type DynamicModule, Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { redactErrorsBy } from './redaction.js';
import { isTracing, stopTracing } from './running.js';
import { traceHandlers } from './trace-handlers.js';

export interface TracingOptions {
  /** What error messages and stacks pass through before they leave the process, such as `redact` of eyrie/logging. */
  redact?: (text: string) => string;
}

/**
 * Gives handlers their spans, and sends at shutdown what is still pending. Nest ends modules in the reverse order of
 * their import: as the first import of the root module this one ends last, when nothing makes spans any more.
 */
@Global()
@Module({})
export class TracingModule implements OnApplicationShutdown {
  constructor(@Inject(ModulesContainer) modules: ModulesContainer) {
    // Not in a hook: the router has looked at the handlers before the first one.
    if (isTracing()) traceHandlers(modules);
  }

  static forRoot({ redact }: TracingOptions = {}): DynamicModule {
    if (redact) redactErrorsBy(redact);
    return { module: TracingModule };
  }

  async onApplicationShutdown(): Promise<void> {
    await stopTracing();
  }
}
