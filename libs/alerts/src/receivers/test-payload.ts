import { timeText } from '../dispatch/render.js';
import { type Integration } from '../config/index.js';
import { type NotificationPayload, renderPayload } from '../notify/index.js';

/** What a test notification says: one alert that is unmistakably none. `now` in milliseconds. */
export function testPayload(
  id: string,
  { receiver }: Pick<Integration, 'receiver'>,
  status: 'firing' | 'resolved',
  externalURL: string,
  now: number,
): NotificationPayload {
  const labels = { alertname: 'TestNotification', severity: 'info', receiver };
  return renderPayload({
    receiver,
    groupKey: `eyrie/test/${id}`,
    groupLabels: { alertname: labels.alertname },
    externalURL,
    alerts: [
      {
        status,
        labels,
        annotations: { summary: 'This is a test', description: 'Somebody tries out this receiver. All is well.' },
        startsAt: timeText(now / 1000),
        endsAt: timeText(now / 1000),
        generatorURL: externalURL,
        fingerprint: id.replaceAll('-', '').slice(0, 16),
      },
    ],
  });
}
