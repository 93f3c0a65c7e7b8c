import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Conversation } from './conversation.test.ts';

// Goal: the memory knows a charger's configuration, and none of its secrets.
// Method: every way in which a value passes, and every way in which a secret does.

const variables = (talk: Conversation) => talk.memory.view().variables;
const saved = (talk: Conversation) =>
  JSON.stringify(talk.memory.save()) + JSON.stringify(talk.memory.view());
const accepted = { status: 'Accepted' };

describe('configuration keys of ocpp1.6', () => {
  const report = (talk: Conversation, ...configurationKey: readonly unknown[]) =>
    talk.exchange('csms', 'GetConfiguration', {}, { configurationKey });

  test('are learned from GetConfiguration, whatever the case of the name', () => {
    const talk = new Conversation('ocpp1.6');
    assert.equal(
      report(talk, { key: 'Interval', readonly: false, value: '1' }, { key: 'B', readonly: true }),
      'eventually',
    );
    assert.equal(report(talk, { key: 'Interval', readonly: false, value: '1' }), 'none');
    assert.equal(report(talk, { key: 'INTERVAL', readonly: false, value: 2 }), 'eventually', 'P5');
    const expected = [
      { name: 'B', isReadOnly: true },
      { name: 'INTERVAL', isReadOnly: false, value: '2' },
    ];
    assert.deepEqual(variables(talk), expected);
    assert.deepEqual(variables(new Conversation('ocpp1.6', talk.memory.save())), expected);
    assert.equal(report(talk, null, 7, {}, { key: '' }, { key: 7 }), 'none');
  });

  test('are learned from ChangeConfiguration when the charger takes the value', () => {
    const talk = new Conversation('ocpp1.6');
    const change = (status: string) =>
      talk.exchange('csms', 'ChangeConfiguration', { key: 'A', value: status }, { status });
    assert.deepEqual([change('Rejected'), change('NotSupported')], ['none', 'none']);
    assert.deepEqual(variables(talk), []);
    assert.equal(change('RebootRequired'), 'soon');
    assert.deepEqual(variables(talk), [{ name: 'A', value: 'RebootRequired', needsReboot: true }]);
    report(talk, { key: 'A', readonly: false });
    assert.equal(change('Accepted'), 'soon');
    assert.deepEqual(variables(talk), [{ name: 'A', value: 'Accepted', isReadOnly: false }]);
  });

  test('at most 300, the least recently mentioned go first; long texts are cut', () => {
    const talk = new Conversation('ocpp1.6');
    for (let index = 0; index < 300; index += 1) report(talk, { key: `K${index}`, value: 'x' });
    report(talk, { key: 'K0', value: 'x' });
    report(talk, { key: 'n'.repeat(200), value: 'v'.repeat(300) });
    const names = variables(talk).map(({ name }) => name);
    assert.deepEqual(
      [names.length, names.includes('K0'), names.includes('K1')],
      [300, true, false],
    );
    assert.deepEqual(variables(talk).at(-1), {
      name: 'n'.repeat(100),
      value: 'v'.repeat(256),
      isCut: true,
    });
  });

  test('a name like a property of objects is a name', () => {
    const talk = new Conversation('ocpp1.6');
    report(talk, { key: '__proto__', value: '1' }, { key: 'constructor', value: '2' });
    assert.deepEqual(
      variables(talk).map(({ name, value }) => [name, value]),
      [
        ['__proto__', '1'],
        ['constructor', '2'],
      ],
    );
  });
});

