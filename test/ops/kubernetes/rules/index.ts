import type { Manifest } from '../manifests.ts';
import { shaped } from './custom-resources.ts';
import { keepOut, letThrough } from './network.ts';
import { bounded, mounted, pinned, probed, restricted } from './pods.ts';
import { connected, housed, provided } from './references.ts';
import { available, graceful, migrated, rolling, spread } from './rollout.ts';

/** A rule finds the faults of everything that is applied together. */
export type Rule = (objects: readonly Manifest[]) => string[];

/** By what they promise. */
export const rules: Readonly<Record<string, Rule>> = {
  'pods meet the restricted standard': restricted,
  'containers have requests and limits': bounded,
  'images are pinned': pinned,
  'apps have probes': probed,
  'volumes are there and used': mounted,
  'the grace outlasts the shutdown': graceful,
  'updates surge': rolling,
  'pods are spread': spread,
  'versions wait for their migration': migrated,
  'drains and scaling leave enough': available,
  'what is named is there': provided,
  'what selects finds': connected,
  'one namespace holds it all': housed,
  'NetworkPolicies let through what is needed': letThrough,
  'NetworkPolicies keep out the rest': keepOut,
  'resources of operators have their fields': shaped,
};

/** The faults by rule; a rule that cannot do its work finds that a fault. */
export function judge(objects: readonly Manifest[]): Map<string, string[]> {
  return new Map(
    Object.entries(rules).map(([name, rule]) => {
      try {
        return [name, rule(objects)];
      } catch (error) {
        return [name, [String(error)]];
      }
    }),
  );
}
