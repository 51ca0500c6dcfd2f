/** Hands bytes to the browser as a download. */
export function download(name: string, content: BlobPart | readonly BlobPart[], type: string): void {
  const url = URL.createObjectURL(
    new Blob(Array.isArray(content) ? (content as BlobPart[]) : [content as BlobPart], { type }),
  );
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // Some browsers read the address after the click has returned.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
