export { PruneSilencesHandler } from './prune-silences.handler.js';
export { pruneSilences } from './prune-silences.task.js';
export { LATEST_REVISION, SilenceIndex } from './silence-index.js';
export { InvalidSilence, type SilenceRequest } from './silence-request.js';
export { type SilenceEventView, type SilenceFilter, SilencesReader } from './silences-reader.js';
export { type SilenceActor, SilenceNotFound, SilencesService } from './silences.service.js';
export { type Silence, silenceState, type SilenceState, silenceStates } from './silence.js';
