/**
 * The replay board: plays a recording as the bytes that a real board would send, either as lines of numbers or as
 * frames of the `mote` dialect. Starts from the first frame whenever it is opened (or asked to stream).
 */
import type { LoadedRecording } from '../signal/recording';
import { LinkError } from './link';
import type { Link, LinkEvents } from './link';
import { createFrameReader, encodeFrame } from './mote-frames';
import type { Frame } from './mote-frames';
import { bodyOf } from './mote-messages';
import { systemTiming } from './timing';
import type { Cancel, Timing } from './timing';
import { FAULT, MESSAGE, PROTOCOL } from './wire';

export interface ReplayOptions {
  /** Default `lines`. */
  readonly dialect?: 'lines' | 'mote';
  /** 1 = real time, 10 = ten times as fast. Range 0.01..1000. */
  readonly speed?: number;
  /** Starts again at the end (default: falls silent). */
  readonly loop?: boolean;
  /** `lines`: send the channel names first. Default true. */
  readonly header?: boolean;
  readonly timing?: Timing;
}

const TICK_MS = 10;
/** After a pause (a hidden tab) at most so much is caught up at once. */
const MAX_CATCH_UP_SECONDS = 5;
/** Room for the fields of a SAMPLES event before its samples. */
const SAMPLES_HEADER_BYTES = 14;

