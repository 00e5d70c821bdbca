/** HTTP exchanges with the server that this page came from; failures carry their stable code, silence ends. */
import type { Problem } from "./generated/api/Problem";
import type { Exchange } from "./ide";
import { awayWords, type Unanswered } from "./lack";

export class ExchangeError extends Error {
  constructor(
    readonly code: string,
    readonly detail: string,
    readonly status: number,
    /** What is wrong with single fields, by name. */
    readonly fields?: Readonly<Record<string, string>>,
    /** Seconds until another try is worth it. */
    readonly retryAfter?: number,
  ) {
    super(detail);
  }
}

/** What exchanges are made with. */
export interface ExchangeWorld {
  fetch(url: string, request: RequestInit): Promise<Response>;
  /** As `fetch`, telling how much of the body is sent; a browser's `fetch` cannot. */
  upload(
    url: string,
    request: RequestInit & { body: Blob | Uint8Array<ArrayBuffer>; signal: AbortSignal },
    progress: (sent: number, total: number) => void,
  ): Promise<Response>;
  after(ms: number, run: () => void): () => void;
  /** Tells when the connection turned out to be dead without having been closed. */
  onSilence(listener: () => void): () => void;
}

/** No byte for so long: nobody is there any more, whatever the connection says. */
export const QUIET_MS = 30_000;
/** The slowest line that we wait for, in bytes a millisecond. */
const SLOWEST = 32;
/** How fast a server takes in what it has been sent, at the least. */
const DIGESTS = 1024;

export function httpExchange(world: ExchangeWorld): Exchange {
  return async (method, path, options = {}) => {
    const headers: Record<string, string> = { ...options.headers };
    if (options.json !== undefined) headers["content-type"] = "application/json";
    const body = options.json === undefined ? options.body : JSON.stringify(options.json);
    const { signal, progress } = options;
    const what: Unanswered = options.kept ? "kept" : method === "GET" ? "read" : "done";
    const patience = new Patience(world, signal);
    try {
      const request = {
        method,
        headers,
        credentials: "same-origin" as const,
        signal: patience.signal,
      };
      const url = `/api/v1${path}`;
      patience.grant(options.patience ?? QUIET_MS + sizeOf(body) / SLOWEST);
      let answer: Response;
      if (progress && body !== undefined && typeof body !== "string") {
        const moved = (sent: number, total: number) => {
          patience.grant(QUIET_MS + (sent < total ? 0 : total / DIGESTS));
          progress(sent, total);
        };
        answer = await world.upload(url, { ...request, body }, moved);
      } else answer = await world.fetch(url, body === undefined ? request : { ...request, body });
      answer = await whole(answer, () => patience.grant(QUIET_MS));
      if (answer.ok) return answer;
      throw await refusal(answer, what);
    } catch (error) {
      if (error instanceof ExchangeError) throw error;
      if (signal?.aborted) throw new ExchangeError("cancelled", "Cancelled.", 0);
      throw new ExchangeError("network", awayWords(what, patience.lost), 0);
    } finally {
      patience.end();
    }
  };
}

/** How long an exchange is waited for: until its time is up, the connection is found dead, or nobody wants it. */
class Patience {
  private readonly cut = new AbortController();
  private readonly deaf: () => void;
  private cancel = () => {};
  lost = false;

  constructor(
    private readonly world: ExchangeWorld,
    private readonly wish: AbortSignal | undefined,
  ) {
    this.deaf = world.onSilence(this.give);
    if (wish?.aborted) this.cut.abort(wish.reason);
    wish?.addEventListener("abort", this.unwanted);
  }

  get signal(): AbortSignal {
    return this.cut.signal;
  }

  grant(ms: number): void {
    this.cancel();
    this.cancel = this.world.after(ms, this.give);
  }

  end(): void {
    this.cancel();
    this.deaf();
    this.wish?.removeEventListener("abort", this.unwanted);
  }

  private readonly give = () => {
    this.lost = true;
    this.cut.abort();
  };

  private readonly unwanted = () => this.cut.abort(this.wish?.reason);
}

function sizeOf(body: string | Blob | Uint8Array | undefined): number {
  if (body === undefined) return 0;
  if (typeof body === "string") return body.length;
  return body instanceof Blob ? body.size : body.byteLength;
}

/** The answer with its whole body here: what breaks in mid-body is a failure of the exchange. */
async function whole(answer: Response, heard: () => void): Promise<Response> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const reader = answer.body?.getReader();
  if (!reader) return answer;
  for (;;) {
    heard();
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
  }
  const { status, statusText, headers } = answer;
  // Chromium gives even a 204 a body to read, but takes none for it.
  const body = parts.length === 0 ? null : new Blob(parts);
  return new Response(body, { status, statusText, headers });
}

async function refusal(answer: Response, what: Unanswered): Promise<ExchangeError> {
  const problem = (await answer.json().catch(() => null)) as Problem | null;
  if (problem?.code) {
    const { code, detail, fields, retry_after_s } = problem;
    const byName = fields && Object.fromEntries(fields.map((one) => [one.field, one.message]));
    return new ExchangeError(code, detail, answer.status, byName, retry_after_s);
  }
  const code = answer.status >= 500 ? "network" : "unknown";
  return new ExchangeError(code, awayWords(what), answer.status);
}
