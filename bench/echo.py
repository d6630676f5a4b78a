"""A bare grpc.aio server that answers every call with the same bytes: the floor of `bench.unary`.

python -m bench.echo PORT < ANSWER
"""

import sys
from typing import Any

import grpc

from mailvet.loop import run


async def serve(port: int, answer: bytes) -> None:
    """Answer every call."""

    async def reply(_request: bytes, _context: Any) -> bytes:
        return answer

    class Handler(grpc.GenericRpcHandler):
        def service(self, _details: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(reply)

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Handler(),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    run(serve(int(sys.argv[1]), sys.stdin.buffer.read()))
