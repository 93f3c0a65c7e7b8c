import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mayChangeLoad } from './load-settings.ts';
import { harmlessKeys, harmlessVariables } from './standard-settings.ts';

// Goal: a setting that may be one of a limit counts, and everyday provisioning does not.
// Method: names of vendors and of the standards, on both sides.

const changes = (key: unknown) =>
  mayChangeLoad({
    version: 'ocpp1.6',
    action: 'ChangeConfiguration',
    loadClass: 'setting',
    payload: { key, value: '1' },
  });

const sets = (...names: readonly (readonly [unknown, unknown])[]) =>
  mayChangeLoad({
    version: 'ocpp2.0.1',
    action: 'SetVariables',
    loadClass: 'setting',
    payload: {
      setVariableData: names.map(([component, variable]) => ({
        component: { name: component },
        variable: { name: variable },
        attributeValue: '1',
      })),
    },
  });

describe('configuration keys', () => {
  const ofLoad = [
    'MaxChargingCurrent',
    'maxchargingcurrent',
    'IMAX',
    'GridPowerLimit',
    'LoadBalancingMode',
    'ChargeRate',
    'rateOfCharging',
    'DefaultAmps',
    'BreakerRating',
    'MainsFuseSize',
    'NumberOfPhases',
    'PhaseRotation',
    'StationEnabled',
    'EvseDisabled',
    'Availability',
    'OperativeMode',
    'MinCurrent',
    'DischargeAllowed',
    'PauseCharging',
    'RebootNow',
    'MaxCurrent ',
    '\u017fuspendAll'.toUpperCase(),
  ];
  for (const key of ofLoad) test(`${key} may change load`, () => assert.equal(changes(key), true));

  const harmless = [
    'AuthorizationKey',
    'heartbeatinterval',
    ' HeartbeatInterval ',
    'MeterValuesSampledDataMaxLength',
    'WebSocketPingInterval',
    'ConnectionTimeOut',
    'LocalAuthListEnabled',
    'ChargeProfileMaxStackLevel',
    'CertificateSignedMaxChainSize',
    'ConnectorPhaseRotation',
    'VendorSampleInterval',
    'UploadUrl',
    'DownloadUrl',
    'TimestampFormat',
    'StatusLamp',
    'DisplayLanguage',
    'NtpServer',
  ];
  for (const key of harmless) test(`${key} does not`, () => assert.equal(changes(key), false));

  test('one that cannot be read may', () => {
    for (const key of [undefined, null, 7, {}, '', 'x'.repeat(300)]) {
      assert.equal(changes(key), true);
    }
  });
});

describe('variables', () => {
  test('of a controller of load, or of an unknown one, they may change load', () => {
    assert.equal(sets(['SmartChargingCtrlr', 'Enabled']), true);
    assert.equal(sets(['SmartChargingCtrlr', 'ExternalControlSignalsEnabled']), true);
    assert.equal(sets(['EVSE', 'Enabled']), true);
    assert.equal(sets(['Connector', 'Enabled']), true);
    assert.equal(sets(['PowerModule', 'Anything']), true);
    assert.equal(sets(['VendorCtrlr', 'MaxCurrent']), true);
    assert.equal(sets(['OCPPCommCtrlr', 'MaxCurrent']), true);
    assert.equal(sets(['DCDERCtrlr', 'V2XEnabled']), true);
  });

  test('of the controllers of OCPP they do not', () => {
    assert.equal(sets(['OCPPCommCtrlr', 'HeartbeatInterval']), false);
    assert.equal(sets(['ocppcommctrlr', 'resetretries']), false);
    assert.equal(sets(['AuthCtrlr', 'Enabled']), false);
    assert.equal(sets(['SampledDataCtrlr', 'TxUpdatedInterval']), false);
    assert.equal(sets(['AlignedDataCtrlr', 'Interval']), false);
    assert.equal(sets(['SecurityCtrlr', 'BasicAuthPassword']), false);
    assert.equal(sets(['TxCtrlr', 'MaxEnergyOnInvalidId']), false);
  });

  test('one of many is enough', () => {
    const interval = ['OCPPCommCtrlr', 'HeartbeatInterval'] as const;
    assert.equal(sets(interval, interval), false);
    assert.equal(sets(interval, ['EVSE', 'Power']), true);
  });

  test('what cannot be read may', () => {
    assert.equal(sets(), true);
    assert.equal(sets([undefined, 'Interval']), true);
    assert.equal(sets(['OCPPCommCtrlr', 7]), true);
    assert.equal(sets(...Array.from({ length: 501 }, () => ['A', 'B'] as const)), true);
    const command = { version: 'ocpp2.1', action: 'SetVariables', loadClass: 'setting' } as const;
    for (const setVariableData of [null, {}, [null], 'x']) {
      assert.equal(mayChangeLoad({ ...command, payload: { setVariableData } }), true);
    }
  });
});

test('only names that look like load need to be in the table of variables', () => {
  // The table of keys is complete, that of variables holds what the words would catch.
  for (const name of harmlessVariables) {
    const [component, variable] = name.split('.');
    assert.equal(sets([component, variable]), false);
    assert.equal(sets([component, `x${variable}`]), true, `${name} would be harmless anyway`);
  }
  assert.ok(harmlessKeys.size > 50);
});
