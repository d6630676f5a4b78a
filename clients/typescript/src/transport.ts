// The calls of every stub: unary ones are tried again, and each failure is a `ServiceError`.

import type {
  DescMessage,
  DescMethodStreaming,
  DescMethodUnary,
  MessageInitShape,
} from "@bufbuild/protobuf";
import type { StreamResponse, Transport, UnaryResponse } from "@connectrpc/connect";
import { type ServiceError, toServiceError } from "./errors.js";
import type { Patience } from "./patience.js";

/** Makes unary calls again while the server is unavailable, and types the failures of all. */
export class PatientTransport implements Transport {
  constructor(
    private readonly inner: Transport,
    private readonly newPatience: () => Patience,
    private readonly closing: AbortSignal,
  ) {}

  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    signal: AbortSignal | undefined,
    ...rest: UnaryRest<I>
  ): Promise<UnaryResponse<I, O>> {
    const patience = this.newPatience();
    for (;;) {
      try {
        return await this.inner.unary(method, signal, ...rest);
      } catch (error) {
        await patience.waitOrThrow(this.typed(error, signal), signal);
      }
    }
  }

  async stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodStreaming<I, O>,
    signal: AbortSignal | undefined,
    ...rest: StreamRest<I>
  ): Promise<StreamResponse<I, O>> {
    try {
      const response = await this.inner.stream(method, signal, ...rest);
      return { ...response, message: this.each(response.message, signal) };
    } catch (error) {
      throw this.typed(error, signal);
    }
  }

  private async *each<T>(
    messages: AsyncIterable<T>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<T, void, undefined> {
    try {
      yield* messages;
    } catch (error) {
      throw this.typed(error, signal);
    }
  }

  private typed(error: unknown, signal: AbortSignal | undefined): ServiceError {
    return toServiceError(error, this.closing.aborted || signal?.aborted);
  }
}

type UnaryRest<I extends DescMessage> = [
  timeoutMs: number | undefined,
  header: HeadersInit | undefined,
  input: MessageInitShape<I>,
];
type StreamRest<I extends DescMessage> = [
  timeoutMs: number | undefined,
  header: HeadersInit | undefined,
  input: AsyncIterable<MessageInitShape<I>>,
];