for (const version of ['ocpp2.0.1', 'ocpp2.1'] as const) {
  describe(`variables of ${version}`, () => {
    const component = { name: 'C', instance: 'i', evse: { id: 1, connectorId: 2 } };
    const named = { component, variable: { name: 'V', instance: 'j' } };
    const folded = {
      component: { ...component, name: 'c' },
      variable: { name: 'v', instance: 'J' },
    };
    const known = {
      name: 'V',
      instance: 'j',
      component: 'C',
      componentInstance: 'i',
      evseId: 1,
      connectorId: 2,
    };

    test('are learned from GetVariables where the charger gives them', () => {
      const talk = new Conversation(version);
      const item = (attributeStatus: string, attributeType: string) => ({
        ...named,
        attributeStatus,
        attributeType,
        attributeValue: attributeType,
      });
      const getVariableResult = [
        item('Accepted', 'Actual'),
        item('Accepted', 'Target'),
        item('Rejected', 'MinSet'),
      ];
      talk.exchange('csms', 'GetVariables', {}, { getVariableResult });
      const expected = [
        { ...known, value: 'Actual' },
        { ...known, attributeType: 'Target', value: 'Target' },
      ];
      assert.deepEqual(variables(talk), expected);
      assert.deepEqual(variables(new Conversation(version, talk.memory.save())), expected);
    });

    test('are learned from SetVariables, each by its own status', () => {
      const talk = new Conversation(version);
      const other = { component: { name: 'D' }, variable: { name: 'W' } };
      const setVariableData = [
        { ...named, attributeValue: '1' },
        { ...other, attributeValue: '2' },
      ];
      const answer = (first: string, second: string) => ({
        setVariableResult: [
          { ...other, attributeStatus: second },
          { ...folded, attributeStatus: first },
          { component: { name: 'X' }, variable: { name: 'Y' }, attributeStatus: 'Accepted' },
        ],
      });
      assert.equal(
        talk.exchange(
          'csms',
          'SetVariables',
          { setVariableData },
          answer('Rejected', 'UnknownVariable'),
        ),
        'none',
      );
      assert.equal(
        talk.exchange(
          'csms',
          'SetVariables',
          { setVariableData },
          answer('RebootRequired', 'Rejected'),
        ),
        'soon',
      );
      assert.deepEqual(variables(talk), [{ ...known, value: '1', needsReboot: true }]);
      talk.exchange('csms', 'SetVariables', { setVariableData }, answer('Rejected', 'Accepted'));
      assert.equal(variables(talk).length, 2);
    });

    test('are learned from NotifyReport and NotifyEvent', () => {
      const talk = new Conversation(version);
      const variableAttribute = [
        { value: '1', mutability: 'ReadOnly' },
        { type: 'MaxSet', value: '9', mutability: 'ReadWrite' },
      ];
      assert.equal(
        talk.call('charger', 'NotifyReport', { reportData: [{ ...named, variableAttribute }] })
          .urgency,
        'eventually',
      );
      talk.open('charger', 'NotifyEvent', { eventData: [{ ...folded, actualValue: '2' }] });
      const spelled = { name: 'v', instance: 'J', component: 'c' };
      assert.deepEqual(variables(talk), [
        { ...known, attributeType: 'MaxSet', value: '9', isReadOnly: false },
        { ...known, ...spelled, value: '2', isReadOnly: true },
      ]);
    });

    for (const [componentName, name, instance] of [
      ['SecurityCtrlr', 'BasicAuthPassword', undefined],
      ['VPN', 'Key', undefined],
      ['Other', 'Setting', 'ApiKey'],
    ]) {
      test(`T: the value of ${componentName}.${name} ${instance ?? ''} is never kept`, () => {
        const talk = new Conversation(version);
        const item = { component: { name: componentName }, variable: { name, instance } };
        const variableAttribute = [{ value: 'hunter22' }];
        talk.open('charger', 'NotifyReport', { reportData: [{ ...item, variableAttribute }] });
        talk.open('charger', 'NotifyEvent', { eventData: [{ ...item, actualValue: 'hunter22' }] });
        const result = { ...item, attributeStatus: 'Accepted', attributeValue: 'hunter22' };
        talk.exchange('csms', 'GetVariables', {}, { getVariableResult: [result] });
        const data = { setVariableData: [{ ...item, attributeValue: 'hunter22' }] };
        talk.exchange('csms', 'SetVariables', data, { setVariableResult: [result] });
        assert.equal(saved(talk).includes('hunter22'), false);
        assert.equal(variables(talk)[0]?.value, '[redacted]');
      });
    }

    test('what may only be written is not kept, though the charger sends it', () => {
      const talk = new Conversation(version);
      const variableAttribute = [{ value: 'hunter22', mutability: 'WriteOnly' }];
      talk.open('charger', 'NotifyReport', { reportData: [{ ...named, variableAttribute }] });
      assert.equal(saved(talk).includes('hunter22'), false);
    });
  });
}

describe('secrets of ocpp1.6', () => {
  for (const [key, value] of [
    ['AuthorizationKey', 'hunter22'],
    ['authorizationkey', 'hunter22'],
    ['Authorization Key', 'hunter22'],
    ['VendorWifiPassphrase', 'hunter22'],
    [`${'Long'.repeat(20)}Password`, 'hunter22'],
    ['UploadUrl', `ftp://user:hunter22@host/${'x'.repeat(300)}`],
    ['Settings', '{"password":"hunter22"}'],
    ['Header', 'Basic hunter22'],
    ['Note', 'password-hunter22'],
  ] as const) {
    test(`${key.slice(0, 30)}=${value.slice(0, 30)} is never kept`, () => {
      const talk = new Conversation('ocpp1.6');
      talk.exchange(
        'csms',
        'GetConfiguration',
        {},
        { configurationKey: [{ key, value, readonly: false }] },
      );
      talk.exchange('csms', 'ChangeConfiguration', { key, value }, accepted);
      assert.equal(saved(talk).includes('hunter22'), false);
      assert.equal(variables(talk)[0]?.value, '[redacted]');
    });
  }
});
