"""What every answer of the reading room carries, and what no request gets past: host, origin, size.

Pages run no script and take nothing from elsewhere; a page elsewhere can neither frame them nor send their forms. The
check of the host keeps out pages of other names that were made to point at this machine.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_FORM = 64 * 1024
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
}
COOKIE_STATE = "set-cookie"
"""The name in the request's state under which a page leaves the cookies to be set."""


class Guard:
    """Stands before the application.

    Parameters
    ----------
    app : the application
    hosts : the values of the Host header that are answered, such as "127.0.0.1:8765"
    """

    def __init__(self, app: App, hosts: frozenset[str]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                held = {name.lower() for name, _ in message["headers"]}
                added = [(n.encode(), v.encode()) for n, v in HEADERS.items() if n.encode() not in held]
                added += [(b"set-cookie", cookie.encode()) for cookie in state.get(COOKIE_STATE, ())]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        why = self._why_refused(scope)
        if why is None:
            await self._app(scope, receive, sending)
        else:
            await _refuse(sending, *why)

    def _why_refused(self, scope: Scope) -> tuple[int, str] | None:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        if host not in self._hosts:
            return 400, "This address is not answered here."
        if scope["method"] in ("GET", "HEAD"):
            return None
        if scope["method"] != "POST":
            return 405, "This is not done here."
        if headers.get(b"origin") not in (f"http://{host}", f"https://{host}"):
            return 403, "This form did not come from a page of the reading room."
        length = headers.get(b"content-length", "")
        if not length.isdecimal() or int(length) > LARGEST_FORM:
            return 413, "This form is too large."
        return None


async def _refuse(send: Send, status: int, words: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{words}\n".encode()})
