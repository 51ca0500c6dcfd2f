import { describe, expect, it } from 'vitest';
import { strideFrames, windowFrames, type InputSpec } from '../dsp/block';
import { createExtractor } from '../dsp/compile';
import { generateRecording } from '../signal/motion-generator';
import type { Recording } from '../signal/recording';
import { defaultPipeline, pipelineForInput, suggestInput } from './default-pipeline';
import { checkPipeline } from './pipeline-schema';

function recording(seconds: number, changes: Partial<Recording> = {}): Recording {
  const made = generateRecording({ gesture: 'idle', seconds: 1, rateHz: 50, seed: 1 }).recording;
  return { ...made, frames: Math.round(seconds * 50), label: 'rest', ...changes };
}

describe('suggestInput', () => {
  it('takes short clips whole and long recordings in windows of two seconds', () => {
    expect(suggestInput([recording(1.5), recording(1.5)])).toMatchObject({ windowMs: 1500, rateHz: 50 });
    expect(suggestInput([recording(10), recording(60)])).toMatchObject({ windowMs: 2000, strideMs: 500 });
  });

  it('lets neither an accident nor an unlabelled recording decide', () => {
    const many = Array.from({ length: 30 }, () => recording(1.5));
    const input = suggestInput([...many, recording(0.1), recording(0.5), recording(0.3, { label: null, frames: 20 })]);
    expect(input.windowMs).toBe(1500);
  });

  it('fits labelled segments', () => {
    const segments = [
      { label: 'rest', start: 0, end: 49 },
      { label: 'wave', start: 50, end: 199 },
    ];
    expect(suggestInput([recording(20, { label: null, segments })]).windowMs).toBe(1000);
  });

  it('follows the majority in channels and rate', () => {
    const odd = recording(3, { channels: [{ name: 'light', unit: 'lx' }] });
    const input = suggestInput([odd, recording(3), recording(3), recording(3, { rateHz: 200 })]);
    expect(input.channels.length).toBe(recording(1).channels.length);
    expect(input.rateHz).toBe(50);
  });

  it('cuts whole frames at odd rates', () => {
    const input = suggestInput([recording(3, { rateHz: 62.5 }), recording(3.1, { rateHz: 62.5 })]);
    expect(windowFrames(input)).toBe(125);
    expect(strideFrames(input)).toBe(31);
  });

  it('says when there is nothing to go by', () => {
    expect(() => suggestInput([])).toThrow(expect.objectContaining({ code: 'no-data' }));
    expect(() => defaultPipeline([recording(3, { label: null })])).toThrow(
      expect.objectContaining({ code: 'no-data' }),
    );
  });
});

describe('pipelineForInput', () => {
  const channels = [{ name: 'x', unit: '' }];
  it.each<InputSpec>([
    { channels, rateHz: 100, windowMs: 1500, strideMs: 375 },
    { channels, rateHz: 10, windowMs: 800, strideMs: 200 },
    { channels, rateHz: 1, windowMs: 1000, strideMs: 1000 },
    { channels, rateHz: 16000, windowMs: 1000, strideMs: 250 },
  ])('works at $rateHz Hz with windows of $windowMs ms', (input) => {
    const pipeline = pipelineForInput(input);
    expect(checkPipeline(JSON.parse(JSON.stringify(pipeline)))).toEqual(pipeline);
    expect(createExtractor(pipeline.blocks, input).featureCount).toBeGreaterThan(0);
  });
});
