import { listAt } from '../../chargers/memory/read-property.ts';
import { ownProperty } from '../../ocpp/message.ts';
import { foldKey } from '../../ocpp/strict-json.ts';
import type { LoadCommand } from './load-command.ts';
import { harmlessKeys, harmlessVariables } from './standard-settings.ts';

/** More settings than a charger takes in one message; they are not all looked at. */
const settingsMax = 500;
const nameCharsMax = 200;

/**
 * May a ChangeConfiguration, or a SetVariables, change how much a charger takes?
 *
 * Which keys of vendors do, no standard says; their names do. A name that cannot be read may.
 */
export function mayChangeLoad({ action, payload }: LoadCommand): boolean {
  if (action === 'ChangeConfiguration') {
    return isNameOfLoad(foldedName(ownProperty(payload, 'key')), harmlessKeys);
  }
  const items = listAt(payload, 'setVariableData');
  return (
    items.length === 0 ||
    items.length > settingsMax ||
    items.some((item) => {
      const component = foldedName(ownProperty(ownProperty(item, 'component'), 'name'));
      const variable = foldedName(ownProperty(ownProperty(item, 'variable'), 'name'));
      const name = component && variable && `${component}.${variable}`;
      return isNameOfLoad(name, harmlessVariables);
    })
  );
}

function isNameOfLoad(name: string | undefined, harmless: ReadonlySet<string>): boolean {
  return name === undefined || (!harmless.has(name) && loadWords.test(name));
}

/** Chargers read names without regard to case. */
function foldedName(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '' || value.length > nameCharsMax) return undefined;
  return foldKey(value.trim());
}

/**
 * What names of such settings have in them: how much at most, by which quantity, on which phases,
 * whether at all. Samples and stamps are no amperes, downloads and uploads no loads.
 */
const loadWords =
  /max|min(?=current|power|amp|charg)|limit|power|current|(?<![sl]|st)amp(?!l)|(?<!down|up)load|watt|kw|volt|phase|fuse|breaker|capacity|setpoint|charg\w*rate|rate\w*charg|rating|derat|throttl|discharg|v2[gxh]|enable|disable|availab|operati|suspend|pause|reset|reboot|restart/;
