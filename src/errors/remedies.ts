/** What the operator can do about a peer that breaks a rule, and is probably just badly made. */
export const fixThePeer =
  'Find out what sent it: the log and the quarantine name the charger. If it is a known quirk of ' +
  'a model, add a rule override for that model.';
/** The same for what healthy equipment hardly does. */
export const checkThePeer =
  'Rare from healthy equipment: check the sender for defects, and whether its credentials leaked.';
