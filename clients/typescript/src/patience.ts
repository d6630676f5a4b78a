// Which failures are tried again, after what wait, and when to give up.

import { setTimeout as sleep } from "node:timers/promises";
import { Code } from "@connectrpc/connect";
import { type ServiceError, toServiceError } from "./errors.js";

/** The first retry is soon (a proxy's hiccup), the later ones leave a starting server in peace. */
const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 5_000;
/** How Node's HTTP/2 tells of a connection that broke; our server always gives a reason. */
const OF_THE_TRANSPORT = new Set([Code.Aborted, Code.Internal, Code.Unknown, Code.Canceled]);

/** How long a caller waits for a server that does not answer, since it last did. */
export class Patience {
  private failures = 0;
  private failingSince = 0;

  constructor(private readonly limitMs: number) {}

  /** Notes that the server has answered: patience starts anew. */
  progressed(): void {
    this.failures = 0;
  }

  /** Waits as long as a server that goes away has asked for. */
  async rest(waitMs: number): Promise<void> {
    await sleep(Math.max(waitMs, FIRST_WAIT_MS));
  }

  /**
   * Waits before the next try; throws the `ServiceError` when there is to be none. UNAVAILABLE is
   * tried again (AIP-194), RESOURCE_EXHAUSTED when the server says how long to wait, and a
   * connection that broke. RetryInfo is the least that is waited; the signal ends the wait.
   */
  async waitOrThrow(error: unknown, signal?: AbortSignal): Promise<void> {
    const told = toServiceError(error);
    if (!mayPass(told)) throw told;
    const now = performance.now();
    if (this.failures === 0) this.failingSince = now;
    const backoffMs = Math.min(FIRST_WAIT_MS * 2 ** this.failures, MAX_WAIT_MS);
    const waitMs = Math.max((backoffMs * (1 + Math.random())) / 2, told.retryAfterMs ?? 0);
    if (now + waitMs > this.failingSince + this.limitMs) throw told;
    this.failures += 1;
    await sleep(waitMs, undefined, { signal }).catch((aborted: unknown) => {
      throw toServiceError(aborted);
    });
  }
}

function mayPass(told: ServiceError): boolean {
  if (told.code === Code.Unavailable) return true;
  if (told.code === Code.ResourceExhausted) return told.retryAfterMs !== undefined;
  return told.reason === "" && OF_THE_TRANSPORT.has(told.code);
}
