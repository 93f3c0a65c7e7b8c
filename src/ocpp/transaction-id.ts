/**
 * What two spellings of one transaction id have in common.
 *
 * Ids of OCPP 2.x are identifierStrings, which are compared without case; and databases that
 * compare so also ignore spaces around them. To a gateway that did not, the id of another charger
 * would be a new one as soon as a letter of it was in another case.
 *
 * Source: OCPP 2.0.1 part 2, primitive data types (identifierString).
 */
export function transactionKey(transactionId: string): string {
  return transactionId.trim().toLowerCase();
}
