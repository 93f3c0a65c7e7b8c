import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OcppVersion } from '../../../src/ocpp/version.ts';
import { startLiveGateway } from '../../support/live-gateway.ts';
import { connectCharger, startHandCsms, type TextPeer } from '../../support/text-peer.ts';
import { type LiveConversation, startConversation } from './live-conversation.ts';

// Goal: a credential that passes the gateway, or is refused by it, is in no log, event, metric or
// quarantine file, and one that a charger gives away does not reach the CSMS.
// Method: a marker as the secret in every place where OCPP carries one; then everything that the
// gateway has written is searched for it.

/** 20 characters: an APN password may have no more. */
const marker = 'MARKER0123456789ABCD';

async function assertNowhere(conversation: Pick<LiveConversation, 'gateway'>): Promise<void> {
  const { gateway } = conversation;
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  await gateway.stop();
  const kept = JSON.stringify(await gateway.quarantined());
  const written = { log: gateway.log(), events: JSON.stringify(gateway.events), metrics, kept };
  for (const [place, text] of Object.entries(written)) {
    assert.ok(!text.includes(marker), `the secret is in: ${place}`);
    assert.ok(!text.includes(Buffer.from(`CP-1:${marker}`).toString('base64')), place);
  }
}

/** Waits until the gateway has refused `count` messages. */
async function refusals({ gateway }: LiveConversation, count: number): Promise<void> {
  await gateway.event(
    'FrameRefused',
    () => gateway.events.filter(({ name }) => name === 'FrameRefused').length >= count,
  );
}

const url = `ftp://user:${marker}@files.example/upload`;
const networkProfile = {
  configurationSlot: 1,
  connectionData: {
    ocppVersion: 'OCPP20',
    ocppTransport: 'JSON',
    ocppCsmsUrl: `wss://user:${marker}@csms.example/ocpp`,
    messageTimeout: 30,
    securityProfile: 2,
    ocppInterface: 'Wireless0',
    apn: { apn: 'internet', apnUserName: 'u', apnPassword: marker, apnAuthentication: 'CHAP' },
    vpn: { server: 'vpn.example', user: 'u', password: marker, key: marker, type: 'IPSec' },
  },
};
const basicAuthPassword = {
  component: { name: 'SecurityCtrlr' },
  variable: { name: 'BasicAuthPassword' },
};

/** Calls of a CSMS that carry a secret. */
const secretCalls: readonly (readonly [OcppVersion, string, object])[] = [
  ['ocpp1.6', 'ChangeConfiguration', { key: 'AuthorizationKey', value: marker }],
  ['ocpp1.6', 'GetDiagnostics', { location: url }],
  ['ocpp1.6', 'GetLog', { logType: 'SecurityLog', requestId: 1, log: { remoteLocation: url } }],
  [
    'ocpp2.0.1',
    'SetVariables',
    { setVariableData: [{ ...basicAuthPassword, attributeValue: marker }] },
  ],
  ['ocpp2.0.1', 'SetNetworkProfile', networkProfile],
  [
    'ocpp2.1',
    'SetVariables',
    { setVariableData: [{ ...basicAuthPassword, attributeValue: marker }] },
  ],
  ['ocpp2.1', 'GetLog', { logType: 'SecurityLog', requestId: 1, log: { remoteLocation: url } }],
];

