import { launch } from './launch.js';
import { watchedApps } from './programs.js';

process.exitCode = await launch(watchedApps());
