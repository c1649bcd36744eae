import { type LogLevel, logLevels } from './logging.config.js';

/** The name under which the level of all loggers without one of their own is read and set. */
export const rootLogger = 'ROOT';

/** How much a level matters; pino's numbers. */
export const levelValues: Readonly<Record<LogLevel, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: Infinity,
};

/** The level of one logger, in the words of Spring Boot's endpoint of the same purpose. */
export interface LoggerLevel {
  /** Its own level, or null where it follows the root. */
  configuredLevel: LogLevel | null;
  /** From this level on its lines are written. */
  effectiveLevel: LogLevel;
  /** When its own level ends (ISO 8601). */
  expiresAt?: string;
}

/** A level that was given to a logger; null takes it away. Times are milliseconds since 1970. */
export interface LevelChange {
  level: LogLevel | null;
  changedAt: number;
  expiresAt?: number;
  /** What follows when it expires. */
  revertsTo?: LogLevel;
}

/** All changes in force, by logger. */
export type LevelChanges = Record<string, LevelChange>;

/** A name or a number of names that cannot be taken; the message is for whoever asked. */
export class LoggerLevelError extends Error {
  override readonly name = 'LoggerLevelError';
}

export interface LevelEffects {
  /** Told the least of all levels in force. */
  apply(least: LogLevel): void;
  /** Told what to log, whatever the levels, of a change that was asked for here, or has expired. */
  announce(text: string, fields: Record<string, unknown>): void;
}

const mostOwnLevels = 100;
const mostRemembered = 500;
const mostNoticed = 500;
const plausibleName = /^(?!__proto__$)[^\p{C}]{1,100}$/u;
/** How long a level that was taken away is remembered, so that an older message of another process does not bring it back. */
const forgetAfterMs = 60_000;
/** Node's timers take no more. */
const longestTimer = 2 ** 31 - 1;

/**
 * The level of each logger, changeable while the process runs, with an expiry that reverts. Loggers come up by name when
 * they first write; both these and those with a level of their own are bounded in number.
 */
export class LoggerLevels {
  /** Told of every change that is asked for in this process. */
  onChange?: () => void;
  private readonly changes = new Map<string, LevelChange>();
  private readonly thresholds = new Map<string, number>();
  private rootThreshold: number;
  private othersDiffer = false;
  private timer?: NodeJS.Timeout;

  /** `initial` is the level from the settings. */
  constructor(
    private readonly initial: LogLevel,
    private readonly effects: LevelEffects,
  ) {
    this.rootThreshold = levelValues[initial];
  }

  /** False as long as every logger follows the root. */
  get differ(): boolean {
    return this.othersDiffer;
  }

  /** Whether a line of this importance, of {@link levelValues}, is written. On the way of every line: one look-up. */
  isEnabled(name: string | undefined, value: number): boolean {
    if (name === undefined) return value >= this.rootThreshold;
    return value >= (this.thresholds.get(name) ?? this.notice(name));
  }

  /** The level of any logger, seen or not. */
  levelOf(name: string): LoggerLevel {
    this.settle();
    const own = this.changes.get(canonical(name));
    const root = this.changes.get(rootLogger)?.level ?? this.initial;
    const configured = own?.level ?? (canonical(name) === rootLogger ? root : null);
    const level: LoggerLevel = { configuredLevel: configured, effectiveLevel: configured ?? root };
    if (own?.expiresAt !== undefined) level.expiresAt = new Date(own.expiresAt).toISOString();
    return level;
  }

  /** The root and every logger that was seen or set, by name. */
  all(): Record<string, LoggerLevel> {
    this.settle();
    const names = [...this.thresholds.keys()].filter((name) => canonical(name) !== rootLogger).sort();
    return Object.fromEntries([rootLogger, ...names].map((name) => [name, this.levelOf(name)]));
  }

  /**
   * Gives a logger a level of its own, for good or for a time, after which the one before returns; null takes it away.
   * Throws {@link LoggerLevelError}.
   */
  set(name: string, level: LogLevel | null, lastsMs?: number): LoggerLevel {
    this.settle();
    const logger = canonical(name);
    if (!plausibleName.test(logger)) {
      throw new LoggerLevelError('The name of a logger has 1 to 100 characters, none of them a control character');
    }
    const before = this.changes.get(logger);
    if (level === null && !before?.level) return this.levelOf(logger);
    const others = [...this.changes.values()].filter((change) => change.level !== null && change !== before);
    if (level !== null && others.length >= mostOwnLevels) {
      throw new LoggerLevelError(`${mostOwnLevels} loggers have a level of their own already; reset one first`);
    }
    const now = Date.now();
    const change: LevelChange = { level, changedAt: Math.max(now, (before?.changedAt ?? 0) + 1) };
    if (level !== null && lastsMs !== undefined) {
      change.expiresAt = now + lastsMs;
      const lasting = before?.expiresAt === undefined ? before?.level : before.revertsTo;
      if (lasting) change.revertsTo = lasting;
    }
    this.takeAloud(logger, change);
    this.onChange?.();
    return this.levelOf(logger);
  }

