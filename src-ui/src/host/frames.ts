/** Bytes between the page and the desktop program: requests and answers, and the frames of a socket. */

/** The body of a request as bytes. */
export async function bodyOf(body: unknown): Promise<Uint8Array> {
  if (body === undefined || body === null) return new Uint8Array(0);
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (body instanceof Blob) return new Uint8Array(await body.arrayBuffer());
  return body as Uint8Array;
}

/** An answer: the length of its head in four bytes, the head as JSON, then the body. */
export function responseOf(message: ArrayBuffer): Response {
  const length = new DataView(message).getUint32(0, true);
  const head = new TextDecoder().decode(new Uint8Array(message, 4, length));
  const { status, headers } = JSON.parse(head) as {
    status: number;
    headers: Record<string, string>;
  };
  // Some statuses take no body, not even an empty one.
  const body = message.byteLength > 4 + length ? message.slice(4 + length) : null;
  return new Response(body, { status, headers });
}

/** The frames that came together, each led by its length in four bytes. */
export function framesIn(message: ArrayBuffer): ArrayBuffer[] {
  const view = new DataView(message);
  const frames: ArrayBuffer[] = [];
  for (let at = 0; at + 4 <= message.byteLength; ) {
    const end = at + 4 + view.getUint32(at, true);
    frames.push(message.slice(at + 4, end));
    at = end;
  }
  return frames;
}
