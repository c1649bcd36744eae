import type { ClusterMember } from './member.js';

let member: ClusterMember | undefined;

/** From here on this process is one of several. */
export function becomeMember(one: ClusterMember): void {
  member = one;
}

/** This process as one of several; `undefined` where it is the only one. */
export function currentMember(): ClusterMember | undefined {
  return member;
}
