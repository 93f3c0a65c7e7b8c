import type { OcppVersion } from '../../ocpp/version.ts';

/** Who may do what with a setting. */
export type SettingAccess = 'ReadOnly' | 'ReadWrite' | 'WriteOnly';

/** A setting as both generations name it: a key (1.6), and a variable of a component (2.x). */
export interface Setting {
  readonly key: string;
  readonly component: string;
  readonly variable: string;
  readonly access: SettingAccess;
  readonly dataType: 'string' | 'integer' | 'boolean' | 'MemberList';
  readonly value: string;
}

/** What came of a change. */
export type SettingChange = 'changed' | 'unknown' | 'read-only' | 'bad-value';

type SettingRow = readonly [
  key: string,
  component: string,
  variable: string,
  access: SettingAccess,
  dataType: Setting['dataType'],
  value: string,
];

/**
 * The settings that a simulated station knows at the start.
 *
 * Source: OCPP 1.6 chapter 9; "Improved security for OCPP 1.6-J" chapter 4; OCPP 2.0.1 part 2
 * appendix 3 (referenced components and variables).
 */
const rows: readonly SettingRow[] = [
  ['HeartbeatInterval', 'OCPPCommCtrlr', 'HeartbeatInterval', 'ReadWrite', 'integer', '300'],
  ['ConnectionTimeOut', 'TxCtrlr', 'EVConnectionTimeOut', 'ReadWrite', 'integer', '60'],
  [
    'MeterValueSampleInterval',
    'SampledDataCtrlr',
    'TxUpdatedInterval',
    'ReadWrite',
    'integer',
    '60',
  ],
  [
    'MeterValuesSampledData',
    'SampledDataCtrlr',
    'TxUpdatedMeasurands',
    'ReadWrite',
    'MemberList',
    'Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC',
  ],
  [
    'AuthorizeRemoteTxRequests',
    'AuthCtrlr',
    'AuthorizeRemoteStart',
    'ReadWrite',
    'boolean',
    'false',
  ],
  ['LocalPreAuthorize', 'AuthCtrlr', 'LocalPreAuthorize', 'ReadWrite', 'boolean', 'false'],
  ['LocalAuthListEnabled', 'LocalAuthListCtrlr', 'Enabled', 'ReadWrite', 'boolean', 'true'],
  ['StopTransactionOnInvalidId', 'TxCtrlr', 'StopTxOnInvalidId', 'ReadWrite', 'boolean', 'true'],
  ['WebSocketPingInterval', 'OCPPCommCtrlr', 'WebSocketPingInterval', 'ReadWrite', 'integer', '0'],
  ['NumberOfConnectors', 'ChargingStation', 'NumberOfConnectors', 'ReadOnly', 'integer', '1'],
  [
    'ChargeProfileMaxStackLevel',
    'SmartChargingCtrlr',
    'ProfileStackLevel',
    'ReadOnly',
    'integer',
    '9',
  ],
  ['SecurityProfile', 'SecurityCtrlr', 'SecurityProfile', 'ReadOnly', 'integer', '0'],
  ['CpoName', 'SecurityCtrlr', 'OrganizationName', 'ReadWrite', 'string', 'Simulated operator'],
  // Slots by preference; 0 is the connection of the start.
  [
    'NetworkConfigurationPriority',
    'OCPPCommCtrlr',
    'NetworkConfigurationPriority',
    'ReadWrite',
    'MemberList',
    '0',
  ],
  // A password is written and never read (OCPP 1.6 security, section 4.1; A05.FR.05 in 2.0.1).
  ['AuthorizationKey', 'SecurityCtrlr', 'BasicAuthPassword', 'WriteOnly', 'string', ''],
];

/** Settings that 1.6 does not have; their keys are names of our own. */
const only2x: ReadonlySet<string> = new Set(['NetworkConfigurationPriority']);

/** Characters of one value; the schemas of 1.6 stop there. */
const valueLengthMax = 500;

/** The settings of one station. */
export class Settings {
  readonly #settings: Map<string, Setting>;

  constructor(version: OcppVersion, values: Readonly<Record<string, string>>) {
    const known = rows.filter(([key]) => version !== 'ocpp1.6' || !only2x.has(key));
    this.#settings = new Map(
      known.map(([key, component, variable, access, dataType, value]) => [
        key,
        {
          key,
          component,
          variable,
          // A CSMS may raise it in 1.6; in 2.x the station alone sets it (A05).
          access: key === 'SecurityProfile' && version === 'ocpp1.6' ? 'ReadWrite' : access,
          dataType,
          value: values[key] ?? value,
        },
      ]),
    );
  }

  /** Every setting; the value of a WriteOnly one is empty. */
  all(): readonly Setting[] {
    return [...this.#settings.values()].map(withoutSecret);
  }

  /** The setting of this key; the value of a WriteOnly one is empty. */
  byKey(key: string): Setting | undefined {
    const setting = this.#settings.get(key);
    return setting === undefined ? undefined : withoutSecret(setting);
  }

  /** The settings of this component, matched without case (OCPP 2.0.1 part 2 section 2.1). */
  ofComponent(component: string): readonly Setting[] {
    return this.all().filter((setting) => equalsIgnoringCase(setting.component, component));
  }

  /** The value of this key as a whole number; `fallback` when it is none. */
  integer(key: string, fallback: number): number {
    const value = Number(this.#settings.get(key)?.value);
    return Number.isInteger(value) ? value : fallback;
  }

  /** The station itself says what the value is. */
  report(key: string, value: string): void {
    const setting = this.#settings.get(key);
    if (setting !== undefined) this.#settings.set(key, { ...setting, value });
  }

  /** Changes one value. */
  change(key: string, value: string): SettingChange {
    const setting = this.#settings.get(key);
    if (setting === undefined) return 'unknown';
    if (setting.access === 'ReadOnly') return 'read-only';
    if (!isValueOf(setting, value)) return 'bad-value';
    this.#settings.set(key, { ...setting, value });
    return 'changed';
  }
}

/** Are two names of the device model the same? */
export function equalsIgnoringCase(first: string, second: string): boolean {
  return first.toLowerCase() === second.toLowerCase();
}

function withoutSecret(setting: Setting): Setting {
  return setting.access === 'WriteOnly' ? { ...setting, value: '' } : setting;
}

function isValueOf(setting: Setting, value: string): boolean {
  if (value.length > valueLengthMax) return false;
  if (setting.dataType === 'integer') return /^\d{1,9}$/.test(value);
  if (setting.dataType === 'boolean') return /^(?:true|false)$/i.test(value);
  return true;
}
