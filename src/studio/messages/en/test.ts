export const test = {
  title: 'Test',
} as const;