/** A link that plays `recording`. Its samples are finite by contract; channels with other values play as 0. */
export function createReplayLink({ recording, samples }: LoadedRecording, options: ReplayOptions = {}): Link {
  const { dialect = 'lines', loop = false, header = true, timing = systemTiming } = options;
  const speed = Math.min(1000, Math.max(0.01, options.speed ?? 1));
  const width = recording.channels.length;
  const frames = width === 0 ? 0 : Math.floor(samples.length / width);
  const rateHz = recording.rateHz;
  const title = `Replay of “${recording.name}”`;

  let events: LinkEvents | null = null;
  let stopTicking: Cancel = () => undefined;
  let startedAt = 0;
  let played = 0;

  function start(send: (from: number, to: number) => void): void {
    stopTicking();
    startedAt = timing.clock();
    played = 0;
    stopTicking = timing.timers.every(TICK_MS, () => {
      const due = Math.floor(((timing.clock() - startedAt) / 1000) * rateHz * speed);
      const end = loop ? due : Math.min(due, frames);
      const earliest = end - Math.ceil(MAX_CATCH_UP_SECONDS * rateHz * speed);
      if (played < earliest) played = earliest;
      while (played < end) {
        const from = played % frames;
        const to = Math.min(frames, from + (end - played));
        send(from, to);
        played += to - from;
      }
    });
  }

  function emit(bytes: Uint8Array): void {
    events?.onBytes(bytes, timing.clock());
  }

  const value = (frame: number, channel: number): number => {
    const v = samples[frame * width + channel] ?? 0;
    return Number.isFinite(v) ? v : 0;
  };

  function sendLines(from: number, to: number): void {
    let text = '';
    for (let frame = from; frame < to; frame++) {
      for (let channel = 0; channel < width; channel++) text += (channel ? ',' : '') + shortest(value(frame, channel));
      text += '\r\n';
    }
    emit(new TextEncoder().encode(text));
  }

  const scales = recording.channels.map((_, channel) => {
    let most = 0;
    let whole = true;
    for (let frame = 0; frame < frames; frame++) {
      const v = value(frame, channel);
      most = Math.max(most, Math.abs(v));
      whole &&= Number.isInteger(v);
    }
    return (whole && most <= 32767) || most === 0 ? 1 : Math.fround(most / 32767);
  });

  function sendFrames(from: number, to: number): void {
    const most = Math.max(1, Math.floor((PROTOCOL.bodyDefault - SAMPLES_HEADER_BYTES) / (2 * width)));
    for (let at = from; at < to; at += most) {
      const count = Math.min(most, to - at);
      const body = new Uint8Array(SAMPLES_HEADER_BYTES + 2 * count * width);
      const view = new DataView(body.buffer);
      const sequence = played + (at - from);
      view.setUint32(0, sequence, true);
      const us = Math.round((sequence / rateHz) * 1e6);
      view.setUint32(4, us % 0x100000000, true);
      view.setUint32(8, Math.floor(us / 0x100000000), true);
      view.setUint16(12, count, true);
      for (let i = 0; i < count * width; i++) {
        const raw = Math.round(value(at + Math.floor(i / width), i % width) / (scales[i % width] ?? 1));
        view.setInt16(SAMPLES_HEADER_BYTES + 2 * i, Math.min(32767, Math.max(-32768, raw)), true);
      }
      emit(encodeFrame(MESSAGE.samples, PROTOCOL.unsolicited, body));
    }
  }

  const reader = createFrameReader();
  const rate = Math.round(rateHz * 1000);

  function answer({ type, id, body }: Frame): void {
    const reply = (fields: Uint8Array): void => emit(encodeFrame(type | PROTOCOL.replyBit, id, fields));
    switch (type) {
      case MESSAGE.hello:
        stopTicking();
        reply(
          bodyOf(
            ['u8', PROTOCOL.versionMax],
            ['u16', PROTOCOL.bodyDefault],
            ['u8', 1],
            ['u8', width],
            ['u8', 0],
            ['u8', PROTOCOL.slotNone],
            ['u32', 0],
            ['u32', 0],
            ['u32', rate],
            ['u8', 1],
            ['u32', rate],
            text(title),
            text('replay'),
            text(''),
          ),
        );
        return;
      case MESSAGE.ping:
        reply(body);
        return;
      case MESSAGE.channels: {
        const first = body[0] ?? 0;
        // One per reply: names of any length fit.
        const channel = recording.channels[first];
        const scale = new Uint8Array(4);
        new DataView(scale.buffer).setFloat32(0, scales[first] ?? 1, true);
        const entry = channel ? [text(channel.name), text(channel.unit), scale] : [];
        reply(bodyOf(['u8', width], ['u8', first], ['u8', channel ? 1 : 0], ...entry));
        return;
      }
      case MESSAGE.streamStart:
        start(sendFrames);
        reply(bodyOf(['u32', rate], ['u32', 0]));
        return;
      case MESSAGE.streamStop:
        stopTicking();
        reply(bodyOf(['u32', played]));
        return;
      default:
        emit(encodeFrame(MESSAGE.error, id, bodyOf(['u8', type], ['u8', FAULT.notSupported], ['u32', 0])));
    }
  }

  return {
    info: { kind: 'replay', title, usbVendorId: null, usbProductId: null },

    // eslint-disable-next-line @typescript-eslint/require-await -- rejects, never throws
    async open(_options, given) {
      if (events) throw new LinkError('busy', `${title} is already open.`);
      if (frames === 0) throw new LinkError('open-failed', `${title} holds no samples.`);
      if (dialect === 'mote' && width > PROTOCOL.channelsMax) {
        throw new LinkError(
          'open-failed',
          `${title} has ${width} channels; a board has at most ${PROTOCOL.channelsMax}.`,
        );
      }
      events = given;
      reader.restart();
      if (dialect === 'mote') return;
      if (header) {
        const names = recording.channels.map(({ name }) => name.replace(/[\r\n,;:\t]/g, ' '));
        queueMicrotask(() => emit(new TextEncoder().encode(`${names.join(',')}\r\n`)));
      }
      start(sendLines);
    },

    // eslint-disable-next-line @typescript-eslint/require-await -- rejects, never throws
    async write(bytes) {
      if (!events) throw new LinkError('closed', `${title} is not open. Connect it first.`);
      if (dialect === 'lines') return;
      for (const frame of reader.push(bytes)) answer(frame);
    },

    close() {
      stopTicking();
      events = null;
      return Promise.resolve();
    },
  };
}

function text(value: string): Uint8Array {
  // Cut between characters, not inside one.
  let bytes = new TextEncoder().encode(value);
  for (let cut = [...value]; bytes.length > PROTOCOL.textMax;) {
    cut = cut.slice(0, -1);
    bytes = new TextEncoder().encode(cut.join(''));
  }
  return Uint8Array.of(bytes.length, ...bytes);
}

/** The shortest decimal text that reads back as this very float32. */
function shortest(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const text = String(Number(value.toPrecision(digits)));
    if (Math.fround(Number(text)) === value) return text;
  }
  return String(Number(value.toPrecision(9)));
}
