import { defaultText, shown } from './inspect.js';
import { environments, type Setting, type Slices } from './setting.js';
import { isOptional, wantedBy } from './wanted.js';

/** The slices of each app, by the app's name. */
export type SlicesByApp = Readonly<Record<string, Slices>>;

/** One setting as the documentation tells it. */
export interface CatalogueEntry {
  name: string;
  description: string;
  wanted: string;
  secret: boolean;
  required: boolean;
  example?: string;
  /** The default outside `exceptions`; empty where there is none. */
  default: string;
  /** Environments with a default of their own. */
  exceptions: { environment: string; default: string }[];
  /** The apps that read it, in the order given. */
  apps: string[];
}

/** Every setting of every app once, by slice, in the order of the slices and of their fields. */
export function catalogue(slicesByApp: SlicesByApp): ReadonlyMap<string, CatalogueEntry[]> {
  const sections = new Map<string, CatalogueEntry[]>();
  const seen = new Map<string, { setting: Setting; entry: CatalogueEntry }>();
  for (const [app, slices] of Object.entries(slicesByApp)) {
    for (const [slice, { fields }] of Object.entries(slices)) {
      const section = sections.get(slice) ?? [];
      sections.set(slice, section);
      for (const setting of Object.values(fields)) {
        const known = seen.get(setting.name);
        if (known && known.setting !== setting) throw new Error(`${setting.name} is defined twice`);
        const entry = known?.entry ?? toEntry(setting);
        entry.apps.push(app);
        if (known) continue;
        section.push(entry);
        seen.set(setting.name, { setting, entry });
      }
    }
  }
  return sections;
}

function toEntry(setting: Setting): CatalogueEntry {
  const { name, description, example, schema, secret = false, defaults = {} } = setting;
  const common = defaultText({ ...setting, defaults: {} }, 'development');
  return {
    name,
    description,
    wanted: wantedBy(schema),
    secret,
    required: !isOptional(schema) && environments.some((environment) => defaults[environment] === undefined),
    ...(example !== undefined && { example }),
    default: common && shown(common, secret),
    exceptions: environments.flatMap((environment) => {
      const own = defaults[environment];
      return own === undefined ? [] : [{ environment, default: shown(own, secret) }];
    }),
    apps: [],
  };
}
