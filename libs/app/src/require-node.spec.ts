import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { LEAST_NODE, requireNode } from './require-node.js';

afterEach(() => void jest.restoreAllMocks());

describe('the Node that an app runs on', () => {
  it.each(['20.20.2', '22.18.0'])('%s is too old, which a sentence says', (version) => {
    const said = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    const exit = jest.spyOn(process, 'exit').mockReturnValue(undefined as never);
    requireNode(version);
    expect(said).toHaveBeenCalledWith(`Node ${LEAST_NODE} or later is needed; this is ${version}\n`);
    expect(exit).toHaveBeenCalledWith(1);
  });

  it.each(['22.19.0', '24.0.0'])('%s will do', (version) => {
    const exit = jest.spyOn(process, 'exit').mockReturnValue(undefined as never);
    requireNode(version);
    expect(exit).not.toHaveBeenCalled();
  });

  it('is what the package asks for', () => {
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
    expect(engines.node).toBe(`>=${LEAST_NODE}`);
  });
});
