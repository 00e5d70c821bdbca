/** One HTTP exchange with the server that this page came from; failures carry their stable code. */
import type { Problem } from "./generated/api/Problem";
import type { Exchange } from "./ide";

export class ExchangeError extends Error {
  constructor(
    readonly code: string,
    readonly detail: string,
    readonly status: number,
  ) {
    super(detail);
  }
}

const OFFLINE = "The server does not answer. Your edits are kept here.";

export const webExchange: Exchange = async (method, path, options = {}) => {
  const headers: Record<string, string> = { ...options.headers };
  if (options.json !== undefined) headers["content-type"] = "application/json";
  const body = options.json === undefined ? options.body : JSON.stringify(options.json);
  let answer: Response;
  try {
    answer = await fetch(`/api/v1${path}`, {
      method,
      headers,
      credentials: "same-origin",
      ...(body === undefined ? {} : { body }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
  } catch {
    throw new ExchangeError("network", OFFLINE, 0);
  }
  if (answer.ok) return answer;
  const problem = (await answer.json().catch(() => null)) as Problem | null;
  if (!problem?.code)
    throw new ExchangeError(answer.status >= 500 ? "network" : "unknown", OFFLINE, answer.status);
  throw new ExchangeError(problem.code, problem.detail, answer.status);
};
