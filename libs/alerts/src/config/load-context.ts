import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isEncrypted } from 'eyrie/secrets';
import { Secret } from './secret.js';
import type { OpenSecret, Place } from './yaml-document.js';

/** What the parts of the loader share: where faults go, and the files that the configuration names. */
export interface LoadContext {
  /** Records a fault. */
  fault(message: string, place: Place): undefined;
  /**
   * A file's text, decrypted if it is an encrypted value; relative to the configuration's own directory. Undefined, with a
   * fault, where it cannot be read.
   */
  file(path: string, place: Place): string | undefined;
}

export function loadContext(baseDirectory: string, open: OpenSecret, fault: LoadContext['fault']): LoadContext {
  const read = (path: string, place: Place) => {
    try {
      return readFileSync(resolve(baseDirectory, path), 'utf8');
    } catch (error) {
      return fault(`cannot read ${path}: ${reason(error as NodeJS.ErrnoException)}`, place);
    }
  };
  return {
    fault,
    file(path, place) {
      const content = read(path, place);
      if (content === undefined || !isEncrypted(content.trim())) return content;
      try {
        return open(content.trim());
      } catch (error) {
        return fault(`what ${path} holds ${(error as Error).message}`, place);
      }
    },
  };
}

/** A secret given in place or as a file, whose surrounding white space does not count. Undefined for neither. */
export function secretOf(
  context: LoadContext,
  inline: Secret | undefined,
  file: string | undefined,
  place: Place,
): Secret | undefined {
  if (!file) return inline?.reveal() ? inline : undefined;
  const content = context.file(file, place)?.trim();
  if (content === '') return context.fault(`${file} is empty`, place);
  return content === undefined ? undefined : new Secret(content);
}

function reason({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return 'permission denied';
  return code === 'EISDIR' ? 'it is a directory' : message;
}
