/** Shapes of points, in the order in which series take them: names as Chart.js knows them. */
export const MARK_SHAPES = ['circle', 'triangle', 'rect', 'rectRot', 'crossRot', 'cross'] as const;
export type MarkShape = (typeof MARK_SHAPES)[number];

/** The shape of a label or series; wraps around. */
export function markShape(index: number): MarkShape {
  return MARK_SHAPES[index % MARK_SHAPES.length] as MarkShape;
}
