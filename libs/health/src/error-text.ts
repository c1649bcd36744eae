import { redact, redacted } from 'eyrie/logging';

const longestText = 200;
const deepestCause = 3;
/** Up to what ends a sentence, not the URL. */
const url = /\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s"'<>`]*[^\s"'<>`:;,.)\]]/gi;
/** The words of a libpq connection string, `host=db user=eyrie dbname=eyrie`. */
const connectionWord = /\b(host|hostaddr|port|user|dbname|service)=('[^']*'?|\S+)/gi;

/** A text as it may be shown: one line, short, without secrets, and of a URL only the scheme. */
export function shortText(text: string): string {
  const safe = redact(text)
    .replace(url, `$1${redacted}`)
    .replace(connectionWord, `$1=${redacted}`)
    .replace(/\s+/g, ' ')
    .trim();
  return safe.length > longestText ? `${safe.slice(0, longestText).toWellFormed()}…` : safe;
}

/** What went wrong with its causes, as it may be shown. Never throws, whatever was thrown. */
export function errorText(error: unknown): string {
  try {
    const messages: string[] = [];
    for (let each = error; each !== undefined && each !== null && messages.length < deepestCause;) {
      messages.push(messageOf(each));
      each = typeof each === 'object' && 'cause' in each ? each.cause : undefined;
    }
    return shortText([...new Set(messages)].join(': ')) || 'failed';
  } catch {
    return 'failed';
  }
}

function messageOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { message, code, name } = error as { message?: unknown; code?: unknown; name?: unknown };
  // Of connections that were refused on every address Node's error has a code and no message.
  for (const text of [message, code, name]) if (typeof text === 'string' && text !== '') return text;
  return 'failed';
}
