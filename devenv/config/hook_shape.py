"""The shape of `hooks:` in devenv.yaml."""

from __future__ import annotations

from devenv.config.strict import ShellOrList, Strict


class HooksFile(Strict):
    """Commands of this machine around `up` and `down`."""

    before_up: list[ShellOrList] = []
    after_up: list[ShellOrList] = []
    before_down: list[ShellOrList] = []
