/** What `engines` in the package says. */
export const LEAST_NODE = '22.19';

/** Ends the process with a sentence where Node is older: npm only warns, and what is missing would fail with a riddle. */
export function requireNode(version = process.versions.node): void {
  if (isOlder(version, LEAST_NODE)) {
    process.stderr.write(`Node ${LEAST_NODE} or later is needed; this is ${version}\n`);
    process.exit(1);
  }
}

function isOlder(version: string, least: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number);
  return major < leastMajor || (major === leastMajor && minor < leastMinor);
}
