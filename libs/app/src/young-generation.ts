import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8's young generation as small as it begins, until {@link letYoungGenerationGrow}. While an app loads, nearly all
 * that is made lives on; V8 takes that for a need of room, and doubles the young generation to 50 MiB, which the app then
 * keeps and may never need.
 *
 * It is collected by the thread whose garbage it is. A collection takes a millisecond, hundreds of times a second: helping
 * threads would spend more on waking up, and take the CPU from others where there is one for each process.
 *
 * All that is made begins there. V8 would make what it has mostly seen survive in the old generation at once, and after a
 * start that is, among others, the list in which Node keeps the listeners of an event: each such list would keep a whole
 * request, which is a fifth of what is made, until the old generation is collected.
 */
export function holdYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--no-parallel-scavenge');
  setFlagsFromString('--no-allocation-site-pretenuring');
}

/** From now on the young generation grows by what requests need of it. */
export function letYoungGenerationGrow(): void {
  setFlagsFromString('--semi-space-growth-factor=2'); // V8's own
}
