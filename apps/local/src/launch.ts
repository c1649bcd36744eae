import { loadSettingsOrExit } from 'eyrie/config';
import { EmbeddedDatabaseError } from 'eyrie/database';
import { LaunchError } from './launch-error.js';
import { slices } from './local.config.js';
import { LocalProduct } from './local-product.js';
import type { Programs } from './programs.js';
import { Screen } from './screen.js';
import { onStopRequest } from './stop-request.js';

/** Runs the local product until Ctrl-C; the exit status. */
export async function launch(programs: Programs): Promise<number> {
  const screen = new Screen();
  const stop = new AbortController();
  const product = new LocalProduct({
    settings: loadSettingsOrExit(slices),
    programs,
    screen,
    folder: '.eyrie',
    stop: stop.signal,
  });
  onStopRequest({
    first: () => {
      screen.show('Stopping: the apps drain, then the database stops. Ctrl-C again ends them at once.');
      stop.abort();
    },
    second: () => {
      product.kill();
      screen.complain('Ended at once. An embedded database goes on running; the next start adopts it.');
      process.exit(130);
    },
  });
  try {
    await product.run();
    screen.show('Stopped.');
    return 0;
  } catch (error) {
    if (!(error instanceof LaunchError) && !(error instanceof EmbeddedDatabaseError)) throw error;
    screen.complain(error.message);
    return 1;
  }
}
