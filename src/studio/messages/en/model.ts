export const model = {
  title: 'Model',
} as const;
