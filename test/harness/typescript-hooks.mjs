// For specs that need a second process: `node --experimental-transform-types --import <this file> program.ts` runs the
// sources as they are. Relative imports say .js, which is what they will be once built.
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, next) {
    const isSource = /^\.{1,2}\/.*\.js$/.test(specifier) && context.parentURL?.endsWith('.ts');
    return next(isSource ? specifier.replace(/\.js$/, '.ts') : specifier, context);
  },
});
