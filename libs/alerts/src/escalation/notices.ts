import { Inject, Injectable } from '@nestjs/common';
import { type Queryable } from 'eyrie/database';
import { NAME_LABEL } from '../alert.js';
import { ALERTS_OPTIONS, type AlertsOptions } from '../alerts.config.js';
import { AlertsConfigStore } from '../alerts-config.store.js';
import { type Labels } from '../config/index.js';
import { type Member } from '../dispatch/member.js';
import { renderNotification } from '../dispatch/render.js';
import { TELL } from '../dispatch/statements.js';
import { type NotificationReason } from '../notify/index.js';

/** An alert of which a receiver is to be told because of an escalation. */
export interface Notice {
  readonly escalation: string;
  readonly member: Member;
  readonly receiver: string;
  readonly reason: NotificationReason;
}

/** Puts notices on the same way as the notifications of groups: durable, in order, with attempts and dead letters. */
@Injectable()
export class Notices {
  constructor(
    private readonly configs: AlertsConfigStore,
    @Inject(ALERTS_OPTIONS) private readonly options: Pick<AlertsOptions, 'externalUrl'>,
  ) {}

  /** In the caller's transaction. A receiver hears once of an alert in one call. `now` in milliseconds. */
  async send(tx: Queryable, notices: readonly Notice[], now: number): Promise<void> {
    const { receivers } = this.configs.config;
    const tellings = notices.flatMap((notice) =>
      (receivers.get(notice.receiver)?.integrations ?? [])
        .filter(({ sendResolved }) => sendResolved || notice.member.state === 'firing')
        .map((integration) => ({ ...notice, integration })),
    );
    if (tellings.length === 0) return;
    const fingerprints = (state: Member['state']) =>
      tellings.map(({ member }) => (member.state === state ? `{${member.fingerprint}}` : '{}'));
    await tx.query(TELL, [
      tellings.map(({ member }) => member.id),
      tellings.map(({ receiver }) => receiver),
      tellings.map(({ integration }) => integration.key),
      fingerprints('firing'),
      fingerprints('resolved'),
      tellings.map(({ member }) => `{${member.fingerprint}}`),
      tellings.map(({ escalation, member, integration, reason }) => {
        const group = { id: member.id, key: keyOf(escalation, member), route: '', labels: nameOf(member) };
        return JSON.stringify(renderNotification(group, integration, [member], reason, this.options.externalUrl));
      }),
      now / 1000,
      tellings.map(() => null),
    ]);
  }
}

/** The key by which receivers recognise what belongs together, as they do for groups. */
function keyOf(escalation: string, { id }: Member): string {
  return `escalation/${escalation}/${id}`;
}

function nameOf({ labels }: Member): Labels {
  const name = labels[NAME_LABEL];
  return name === undefined ? {} : { [NAME_LABEL]: name };
}