  /** All changes in force, for other processes to merge. */
  state(): LevelChanges {
    this.settle();
    return Object.fromEntries(this.changes);
  }

  /**
   * Takes over what is newer in the state of another process, whatever the order in which such states arrive. Returns
   * true if this process knows something newer, which the other should be told.
   */
  merge(state: LevelChanges): boolean {
    this.settle();
    for (const [name, change] of Object.entries(state)) this.take(name, change);
    this.apply();
    return [...this.changes].some(([name, change]) => isNewer(change, state[name]));
  }

  private notice(name: string): number {
    if (this.thresholds.size < mostNoticed && plausibleName.test(name)) this.thresholds.set(name, this.rootThreshold);
    return this.rootThreshold;
  }

  /** Lets expire what has expired, and forgets what is long over. */
  private settle(): void {
    const now = Date.now();
    for (const [name, change] of [...this.changes]) {
      if (hasExpired(change, now)) this.takeAloud(name, afterwards(change));
      else if (isForgettable(change, now) || (change.level === null && this.changes.size > mostRemembered)) {
        this.changes.delete(name);
      }
    }
  }

  private takeAloud(name: string, change: LevelChange): void {
    const { level, expiresAt } = change;
    this.take(name, change);
    this.apply();
    const until = expiresAt === undefined ? undefined : new Date(expiresAt).toISOString();
    const what = level === null ? 'its default again' : `now ${level}${until ? ` until ${until}` : ''}`;
    this.effects.announce(`Level of ${name} is ${what}`, { changed: { logger: name, level, expires_at: until } });
  }

  private take(name: string, given: LevelChange): void {
    const now = Date.now();
    const change = hasExpired(given, now) ? afterwards(given) : given;
    if (!isNewer(change, this.changes.get(name))) return;
    if (isForgettable(change, now)) this.changes.delete(name);
    else this.changes.set(name, change);
  }

  private apply(): void {
    this.rootThreshold = levelValues[this.changes.get(rootLogger)?.level ?? this.initial];
    for (const name of this.thresholds.keys()) this.thresholds.set(name, this.rootThreshold);
    let least = this.rootThreshold;
    this.othersDiffer = false;
    for (const [name, { level }] of this.changes) {
      if (level === null || name === rootLogger) continue;
      this.othersDiffer = true;
      this.thresholds.set(name, levelValues[level]);
      least = Math.min(least, levelValues[level]);
    }
    this.effects.apply(logLevels.find((level) => levelValues[level] === least) ?? this.initial);
    this.awaitExpiry();
  }

  private awaitExpiry(): void {
    clearTimeout(this.timer);
    const expiries = [...this.changes.values()].map(({ expiresAt = Infinity }) => expiresAt);
    const next = Math.min(Infinity, ...expiries);
    if (next === Infinity) return;
    const wake = () => {
      this.settle();
      this.awaitExpiry();
    };
    this.timer = setTimeout(wake, Math.min(Math.max(1, next - Date.now()), longestTimer)).unref();
  }
}

function canonical(name: string): string {
  return name.toUpperCase() === rootLogger ? rootLogger : name;
}

function hasExpired({ expiresAt }: LevelChange, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

function isForgettable({ level, changedAt }: LevelChange, now: number): boolean {
  return level === null && changedAt < now - forgetAfterMs;
}

/** What holds when a change has expired; the same in every process, whenever it notices. */
function afterwards({ revertsTo, expiresAt = 0 }: LevelChange): LevelChange {
  return { level: revertsTo ?? null, changedAt: expiresAt };
}

/** Of two changes of one millisecond, which two processes made, all processes prefer the same one. */
function isNewer(change: LevelChange, other: LevelChange | undefined): boolean {
  if (!other || change.changedAt !== other.changedAt) return change.changedAt > (other?.changedAt ?? -1);
  return JSON.stringify(change) > JSON.stringify(other);
}
