/** Why the local product cannot run or go on: one sentence for the person at the terminal. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
}
