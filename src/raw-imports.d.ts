/** Vite's `?raw`: the text of a file. The C fragments of `firmware/mote` come in this way. */
declare module '*?raw' {
  const text: string;
  export default text;
}
