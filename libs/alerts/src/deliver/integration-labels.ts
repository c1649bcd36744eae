/** The labels of an integration's metrics, from its key "receiver/type/index". */
export function integrationLabels(key: string): { receiver: string; integration: string } {
  const [, receiver = key, integration = key] = /^(.*)\/([^/]+)\/\d+$/s.exec(key) ?? [];
  return { receiver, integration };
}
