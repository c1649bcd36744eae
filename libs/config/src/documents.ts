import { catalogue, type CatalogueEntry, type SlicesByApp } from './catalogue.js';
import { redacted } from './inspect.js';
import { textTable } from './text-table.js';

/**
 * `.env.example`: every setting with its meaning. Copied to `.env` as it is, it changes nothing but the required
 * settings, which stand uncommented with their example.
 */
export function renderEnvExample(slicesByApp: SlicesByApp): string {
  const sections = [...catalogue(slicesByApp)].filter(([, entries]) => entries.length > 0);
  const parts = sections.map(([slice, entries]) => `# --- ${slice} ---\n\n${entries.map(envLines).join('\n')}`);
  return `${envHeader}\n${parts.join('\n')}`;
}

const envHeader = `# Every setting of Eyrie. Generated from the schemas by \`npm run config -- docs --write\`: do not edit.
# Copy to .env and uncomment what you change. How settings are read: docs/configuration.md.

# development, test, staging or production
# ENVIRONMENT=development

# The folder of secret files, each named after the setting it holds
# SECRETS_DIR=/run/secrets
`;

function envLines(entry: CatalogueEntry): string {
  const { name, description, wanted, example, required } = entry;
  const notes = [wanted, ...(required ? ['required'] : []), ...exceptions(entry), ...(entry.secret ? ['secret'] : [])];
  const fallback = entry.default === redacted ? '' : entry.default;
  const assignment = `${name}=${quoted(required ? (example ?? '') : fallback || (example ?? ''))}`;
  return `# ${description}\n# (${notes.join('; ')})\n${required ? '' : '# '}${assignment}\n`;
}

/** As Node's own parser of `.env` files reads it back. */
function quoted(value: string): string {
  if (/^[^\s#'"`\\]*$/.test(value)) return value;
  const mark = ["'", '"', '`'].find((each) => !value.includes(each));
  return mark ? `${mark}${value}${mark}` : value;
}

function exceptions(entry: CatalogueEntry): string[] {
  return entry.exceptions.map(({ environment, default: own }) => `${own} in ${environment}`);
}

/** `docs/configuration.md`: how settings are read, and a table of them for each slice. */
export function renderMarkdown(slicesByApp: SlicesByApp): string {
  const sections = [...catalogue(slicesByApp)].filter(([, entries]) => entries.length > 0);
  const tables = sections.map(([slice, entries]) => `## ${slice}\n\n${markdownTable(entries)}`);
  return [markdownHeader, ...tables].join('\n');
}

const markdownHeader = `# Configuration

Generated from the schemas by \`npm run config -- docs --write\`: do not edit.

\`npm run config\` prints each setting as it takes effect here, and where it came from (\`--json\` for programs).

\`ENVIRONMENT\` is \`development\` (the default), \`test\`, \`staging\` or \`production\`, from the process environment or
\`.env\`. A setting is taken from the first of these that has it:

1. the process environment;
2. \`.env.<environment>.local\`, then \`.env.<environment>\`, then \`.env\`, in the working directory;
3. the files of \`SECRETS_DIR\` (default \`/run/secrets\`), each named after its setting in upper or lower case;
4. the default.

In 1 and 2, \`<NAME>_FILE\` names a file that holds the value instead; giving both in one place is refused. One newline at
the end of a secret file is dropped. An empty value means "the default", whatever the weaker sources hold.

A bad environment stops the process at once with status 78 and a line for each fault. \`production\` also refuses secrets
(and passwords in secret URLs) that are documented examples, well-known words, or shorter than 16 characters.
`;

function markdownTable(entries: readonly CatalogueEntry[]): string {
  const rows = entries.map((entry) => [
    code(entry.name),
    entry.description + (entry.secret ? ' **Secret.**' : ''),
    entry.wanted,
    defaultCell(entry),
    entry.apps.join(', '),
  ]);
  const cells = rows.map((row) => row.map((cell) => cell.replace(/\s*\n\s*/g, ' ').replaceAll('|', '\\|')));
  return textTable(['Setting', 'Meaning', 'Wanted', 'Default', 'Apps'], cells, 'markdown');
}

function defaultCell(entry: CatalogueEntry): string {
  const own = entry.exceptions.map(({ environment, default: value }) => `${code(value)} in ${environment}`);
  const common = entry.default ? code(entry.default) : entry.required ? 'required' : 'none';
  return [common, ...own].join('; ');
}

/** Inline code that may itself hold backquotes. */
function code(text: string): string {
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``;
}
