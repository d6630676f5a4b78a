// The calls of every stub: unary ones are tried again, and each failure is a `ServiceError`.

import type {
  DescMessage,
  DescMethodStreaming,
  DescMethodUnary,
  MessageInitShape,
} from "@bufbuild/protobuf";
import type { StreamResponse, Transport, UnaryResponse } from "@connectrpc/connect";
import { toServiceError } from "./errors.js";
import { Patience } from "./patience.js";

/** Makes unary calls again while the server is unavailable, and types the failures of all. */
export class PatientTransport implements Transport {
  constructor(
    private readonly inner: Transport,
    private readonly patienceMs: number,
  ) {}

  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    signal: AbortSignal | undefined,
    ...rest: UnaryRest<I>
  ): Promise<UnaryResponse<I, O>> {
    const patience = new Patience(this.patienceMs);
    for (;;) {
      try {
        return await this.inner.unary(method, signal, ...rest);
      } catch (error) {
        if (signal?.aborted) throw toServiceError(error);
        await patience.waitOrThrow(error, signal);
      }
    }
  }

  async stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodStreaming<I, O>,
    ...rest: StreamRest<I>
  ): Promise<StreamResponse<I, O>> {
    try {
      const response = await this.inner.stream(method, ...rest);
      return { ...response, message: typed(response.message) };
    } catch (error) {
      throw toServiceError(error);
    }
  }
}

type UnaryRest<I extends DescMessage> = [
  timeoutMs: number | undefined,
  header: HeadersInit | undefined,
  input: MessageInitShape<I>,
];
type StreamRest<I extends DescMessage> = [
  signal: AbortSignal | undefined,
  timeoutMs: number | undefined,
  header: HeadersInit | undefined,
  input: AsyncIterable<MessageInitShape<I>>,
];

async function* typed<T>(messages: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  try {
    yield* messages;
  } catch (error) {
    throw toServiceError(error);
  }
}
