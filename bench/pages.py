"""A bare grpc.aio server that streams one page from memory: the floor of `bench.wire`.

python -m bench.pages PORT COUNT < PAGE
"""

import sys
from collections.abc import AsyncIterator
from typing import Any

import grpc

from mailvet.loop import run


async def serve(port: int, count: int, page: bytes) -> None:
    """Answer every streaming call with `count` times the page."""

    async def pages(_request: bytes, _context: Any) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield page

    class Handler(grpc.GenericRpcHandler):
        def service(self, _details: Any) -> Any:
            return grpc.unary_stream_rpc_method_handler(pages)

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Handler(),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    run(serve(int(sys.argv[1]), int(sys.argv[2]), sys.stdin.buffer.read()))
