/** What the tests use of MicroPython compiled to WebAssembly; the package brings no types. */
declare module '@micropython/micropython-webassembly-pyscript/micropython.mjs' {
  interface MicroPythonFiles {
    writeFile(path: string, content: string | Uint8Array): void;
    readFile(path: string): Uint8Array;
    readdir(path: string): string[];
    mkdir(path: string): void;
    unlink(path: string): void;
    stat(path: string): { readonly mode: number };
    isDir(mode: number): boolean;
  }
  export interface MicroPython {
    readonly FS: MicroPythonFiles;
    runPython(source: string): unknown;
    replInit(): void;
    replProcessChar(byte: number): number;
  }
  export function loadMicroPython(options: {
    readonly heapsize?: number;
    readonly linebuffer?: boolean;
    readonly stdout?: (line: never) => void;
    readonly stderr?: (line: never) => void;
  }): Promise<MicroPython>;
}
