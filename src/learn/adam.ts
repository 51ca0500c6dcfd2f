/**
 * Adam (Kingma and Ba 2015, algorithm 1 with the efficient form of section 2) over plain typed arrays. For small
 * networks tfjs' own optimizer spends more time in dispatching its dozen kernels per parameter than in arithmetic.
 */
const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-7;

export class Adam {
  private readonly first: Float32Array[];
  private readonly second: Float32Array[];
  private beta1Power = 1;
  private beta2Power = 1;

  constructor(
    private readonly parameters: readonly Float32Array[],
    private readonly learningRate: number,
  ) {
    this.first = parameters.map((values) => new Float32Array(values.length));
    this.second = parameters.map((values) => new Float32Array(values.length));
  }

  /** One step, in place; one gradient per parameter, in the same order and of the same length. */
  step(gradients: readonly ArrayLike<number>[]): void {
    this.beta1Power *= BETA1;
    this.beta2Power *= BETA2;
    const rate = (this.learningRate * Math.sqrt(1 - this.beta2Power)) / (1 - this.beta1Power);
    const epsilon = EPSILON * Math.sqrt(1 - this.beta2Power);
    this.parameters.forEach((values, index) => {
      const gradient = gradients[index] as ArrayLike<number>;
      const first = this.first[index] as Float32Array;
      const second = this.second[index] as Float32Array;
      for (let i = 0; i < values.length; i++) {
        const g = gradient[i] as number;
        const m = BETA1 * (first[i] as number) + (1 - BETA1) * g;
        const v = BETA2 * (second[i] as number) + (1 - BETA2) * g * g;
        first[i] = m;
        second[i] = v;
        values[i] = (values[i] as number) - (rate * m) / (Math.sqrt(v) + epsilon);
      }
    });
  }
}
