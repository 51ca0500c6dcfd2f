export const features = {
  title: 'Features',
} as const;
