export const deploy = {
  title: 'Deploy',
} as const;
