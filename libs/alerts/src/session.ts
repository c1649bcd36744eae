/**
 * How the hub's connections plan. All its statements find their rows by an index; but prepared ones keep the plan that was
 * right when a table was young and small, and reading it from end to end was cheap. Nor are any of them long enough for
 * JIT compilation to pay.
 */
export const alertsSession = { enable_seqscan: 'off', jit: 'off' } as const;
