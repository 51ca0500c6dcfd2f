/** How a connected board introduces itself. */
export const introduction = {
  here: '{name} ({id}), trained here on {day}',
  received: '{name} ({id}), kept here on {day}, made elsewhere',
  shipped: '{name} ({id}), comes with the studio',
  verified: 'verified on this board on {day}',
  unverified: 'not yet verified on this board',
  unknown: 'Unknown model “{name}” ({id}). Read it back?',
  unknownHint: 'It was not made in this studio. Reading it back gives you its labels, its receipt and model.h.',
  readBack: 'Read it back',
  verify: 'Run its self-test',
  none: 'No model on this board yet.',
  deploy: 'Go to Deploy',
  corrupt: {
    one: '{count:int} slot holds damaged bytes; the board does not run them. Deploying writes over them.',
    other: '{count:int} slots hold damaged bytes; the board does not run them. Deploying writes over them.',
  },
} as const;
