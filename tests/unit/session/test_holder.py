from __future__ import annotations

import os
import time

from devenv.session.holder import Holder, me


def test_a_holder_in_words() -> None:
    today = time.strftime("%Y-%m-%d")
    assert Holder("ann", "laptop", 12, "pts/3", f"{today}T12:04:59").words() == (
        "ann@laptop (process 12, terminal pts/3, since 12:04)"
    )
    assert Holder("ann", "laptop", 12, "", "1999-01-02T03:04:05").words() == (
        "ann@laptop (process 12, in the background, since 1999-01-02 03:04)"
    )


def test_this_process_holds() -> None:
    assert (me().pid, me().message()["words"]) == (os.getpid(), me().words())
