import { launch } from './launch.js';
import { builtApps } from './programs.js';

process.exitCode = await launch(builtApps());
