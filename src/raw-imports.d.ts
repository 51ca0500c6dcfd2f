/** Vite's `?raw`: the text of a file. The C fragments of `firmware/mote` come in this way. */
declare module '*?raw' {
  const text: string;
  export default text;
}

/** Vite's glob imports, as far as they are used: the contents of all files that match, by path. */
interface ImportMeta {
  glob<T>(
    pattern: string,
    options: { readonly query: '?raw'; readonly import: 'default'; readonly eager: true },
  ): Readonly<Record<string, T>>;
}
