/** What goes first: the higher. A failed host cannot wait, a drain goes before what people merely asked for. */
export const priorities = { failure: 90, drain: 80, requested: 50, rebalance: 20 } as const;