describe('D6: secrets are nowhere', { timeout: 30_000 }, () => {
  for (const [version, action, payload] of secretCalls) {
    test(`${version} ${action} passes untouched and leaves no trace`, async () => {
      await using conversation = await startConversation({ version });
      const { charger, csms } = conversation;
      const call = JSON.stringify([2, '1', action, payload]);
      csms.send(call);
      assert.equal(await charger.next(), call);
      charger.sendMessage(4, '1', 'NotSupported', '', {});
      await csms.next();
      await assertNowhere(conversation);
    });

    test(`${version} ${action}, refused in every way, leaves no trace`, async () => {
      await using conversation = await startConversation({ version });
      const { charger, csms } = conversation;
      const whole = JSON.stringify([2, '1', action, payload]);
      const broken = [
        // Wrong direction, a bad payload, an unknown action, no id.
        [charger, whole],
        [csms, JSON.stringify([2, '2', action, { ...payload, extra: 1 }])],
        [csms, JSON.stringify([2, '3', `${action}s`, payload])],
        [csms, JSON.stringify([2, 4, action, payload])],
        [csms, JSON.stringify([9, '5', action, payload])],
        // A reply to nothing, with the secret in it.
        [charger, JSON.stringify([3, '6', payload])],
        [charger, JSON.stringify([4, '7', 'InternalError', '', payload])],
        // No JSON: cut off, a quote lost at the start, a quote of the other kind.
        [csms, whole.slice(0, -3)],
        [csms, whole.replace('"', '')],
        [csms, whole.replaceAll('"', "'")],
      ] as const;
      for (const [peer, text] of broken) peer.send(text);
      await refusals(conversation, broken.length);
      await assertNowhere(conversation);
    });
  }

  test('the Authorization header of an upgrade, accepted or refused, leaves no trace', async () => {
    await using csms = await startHandCsms();
    await using gateway = await startLiveGateway(csms.url, {
      chargers: { unknown: 'reject', records: [{ id: 'CP-1' }] },
    });
    const authorization = `Basic ${Buffer.from(`CP-1:${marker}`).toString('base64')}`;
    const options = { headers: { authorization } };
    const charger = await connectCharger(gateway.url('CP-1'), ['ocpp1.6'], options);
    const upstream = await csms.nextConnection();
    // Not forwarded either: nobody asked for that.
    assert.equal(upstream.request?.headers.authorization, undefined);
    await assert.rejects(connectCharger(gateway.url('CP-9'), ['ocpp1.6'], options), /401/);
    await charger.close();
    await assertNowhere({ gateway });
  });
});

interface Exposure {
  readonly version: OcppVersion;
  readonly action: string;
  readonly request: object;
  readonly exposed: object;
  readonly benign: string;
}

/** What a charger gives away in a reply, and a reply of the same kind without a secret. */
const exposures: readonly Exposure[] = [
  {
    version: 'ocpp1.6',
    action: 'GetConfiguration',
    request: {},
    exposed: {
      configurationKey: [
        { key: 'AuthorizationKey', readonly: false, value: marker },
        { key: 'HeartbeatInterval', readonly: false, value: '300' },
      ],
    },
    benign:
      '[3 , "1", {"configurationKey":[{"key":"HeartbeatInterval","readonly":false,"value":"300"} ]}]',
  },
  ...(['ocpp2.0.1', 'ocpp2.1'] as const).map((version) => ({
    version,
    action: 'GetVariables',
    request: { getVariableData: [basicAuthPassword] },
    exposed: {
      getVariableResult: [
        { ...basicAuthPassword, attributeStatus: 'Accepted', attributeValue: marker },
      ],
    },
    benign:
      '[3,"1",{"getVariableResult":[{"attributeStatus":"Accepted","attributeValue":"300", "component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}}]}]',
  })),
];

describe('withhold-credentials', { timeout: 20_000 }, () => {
  for (const { version, action, request, exposed, benign } of exposures) {
    const ask = async (charger: TextPeer, csms: TextPeer): Promise<void> => {
      csms.sendMessage(2, '1', action, request);
      assert.deepEqual(await charger.nextMessage(), [2, '1', action, request]);
    };

    test(`${version} ${action}: what the charger gives away does not reach the CSMS`, async () => {
      await using conversation = await startConversation({ version });
      const { charger, csms, gateway } = conversation;
      await ask(charger, csms);
      charger.sendMessage(3, '1', exposed);
      const passed = await csms.next();
      assert.ok(!passed.includes(marker));
      assert.deepEqual(
        JSON.parse(passed),
        JSON.parse(JSON.stringify([3, '1', exposed]).replace(marker, '[redacted]')),
      );
      await gateway.event('FrameRewritten');
      await assertNowhere(conversation);
    });

    test(`${version} ${action}: any other reply keeps its bytes`, async () => {
      await using conversation = await startConversation({ version });
      const { charger, csms, gateway } = conversation;
      await ask(charger, csms);
      charger.send(benign);
      assert.equal(await csms.next(), benign);
      assert.equal(gateway.events.filter(({ name }) => name === 'FrameRewritten').length, 0);
    });
  }

  test('a reply to another action is left alone, whatever it holds', async () => {
    await using conversation = await startConversation();
    const { charger, csms } = conversation;
    csms.sendMessage(2, '1', 'DataTransfer', { vendorId: 'v' });
    await charger.next();
    const answer = JSON.stringify([3, '1', { status: 'Accepted', data: 'AuthorizationKey' }]);
    charger.send(answer);
    assert.equal(await csms.next(), answer);
  });
});
