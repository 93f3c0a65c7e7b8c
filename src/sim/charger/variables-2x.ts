import type { JsonObject } from '../../ocpp/message.ts';
import { objectOf, optionalText, textOf } from '../protocol/payload.ts';
import type { CredentialChange } from './credential-answers.ts';
import { equalsIgnoringCase, type Setting, type Settings } from './settings.ts';

const changeStatuses = {
  changed: 'Accepted',
  unknown: 'UnknownVariable',
  'read-only': 'Rejected',
  'bad-value': 'Rejected',
  'after-reset': 'RebootRequired',
} as const;

/** The result of one entry of GetVariables (OCPP 2.0.1 part 2 B06). */
export function readVariable(settings: Settings, asked: unknown): JsonObject {
  const found = findSetting(settings, asked);
  const echo = echoOf(asked);
  if (typeof found === 'string') return { attributeStatus: found, ...echo };
  // A write-only variable is never told (B06.FR.09).
  if (found.access === 'WriteOnly') return { attributeStatus: 'Rejected', ...echo };
  return { attributeStatus: 'Accepted', attributeValue: found.value, ...echo };
}

/**
 * The result of one entry of SetVariables (OCPP 2.0.1 part 2 B05). `changeCredential` takes over the
 * settings that are credentials.
 */
export function writeVariable(
  settings: Settings,
  asked: unknown,
  changeCredential: (key: string, value: string) => CredentialChange | undefined,
): JsonObject {
  const found = findSetting(settings, asked);
  const echo = echoOf(asked);
  if (typeof found === 'string') return { attributeStatus: found, ...echo };
  const value = textOf(asked, 'attributeValue');
  const change = changeCredential(found.key, value) ?? settings.change(found.key, value);
  return { attributeStatus: changeStatuses[change], ...echo };
}

/** An entry of NotifyReport (OCPP 2.0.1 part 2 B07). */
export function reportOf(setting: Setting): JsonObject {
  return {
    component: { name: setting.component },
    variable: { name: setting.variable },
    variableAttribute: [
      {
        mutability: setting.access,
        ...(setting.access !== 'WriteOnly' && { value: setting.value }),
      },
    ],
    variableCharacteristics: { dataType: setting.dataType, supportsMonitoring: false },
  };
}

function findSetting(
  settings: Settings,
  asked: unknown,
): Setting | 'UnknownComponent' | 'UnknownVariable' | 'NotSupportedAttributeType' {
  const ofComponent = settings.ofComponent(textOf(objectOf(asked, 'component'), 'name'));
  if (ofComponent.length === 0) return 'UnknownComponent';
  const variable = textOf(objectOf(asked, 'variable'), 'name');
  const found = ofComponent.find((setting) => equalsIgnoringCase(setting.variable, variable));
  if (found === undefined) return 'UnknownVariable';
  const type = optionalText(asked, 'attributeType') ?? 'Actual';
  return type === 'Actual' ? found : 'NotSupportedAttributeType';
}

function echoOf(asked: unknown): JsonObject {
  const attributeType = optionalText(asked, 'attributeType');
  return {
    ...(attributeType !== undefined && { attributeType }),
    component: objectOf(asked, 'component'),
    variable: objectOf(asked, 'variable'),
  };
}
