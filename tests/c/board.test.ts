import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RUNTIME_SOURCES } from '../../scripts/runtime-sources.mjs';
import { run, runTestProgram, runtime, STRICT, withFolder } from './native-program';
import { sixAxisModel } from './six-axis-model';

it('three million hostile bytes make the board neither crash nor send anything malformed', () => {
  withFolder((folder) => {
    const pack = join(folder, 'model.mote');
    writeFileSync(pack, sixAxisModel(1, ['x', 'y', 'z']).pack);
    const said = runTestProgram('board_test.c', RUNTIME_SOURCES, [pack]);
    console.log(said.trim());
    for (const what of ['samples', 'results', 'self-tests', 'put-ends', 'activations', 'classifications', 'errors'])
      expect(said).toMatch(new RegExp(`${what} [1-9]`));
  });
});

it('the runtime compiles without a warning with gcc and clang, as C99 and as C++', () => {
  const compilers: readonly (readonly string[])[] = [
    ['gcc', '-std=c99', ...STRICT],
    ['clang', '-std=c99', ...STRICT],
    ['g++', '-std=c++11', '-x', 'c++', ...STRICT.filter((flag) => flag !== '-Wmissing-prototypes')],
  ];
  withFolder((folder) => {
    for (const [compiler = '', ...flags] of compilers)
      for (const file of RUNTIME_SOURCES)
        run(compiler, [...flags, '-O2', '-c', join(runtime, file), '-o', join(folder, 'out.o')]);
  });
});
