/** Injects eyrie/config's ProgramInfo. */
export const PROGRAM_INFO = Symbol('program-info');
