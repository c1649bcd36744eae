/** How faults are planted. */
import { type Container, type Manifest, type PodSpec, type Spec } from '../manifests.ts';
import type { rules } from '../rules/index.ts';

export interface Fault {
  name: string;
  rule: keyof typeof rules;
  plant: (objects: Manifest[]) => void;
}

export const fault = (rule: keyof typeof rules, name: string, plant: (objects: Manifest[]) => void): Fault => ({
  name,
  rule,
  plant,
});

export function get(objects: Manifest[], kind: string, name: string): Manifest {
  const found = objects.find((each) => each.kind === kind && each.metadata.name.startsWith(name));
  if (!found) throw new Error(`no ${kind} ${name} to plant a fault in`);
  return found;
}
export const spec = (objects: Manifest[], kind: string, name: string): Spec => get(objects, kind, name).spec;
export const podOf = (objects: Manifest[], app: string): PodSpec =>
  spec(objects, 'Deployment', `eyrie-${app}`).template!.spec;
export const api = (objects: Manifest[]): PodSpec => podOf(objects, 'api');
export const container = (objects: Manifest[]): Container => api(objects).containers[0]!;
export const settings = (objects: Manifest[]) => get(objects, 'ConfigMap', 'eyrie-settings').data!;
export const drop = (objects: Manifest[], kind: string, name: string) =>
  objects.splice(objects.indexOf(get(objects, kind, name)), 1);
