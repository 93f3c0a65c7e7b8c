/** What the gateway calls itself in the records of a simulation. */
export const gatewayId = 'simulated';
