import { newApp, NewAppError } from './new-app-files.js';

/** `npm run new:app NAME`: an app of this workspace that builds, tests and drains. */
const [name, ...rest] = process.argv.slice(2);
try {
  if (name === undefined || rest.length > 0) throw new NewAppError('Say one name: npm run new:app shop');
  const written = await newApp(process.cwd(), name);
  process.stdout.write(
    `Made ${written.length} files of the app ${name}:\n${written.map((file) => `  ${file}\n`).join('')}\n` +
      `  npx nest start ${name} --watch   runs it, on PORT (3000)\n` +
      `  npm test -- apps/${name}         tests it\n` +
      `  npm run build                    builds it: node dist/bundle/${name}.js\n`,
  );
} catch (error) {
  if (!(error instanceof NewAppError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
