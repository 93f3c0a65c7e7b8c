import { foldKey } from '../../ocpp/strict-json.ts';

/**
 * The configuration keys that have a meaning in OCPP 1.6, and none that changes load.
 *
 * Source: OCPP 1.6 chapter 9; "Improved security for OCPP 1.6-J" edition 3 chapter 6; "Using ISO
 * 15118 Plug & Charge with OCPP 1.6" chapter 5.
 */
const keys = [
  'AdditionalRootCertificateCheck',
  'AllowOfflineTxForUnknownId',
  'AuthorizationCacheEnabled',
  'AuthorizationKey',
  'AuthorizeRemoteTxRequests',
  'BlinkRepeat',
  'CentralContractValidationAllowed',
  'CertificateSignedMaxChainSize',
  'CertificateSignedMaxSize',
  'CertificateStoreMaxLength',
  'CertSigningRepeatTimes',
  'CertSigningWaitMinimum',
  'ChargeProfileMaxStackLevel',
  'ChargingScheduleAllowedChargingRateUnit',
  'ChargingScheduleMaxPeriods',
  'ClockAlignedDataInterval',
  'ConnectionTimeOut',
  'ConnectorPhaseRotation',
  'ConnectorPhaseRotationMaxLength',
  'ConnectorSwitch3to1PhaseSupported',
  'ContractValidationOffline',
  'CpoName',
  'GetConfigurationMaxKeys',
  'HeartbeatInterval',
  'ISO15118PnCEnabled',
  'LightIntensity',
  'LocalAuthListEnabled',
  'LocalAuthListMaxLength',
  'LocalAuthorizeOffline',
  'LocalPreAuthorize',
  'MaxChargingProfilesInstalled',
  'MaxEnergyOnInvalidId',
  'MeterValuesAlignedData',
  'MeterValuesAlignedDataMaxLength',
  'MeterValuesSampledData',
  'MeterValuesSampledDataMaxLength',
  'MeterValueSampleInterval',
  'MinimumStatusDuration',
  'NumberOfConnectors',
  'ReserveConnectorZeroSupported',
  'ResetRetries',
  'SecurityProfile',
  'SendLocalListMaxLength',
  'StopTransactionOnEVSideDisconnect',
  'StopTransactionOnInvalidId',
  'StopTxnAlignedData',
  'StopTxnAlignedDataMaxLength',
  'StopTxnSampledData',
  'StopTxnSampledDataMaxLength',
  'SupportedFeatureProfiles',
  'SupportedFeatureProfilesMaxLength',
  'SupportedFileTransferProtocols',
  'TransactionMessageAttempts',
  'TransactionMessageRetryInterval',
  'UnlockConnectorOnEVSideDisconnect',
  'WebSocketPingInterval',
] as const;

/**
 * The variables of controllers that do not change load, by component: those of which the name looks
 * as if they did. Of SmartChargingCtrlr and the controllers of V2X and DER, none is here that can
 * be written.
 *
 * Source: OCPP 2.0.1 part 2 appendix 3 (referenced components and variables), OCPP 2.1 likewise.
 */
const variables: Readonly<Record<string, readonly string[]>> = {
  AlignedDataCtrlr: ['Available', 'Enabled'],
  AuthCacheCtrlr: ['Available', 'Enabled'],
  AuthCtrlr: ['Enabled', 'OfflineTxForUnknownIdEnabled'],
  DisplayMessageCtrlr: ['Available', 'Enabled'],
  ISO15118Ctrlr: [
    'ContractCertificateInstallationEnabled',
    'Enabled',
    'MaxScheduleEntries',
    'PnCEnabled',
    'V2GCertificateInstallationEnabled',
  ],
  LocalAuthListCtrlr: ['Available', 'Enabled'],
  MonitoringCtrlr: ['Available', 'Enabled'],
  NetworkConfiguration: ['ApnEnabled', 'VpnEnabled'],
  OCPPCommCtrlr: ['ResetRetries'],
  PaymentCtrlr: ['Enabled'],
  ReservationCtrlr: ['Available', 'Enabled'],
  SampledDataCtrlr: ['Available', 'Enabled', 'RegisterValuesWithoutPhases'],
  SecurityCtrlr: ['MaxCertificateChainSize'],
  SmartChargingCtrlr: ['LimitChangeSignificance', 'NotifyChargingLimitWithSchedules'],
  TariffCostCtrlr: ['Available', 'Enabled'],
  TxCtrlr: ['MaxEnergyOnInvalidId', 'TxBeforeAcceptedEnabled'],
  WebPaymentsCtrlr: ['Enabled'],
};

/** Configuration keys of OCPP 1.6 that do not change load, folded. */
export const harmlessKeys: ReadonlySet<string> = new Set(keys.map(foldKey));

/** Variables of OCPP 2.0.1 and 2.1 that do not change load: `component.variable`, folded. */
export const harmlessVariables: ReadonlySet<string> = new Set(
  Object.entries(variables).flatMap(([component, names]) =>
    names.map((name) => foldKey(`${component}.${name}`)),
  ),
);
