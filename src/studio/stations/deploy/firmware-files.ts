/** The ready-made firmware that comes with the studio (public/firmware). */

/** Rejects when the file is not there: offline before the first visit was complete. */
export async function fetchFirmware(name: string): Promise<Response> {
  const response = await fetch(`${import.meta.env.BASE_URL}firmware/${name}`);
  if (!response.ok) throw new Error(`${name}: HTTP ${response.status}`);
  return response;
}
