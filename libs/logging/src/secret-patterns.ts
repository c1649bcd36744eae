/** What stands where a secret stood. */
export const redacted = '[redacted]';

/** Parts of names under which secrets stand. */
const telling =
  'passw|pwd|passphrase|passcode|secret|token|credential|authorization|cookie|signature|jwt' +
  '|(?:api|access|private|routing|service|integration|signing|encryption|auth|shared)[-_]?key|(?:webhook|slack[-_]?api)[-_]?url';
/** Names that tell of a secret only as a whole. */
const tellingWhole = 'pass|pw|auth|sig';

const secretKey = new RegExp(`${telling}|^(?:${tellingWhole})$`, 'i');
const countKey = /tokens(?:$|[_A-Z])/;
const headerName = new RegExp(`^(?:(?:proxy-)?authorization|(?:set-)?cookie2?|x-[\\w-]*(?:${telling})[\\w-]*)$`, 'i');
const optionName = new RegExp(`^--?[\\w-]*(?:${telling})[\\w-]*$`, 'i');

/** Whether the value under this key, or in this query parameter, is a secret. */
export function isSecretKey(key: string): boolean {
  return secretKey.test(key);
}

const inQuery = new RegExp(`%|${telling}|[?&](?:${tellingWhole})=`, 'i');

/** Whether a query may have a parameter whose name, decoded, tells of a secret. Errs on the side of yes. */
export function mayNameSecret(url: string): boolean {
  return inQuery.test(url);
}

/** Whether the value is one for people to read, whatever its key: yes, no, nothing, or a number of tokens. */
export function isInnocent(key: string, value: unknown): boolean {
  return value === null || typeof value === 'boolean' || (typeof value === 'number' && countKey.test(key));
}

/** Whether the item after this one is a secret: header names in raw headers, options in the arguments of a program. */
export function announcesSecret(item: unknown): boolean {
  return typeof item === 'string' && item.length <= 100 && (headerName.test(item) || optionName.test(item));
}

/** Keys and tokens that are known by how they begin. */
const knownForms =
  'eyJ[\\w-]{8,2000}\\.[\\w-]{2,}(?:\\.[\\w-]*){0,3}' + // JSON web tokens
  '|AKIA[A-Z0-9]{16}|AIza[\\w-]{30,}|gh[pousr]_\\w{20,}|github_pat_\\w{20,}|glpat-[\\w-]{15,}' +
  '|xox[a-z]-[\\w-]{8,}|xapp-[\\w-]{8,}|sk-[\\w-]{20,}|[rs]k_(?:live|test)_\\w{8,}|SG\\.[\\w-]{16,100}\\.[\\w-]{16,}' +
  '|ey[a-z]_[\\w-]{20,}'; // our own keys and tokens

/** Paths that let whoever knows them write. */
const secretPaths =
  'hooks\\.slack\\.com(?:/|%2F)\\w+(?:/|%2F)|discord(?:app)?\\.com/api/(?:v\\d+/)?webhooks/|\\.webhook\\.office\\.com/' +
  '|pagerduty\\.com/integration/|/services/(?=T[A-Z0-9]{6,}/B)|api\\.telegram\\.org/bot';

/** Matches generously: a text that it does not match holds nothing to redact. Also finished lines, with white space escaped. */
const generous = new RegExp(
  `${telling}|\\b(?:${tellingWhole})[\\\\"'\\s]{0,12}[:=]|bearer[\\s\\\\]|(?:basic|digest)[\\s\\\\]|-----BEGIN` +
    `|${secretPaths}|eyJ|AKIA|AIza|gh[pousr]_|github_pat_|glpat-|xox[a-z]-|xapp-|sk-|[rs]k_(?:live|test)_|SG\\.|ey[a-z]_`,
  'i',
);
const userPart = /:\/\/[^\s"]{0,500}?@|:[^\s"@]{1,256}@[\w.-]{1,253}:\d/;
const encodedUserPart = /%3A%2F%2F[^\s"]{0,500}?%40/i;

/**
 * Fragments, by their rarest letter, at least one of which is in whatever `generous` matches. They run over every line of
 * the log, which takes a fifth of the time: a position whose letter begins none of them costs a single comparison.
 */
const fragments = [
  '(?=[kpucg])(?:k(?:en|ie|(?<=[\\w-]k)ey|[-_]?url|[-_]?api|(?<=\\bsk)-|_(?:live|test)|s?(?:/|%2F|\\.(?:slack|office))|(?<=ak)ia)' +
    '|p(?:ass|w|at[-_])|uth|cre[td]|g(?:natu|(?<=sig)[\\\\"\'\\s:=]|est[\\s\\\\]|h[pousr]_|(?<=sg)\\.))',
  '(?=[jzbxyvg])(?:j(?:wt|(?<=eyj))|za|b(?:earer|asic[\\s\\\\]|egin )|x(?:ox|app-)|y(?:[a-z]_|\\.com/int)|vices/t|g/bot)',
].map((source) => new RegExp(source, 'i'));

/** Whether the text may hold something that {@link patterns} find, or a telling key. Errs on the side of yes. */
export function isSuspicious(text: string): boolean {
  if (text.includes('@') && userPart.test(text)) return true;
  if (text.includes('%40') && encodedUserPart.test(text)) return true;
  return fragments.some((fragment) => fragment.test(text)) && generous.test(text);
}

/** An optional run of backslashes and a quote: how a name ends, however many JSON texts it lies within. */
const endOfName = '\\\\{0,15}["\']?\\]?\\s{0,4}';
/** The same, URL-encoded, any number of times. */
const encoded = (codes: string) => `%(?:25){0,3}(?:${codes})`;

const valueForms = [
  // "…" with its quotes escaped: within one JSON text, or several
  /(?<escapes>\\{1,15})(?<quote>["'])[\s\S]*?(?:(?<!\\)\k<escapes>\k<quote>|$)/,
  /"(?:[^"\\]|\\[\s\S])*"?/,
  /'(?:[^'\\]|\\[\s\S])*'?/,
  // an array or object, with what lies one level deeper; after the name of its class, as Node prints it
  /(?:[A-Z]\w{0,60}(?:\(\d+\))? )?[[{][^[\]{}]*(?:[[{][^[\]{}]*[\]}]?[^[\]{}]*)*[\]}]?/,
  /(?:[^\s,;&"'}\]\\]|\\(?!"))+/,
].map(({ source }) => source);
/** Neither what is redacted already, nor the place in a file whose name tells of secrets. */
const unless = '(?!\\[redacted\\]|(?<=\\.[cm]?[jt]s:)\\d)';
const value = `${unless}(?:${valueForms.join('|')})`;

