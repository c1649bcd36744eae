/** Freezes plain objects and arrays in depth; instances of classes (a URL, a RegExp) are left as they are. */
export function freezeDeep<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null && !Array.isArray(value)) return value;
  Object.values(value).forEach(freezeDeep);
  return Object.freeze(value);
}
