"""What shells offer at a tab, fast: the standard library only, and of it only what starts in a few milliseconds.

No dataclasses, typing, pathlib or re of our own here: each costs as much as all the rest together. `json` is worth it.
"""
