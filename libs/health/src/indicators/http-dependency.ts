/** An HTTP service that the process relies on. */
export interface HttpDependency {
  name: string;
  url: string;
}

/** Reads `name=url` or a URL, whose host then is the name; `undefined` for anything else. */
export function parseHttpDependency(text: string): HttpDependency | undefined {
  const [, given, url = text] = /^([\w.-]{1,63})=(.*)$/s.exec(text) ?? [];
  if (!URL.canParse(url)) return undefined;
  const { protocol, username, password, host, href } = new URL(url);
  if (!/^https?:$/.test(protocol) || username !== '' || password !== '') return undefined;
  return { name: given ?? host, url: href };
}
