"""One mail host of the world: its sockets, its personality and who is visiting."""

import asyncio
import socket
from collections.abc import Callable

from mailvet.testbed.conversation import Conversation
from mailvet.testbed.dialogue import Visit
from mailvet.testbed.personalities import make_personality
from mailvet.testbed.places import Host
from mailvet.testbed.session import Session
from mailvet.testbed.sessions import SessionLog

BACKLOG = 1024
"""Connections the kernel may queue: a burst of visitors must not look like a closed port."""


class MailHost:
    """Serves one host on each of its addresses."""

    def __init__(self, host: Host, log: SessionLog, now: Callable[[], float]) -> None:
        self.host = host
        self._personality = make_personality(host.personality, host.options)
        self._log = log
        self._now = now
        self._visits = 0
        self._servers: list[asyncio.Server] = []
        self._sessions: set[Session] = set()

    async def start(self, sockets: list[socket.socket]) -> None:
        """Listen on sockets that are bound already."""
        loop = asyncio.get_running_loop()
        for bound in sockets:
            server = await loop.create_server(self._open_session, sock=bound, backlog=BACKLOG)
            self._servers.append(server)

    async def stop(self) -> None:
        """Stop listening and reset every session that is still open."""
        for server in self._servers:
            server.close()
        for session in list(self._sessions):
            session.abort()
        for server in self._servers:
            await server.wait_closed()

    def reset(self) -> None:
        """Forget every visitor: a fresh personality with the same options."""
        self._personality = make_personality(self.host.personality, self.host.options)
        self._visits = 0

    def _converse(self, client: str) -> Conversation:
        self._visits += 1
        visit = Visit(client=client, host=self.host.name, number=self._visits, now=self._now)
        return Conversation(self.host, self._personality, visit)

    def _open_session(self) -> Session:
        session = Session(self.host, self._log, self._converse, self._sessions.discard)
        self._sessions.add(session)
        return session
