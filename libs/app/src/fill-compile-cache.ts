/** `node fill-compile-cache.js BUNDLE`: so that the apps of a bundle start with what V8 has compiled already. */
import { fillCompileCache } from './compile-cache.js';
import { holdYoungGeneration } from './young-generation.js';

holdYoungGeneration(); // as the apps do: V8 takes nothing that was compiled under other flags
await fillCompileCache(process.argv[2]!);
process.exit(0); // whatever a module has begun as it was loaded