/**
 * What is replaced, in this order. A repetition after which the match could still fail is bounded; the others run to where
 * they must end, so that the whole takes linear time and no tail of a long secret is left.
 */
export const patterns: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN ([A-Z ]{0,40}PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|$)/g, redacted],
  // The user part of a URL. A password with a slash is not allowed there, and found nevertheless.
  [/(:\/\/)[^\s/?#"'<>]{1,500}@/g, `$1${redacted}@`],
  [/(:\/\/)[^\s/?#"'<>:@[]{0,200}:(?!\d{1,5}[/?#])[^\s"'<>]{1,500}@/g, `$1${redacted}@`],
  [/(%3A%2F%2F)(?:(?!%2F|%3F|%23)[^\s"'<>@]){1,500}?%40/gi, `$1${redacted}%40`],
  // A proxy without a scheme; the port tells it from a name with an address.
  [/\b[\w.-]{1,64}:[^\s:@/"'<>[\]]{1,256}@(?=[\w.-]{1,253}:\d)/g, `${redacted}@`],
  [new RegExp(`(${secretPaths})[^\\s"'<>\\\\]+`, 'gi'), `$1${redacted}`],
  [new RegExp(`\\b(?:${knownForms})`, 'g'), redacted],
  // A header's value runs to the end of its line.
  [
    new RegExp(`((?:authorization|cookie)2?${endOfName}[:=]\\s{0,4})(?![\\s\\\\"'[{])[^\\r\\n]+`, 'gi'),
    `$1${redacted}`,
  ],
  [/\b(bearer)\s{1,4}[\w.~+/=-]+/gi, `$1 ${redacted}`],
  [/\b([Bb]asic)\s{1,4}(?=[a-z+/]{0,64}[A-Z0-9])[\w+/=-]{6,}/g, `$1 ${redacted}`],
  [/\b(digest)\s{1,4}(?=[a-z]{1,20}=)[^\r\n]+/gi, `$1 ${redacted}`],
  [new RegExp(`((?:${telling})[\\w.-]{0,40}${endOfName}(?:=>|[:=])\\s{0,4})${value}`, 'gi'), `$1${redacted}`],
  [
    new RegExp(
      `(\\b(?:${tellingWhole})(?:\\\\{0,15}["']\\s{0,4}[:=]|\\s{0,4}=|:\\s{0,4}(?=["'])))\\s{0,4}${value}`,
      'gi',
    ),
    `$1${redacted}`,
  ],
  [
    new RegExp(
      `((?:${telling})[\\w.-]{0,40}(?:${encoded('22|27|5D')}){0,2}(?:[:=]|${encoded('3A|3D')})(?:\\+|${encoded('20|22|27')}){0,3})` +
        `${unless}(?:(?!${encoded('22|26|27|2C|7D')})[^\\s&"'<>])+`,
      'gi',
    ),
    `$1${redacted}`,
  ],
  // An option of a command, an element of XML, a statement, a row that PostgreSQL names
  [new RegExp(`(--?[\\w-]{0,40}(?:${telling})[\\w-]{0,40}\\s{1,4})(?!-)${value}`, 'gi'), `$1${redacted}`],
  [new RegExp(`(<[\\w:.-]{0,60}(?:${telling})[\\w:.-]{0,40}>)[^<]+`, 'gi'), `$1${redacted}`],
  [/\b((?:password|passphrase)\s{1,4})(?:'(?:[^']|'')*'?|"(?:[^"]|"")*"?)/gi, `$1${redacted}`],
  [new RegExp(`(Key \\([^()]{0,200}(?:${telling})[^()]{0,200}\\)=)\\([^\\n]*`, 'gi'), `$1(${redacted})`],
];
