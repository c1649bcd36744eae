/** What is rendered and judged: each overlay as it is, with each component alone, and with those that belong together. */
export interface Combination {
  overlay: string;
  with?: readonly string[];
  without?: readonly string[];
}

/** What comes on top of an overlay, each by itself; the others are part of it already or stand in for something. */
const additions = ['monitoring', 'keda', 'tracing', 'external-secrets', 'cloudnative-pg', 'priority'];

export const combinations: readonly Combination[] = [
  { overlay: 'production' },
  { overlay: 'staging' },
  { overlay: 'trial' },
  ...['production', 'staging'].flatMap((overlay) => additions.map((name) => ({ overlay, with: [name] }))),
  { overlay: 'production', with: ['cloudnative-pg', 'cloudnative-pg/recovery'] },
  { overlay: 'production', without: ['ingress-nginx'] },
  { overlay: 'production', without: ['backup'] },
  { overlay: 'staging', with: ['data-stores'] },
  { overlay: 'trial', with: ['monitoring', 'tracing'] },
  { overlay: 'production', with: additions },
  {
    overlay: 'production',
    with: ['monitoring', 'keda', 'external-secrets', 'cloudnative-pg', 'cloudnative-pg/recovery', 'tracing'],
  },
];

export const nameOf = ({ overlay, with: more = [], without = [] }: Combination) =>
  [overlay, ...more.map((name) => `+ ${name}`), ...without.map((name) => `- ${name}`)].join(' ');
