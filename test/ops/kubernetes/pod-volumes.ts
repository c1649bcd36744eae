/** The volumes of a pod as folders, with the owners and modes that a kubelet gives them. */
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Items, type Manifest, ofKind, type Volume, type Workload } from './manifests.ts';

export type Data = Readonly<Record<string, string>>;

/** What ConfigMaps and Secrets there are. */
export interface Sources {
  objects: readonly Manifest[];
  secrets: Readonly<Record<string, Data>>;
}

/** Makes a folder for each volume, and returns their paths by name. What the pod has had already stays in those it may write to. */
export async function makeVolumes(workload: Workload, sources: Sources, folder: string): Promise<Map<string, string>> {
  const { object, template } = workload;
  const group = template.spec.securityContext?.fsGroup ?? 0;
  const claims = (object.spec.volumeClaimTemplates ?? []).map(({ metadata }): Volume => ({ name: metadata.name }));
  const paths = new Map<string, string>();
  for (const volume of [...(template.spec.volumes ?? []), ...claims]) {
    const path = join(folder, object.metadata.name, volume.name);
    const files = filesOf(volume, sources);
    paths.set(volume.name, path);
    await mkdir(path, { recursive: true });
    await own(path, group, files ? 0o755 : 0o2777);
    for (const [name, content] of Object.entries(files ?? {})) {
      await writeFile(join(path, name), content);
      await own(join(path, name), group, volume.configMap ? 0o644 : 0o440);
    }
  }
  return paths;
}

/** As fsGroup does it. Who is not root cannot, and lets everybody read instead. */
async function own(path: string, group: number, mode: number): Promise<void> {
  const root = process.getuid?.() === 0;
  if (root) await chown(path, 0, group);
  await chmod(path, root ? mode : mode | 0o444);
}

/** What a volume of ConfigMaps or Secrets holds; `undefined` for one that is empty, and there to be written to. */
function filesOf({ configMap, secret, projected }: Volume, { objects, secrets }: Sources): Data | undefined {
  const mapOf = (name: string) => ofKind(objects, 'ConfigMap').find(({ metadata }) => metadata.name === name)?.data;
  if (configMap) return pick(configMap.name, mapOf(configMap.name), configMap);
  if (secret) return pick(secret.secretName, secrets[secret.secretName], secret);
  const parts = projected?.sources.map(({ secret: source }) =>
    source ? pick(source.name, secrets[source.name], source) : {},
  );
  return parts && (Object.assign({}, ...parts) as Data);
}

function pick(name: string, data: Data | undefined, { items, optional }: Items & { optional?: boolean }): Data {
  if (!data && !optional) throw new Error(`the pod would wait for ${name}, which is not there`);
  if (!data || !items) return data ?? {};
  return Object.fromEntries(
    items.map(({ key, path }) => {
      const value = data[key];
      if (value === undefined) throw new Error(`the pod would wait for the key ${key} of ${name}`);
      return [path, value];
    }),
  );
}
