/**
 * Writes firmware/mote/src/mote_wire.h from src/board/wire.ts, names and comments included, so that the two sides of
 * the protocol cannot drift apart. `node scripts/generate-wire.mjs` writes it; with `--check` it only compares and exits
 * with 1 when the header is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';

const TABLE = new URL('../src/board/wire.ts', import.meta.url);
const HEADER = new URL('../firmware/mote/src/mote_wire.h', import.meta.url);

/** C prefix of each exported table. */
const PREFIXES = {
  PROTOCOL: 'MOTE_WIRE_',
  MESSAGE: 'MOTE_MSG_',
  FAULT: 'MOTE_FAULT_',
  FEATURE: 'MOTE_FEATURE_',
  SLOT_STATE: 'MOTE_SLOT_STATE_',
  SLOT_FLAG: 'MOTE_SLOT_FLAG_',
  STATUS_FLAG: 'MOTE_STATUS_FLAG_',
};

const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

/** The first sentence-block of the JSDoc before a node, on one line. */
function docOf(node) {
  const doc = node.jsDoc?.at(-1)?.comment;
  if (typeof doc !== 'string') throw new Error(`wire.ts: no comment on "${node.getText().split('\n').at(-1)}"`);
  return doc.replace(/\s+/g, ' ').replaceAll('*/', '').trim();
}

/** Text of mote_wire.h for the text of wire.ts. */
function wireHeader(source) {
  const file = ts.createSourceFile('wire.ts', source, ts.ScriptTarget.ES2022, true);
  const sections = [];
  const seen = new Set();
  for (const statement of file.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name, initializer } of statement.declarationList.declarations) {
      const prefix = PREFIXES[name.text];
      if (prefix === undefined) throw new Error(`wire.ts: table ${name.text} has no C prefix in generate-wire.mjs`);
      seen.add(name.text);
      const rows = initializer.expression.properties.map((property) => {
        if (!ts.isPropertyAssignment(property) || !ts.isNumericLiteral(property.initializer))
          throw new Error(`wire.ts: ${name.text}.${property.name.getText()} is not an integer literal`);
        return `/* ${docOf(property)} */\n#define ${prefix}${snake(property.name.text)} ${property.initializer.getText()}`;
      });
      sections.push(`/* ---- ${docOf(statement)} ---- */\n\n${rows.join('\n')}`);
    }
  }
  for (const table of Object.keys(PREFIXES))
    if (!seen.has(table)) throw new Error(`wire.ts: table ${table} is missing`);
  return `/* Generated from src/board/wire.ts by scripts/generate-wire.mjs: do not edit. */
#ifndef MOTE_WIRE_H
#define MOTE_WIRE_H

${sections.join('\n\n')}

#endif
`;
}

const header = wireHeader(readFileSync(TABLE, 'utf8'));
if (!process.argv.includes('--check')) {
  writeFileSync(HEADER, header);
} else if (readFileSync(HEADER, 'utf8') !== header) {
  console.error('firmware/mote/src/mote_wire.h is stale: run node scripts/generate-wire.mjs');
  process.exitCode = 1;
}
