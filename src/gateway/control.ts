/** What the outside may ask of a running gateway. The admin server sees nothing else of it. */
export interface GatewayControl {
  /** Does it take new chargers? */
  isReady(): boolean;
  /** Chargers that are connected through. */
  sessionCount(): number;
}
