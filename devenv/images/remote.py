"""Asks registries what an image starts, with the credentials of the user's Docker login."""

from __future__ import annotations

import base64
import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from devenv.images.references import mirrored, parse, upstream
from devenv.images.registry_api import ACCEPT, TIMEOUT_SECONDS, Document, config_of
from devenv.ports import ImageConfig

LONGEST = 4 * 1024 * 1024
CLIENT = "devenv"

Login = Mapping[str, str]
"""What the user's Docker login has for a registry: `username` and `password`, or an `identitytoken`."""


class Unanswered(Exception):  # noqa: N818 - a reason, told only where no other place has the image
    """Why a registry gave no answer."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look before the registry itself, and the login for that."""

    mirrors: Mapping[str, str]
    of_daemon: Sequence[str] = ()
    login: Login | None = None


def ask(image: str, places: Places, *, arch: str) -> ImageConfig:
    """What an image starts, from the first mirror or registry that has it; of several platforms that of `arch`.

    Where none has, the config's `unknown` is the reason, and its architecture `arch`.
    """
    reference = parse(image)
    repositories = [Repository(url) for url in mirrored(reference, places.mirrors, places.of_daemon)]
    reason = ""
    # Only the registry itself gets the login: it is none of a mirror's business.
    for repository in (*repositories, Repository(upstream(reference), places.login)):
        try:
            found = config_of(repository.fetch, reference.version, arch=arch)
        except Unanswered as error:
            reason = str(error)
            continue
        if found:
            return found
        reason = f"{repository.host} has no such image"
    return ImageConfig((), (), architecture=arch, unknown=reason)


class Repository:
    """One repository at a registry or mirror."""

    def __init__(self, url: str, login: Login | None = None) -> None:
        self._url, self._login = url, login
        self._authorization = ""
        self.host = urlsplit(url).netloc

    def fetch(self, path: str) -> Document | None:
        """A document below the repository; None where there is none. Raises Unanswered."""
        try:
            try:
                return self._get(f"{self._url}/{path}")
            except urllib.error.HTTPError as error:
                if error.code != 401 or self._authorization:
                    raise
                self._authorization = self._authorize(error.headers.get("WWW-Authenticate") or "")
                return self._get(f"{self._url}/{path}")
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise Unanswered(_refusal(self.host, error.code, self._login)) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unanswered(f"{self.host} can't be asked ({getattr(error, 'reason', None) or error})") from error

    def _get(self, url: str) -> Document:
        request = urllib.request.Request(url, headers={"Accept": ACCEPT})
        if self._authorization:
            # Not to where a blob's address leads.
            request.add_unredirected_header("Authorization", self._authorization)
        return _read(request)

    def _authorize(self, challenge: str) -> str:
        """The header that a registry's challenge asks for."""
        kind, _, rest = challenge.partition(" ")
        facts = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        if kind.lower() == "basic":
            return _basic(self._login) or "Basic Og=="
        if kind.lower() != "bearer" or "realm" not in facts:
            raise Unanswered(f"{self.host} asks for a login of an unknown kind")
        answer = _read(self._token_request(facts.pop("realm"), facts))
        return f"Bearer {answer.get('token') or answer.get('access_token') or ''}"

    def _token_request(self, realm: str, facts: Mapping[str, str]) -> urllib.request.Request:
        scope = {key: facts[key] for key in ("service", "scope") if key in facts}
        if self._login and self._login.get("identitytoken"):
            grant = {"grant_type": "refresh_token", "refresh_token": self._login["identitytoken"], "client_id": CLIENT}
            return urllib.request.Request(realm, data=urlencode({**scope, **grant}).encode())
        request = urllib.request.Request(f"{realm}?{urlencode(scope)}")
        if basic := _basic(self._login):
            request.add_unredirected_header("Authorization", basic)
        return request


def _read(request: urllib.request.Request) -> Document:
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        value = json.loads(answer.read(LONGEST))
    if not isinstance(value, dict):
        raise ValueError("its answer is no document")
    return value


def _basic(login: Login | None) -> str:
    if not login or not login.get("username"):
        return ""
    pair = f"{login['username']}:{login.get('password', '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _refusal(host: str, code: int, login: Login | None) -> str:
    if code in (401, 403):
        return f"{host} refuses {'your docker login' if login else 'those who are not logged in (docker login)'}"
    return f"{host} answers {code}"
