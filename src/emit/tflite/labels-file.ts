/**
 * Labels in a `.tflite` as TensorFlow Lite Metadata has them (`metadata_schema.fbs`, identifier M001): a description of
 * the output tensor that names an associated file, and that file in a zip behind the model. Tools that know the convention
 * (Task Library, ML Kit, Android Studio) show the labels; runtimes ignore what lies behind the model.
 */
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import { Builder, type Offset } from 'flatbuffers';

/** Name of the metadata entry in the model. */
export const METADATA_NAME = 'TFLITE_METADATA';
const LABELS_FILE = 'labels.txt';
/** AssociatedFileType: one label per element of the output. */
const TENSOR_AXIS_LABELS = 2;
/** A zip knows no earlier time; it is local time, so that the same bytes come out in every zone. */
const ZIP_TIME = '1980-01-01T00:00:00';
const MOST_LABEL_BYTES = 65_536;
const END_RECORD_BYTES = 22;
const END_MARK = 0x06054b50;
const CENTRAL_MARK = 0x02014b50;

/** The ModelMetadata table: one input, one output whose labels are in the file. */
export function labelsMetadata(name: string): Uint8Array {
  const builder = new Builder(256);
  const vector = (items: readonly Offset[]): Offset => {
    builder.startVector(4, items.length, 4);
    for (const item of [...items].reverse()) builder.addOffset(item);
    return builder.endVector();
  };
  const object = (fields: number, offsets: Readonly<Record<number, Offset>>, type?: number): Offset => {
    builder.startObject(fields);
    for (const [slot, offset] of Object.entries(offsets)) builder.addFieldOffset(Number(slot), offset, 0);
    if (type !== undefined) builder.addFieldInt8(2, type, 0);
    return builder.endObject();
  };
  const file = object(5, { 0: builder.createString(LABELS_FILE) }, TENSOR_AXIS_LABELS);
  const input = object(7, { 0: builder.createString('input') });
  const outputName = builder.createString('probability');
  const output = object(7, { 0: outputName, 6: vector([file]) });
  const [inputs, outputs] = [vector([input]), vector([output])];
  const subgraphs = vector([object(11, { 2: inputs, 3: outputs })]);
  const title = builder.createString(name);
  builder.finish(object(8, { 0: title, 3: subgraphs }), 'M001');
  return builder.asUint8Array().slice();
}

/** The model with the zip behind it. Offsets in the zip count from the start of the model, so that any reader opens it. */
export function appendLabels(model: Uint8Array, labels: readonly string[]): Uint8Array {
  const zip = zipSync({ [LABELS_FILE]: [strToU8(`${labels.join('\n')}\n`), { level: 0, mtime: ZIP_TIME }] });
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const end = zip.length - END_RECORD_BYTES;
  const central = view.getUint32(end + 16, true);
  if (view.getUint32(end, true) !== END_MARK || view.getUint32(central, true) !== CENTRAL_MARK) {
    throw new Error('The zip of the labels is not laid out as expected.');
  }
  view.setUint32(end + 16, central + model.length, true);
  view.setUint32(central + 42, view.getUint32(central + 42, true) + model.length, true);
  const bytes = new Uint8Array(model.length + zip.length);
  bytes.set(model);
  bytes.set(zip, model.length);
  return bytes;
}

/** The lines of the first text file in the zip behind a model; null without one. Never throws: the file is untrusted. */
export function appendedLabels(bytes: Uint8Array): readonly string[] | null {
  try {
    let found = '';
    const files = unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        if (found !== '' || !/\.txt$/i.test(name) || originalSize > MOST_LABEL_BYTES) return false;
        found = name;
        return true;
      },
    });
    const text = files[found];
    return text ? labelLines(strFromU8(text)) : null;
  } catch {
    return null;
  }
}

/** One label per line; null when there are none. */
export function labelLines(text: string): readonly string[] | null {
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  return lines.length > 0 ? lines : null;
}
