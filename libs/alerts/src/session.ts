/**
 * How the hub's connections plan. All its statements find their rows by an index; but prepared ones keep the plan that was
 * right when a table was young and small, and reading it from end to end was cheap. They read in the order of the index, too,
 * and not in that of the table as bitmap scans do: whoever writes what it reads takes its locks in the order of all others.
 * Nor are any of them long enough for JIT compilation to pay.
 */
export const alertsSession = { enable_seqscan: 'off', enable_bitmapscan: 'off', jit: 'off' } as const;
