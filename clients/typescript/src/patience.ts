// Which failures are tried again, after what wait, and when to give up.

import { setTimeout as sleep } from "node:timers/promises";
import { Code } from "@connectrpc/connect";
import { type ServiceError, toServiceError } from "./errors.js";

/** The first retry is soon (a proxy's hiccup), the later ones leave a starting server in peace. */
const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 5_000;

/** How long a caller waits for a server that does not answer, since it last did. */
export class Patience {
  private failures = 0;
  private failingSince = 0;

  /** `closing` ends every wait. */
  constructor(
    private readonly limitMs: number,
    private readonly closing: AbortSignal,
  ) {}

  /** Notes that the server has answered: patience starts anew. */
  progressed(): void {
    this.failures = 0;
  }

  /** Waits as long as a server that goes away has asked for. */
  async rest(waitMs: number): Promise<void> {
    await pause(Math.max(waitMs, FIRST_WAIT_MS), this.closing);
  }

  /**
   * Waits before the next try, or until `signal`; throws the `ServiceError` when there is to be
   * none. UNAVAILABLE is tried again (AIP-194), and RESOURCE_EXHAUSTED when the server says how
   * long to wait. RetryInfo is the least that is waited.
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
    await pause(waitMs, signal ? AbortSignal.any([signal, this.closing]) : this.closing);
  }
}

async function pause(waitMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(waitMs, undefined, { signal });
  } catch (aborted) {
    throw toServiceError(aborted, true);
  }
}

function mayPass(told: ServiceError): boolean {
  if (told.code === Code.ResourceExhausted) return told.retryAfterMs !== undefined;
  return told.code === Code.Unavailable;
}
