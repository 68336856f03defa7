from __future__ import annotations

import pytest

from devenv.scan.dockerfile import Stage, read_dockerfile, stage_names


def stage(text: str, target: str = "") -> Stage:
    found = read_dockerfile(text, target)
    assert found
    return found


def test_what_a_stage_says() -> None:
    found = stage(
        """\
        # syntax=docker/dockerfile:1
        ARG VERSION=3.11
        FROM python:${VERSION}-slim
        ENV HOME=/srv PORT=8000
        WORKDIR $HOME
        COPY --chown=app:app src/ \\
             # a comment between
             ./src/
        EXPOSE $PORT 53/udp 9000/tcp
        USER app
        ENTRYPOINT ["tini", "--"]
        CMD python -m app
        """
    )
    assert (found.base, found.workdir, found.user, found.is_root) == ("python:3.11-slim", "/srv", "app", False)
    assert found.ports == ((8000, 9), (9000, 9))
    assert found.program == ("tini", "--", "/bin/sh", "-c", "python -m app")
    assert [(c.sources, c.to, c.line, c.owned) for c in found.copies] == [(("src/",), "/srv/src/", 6, True)]


STAGES = """\
FROM node:20 AS base
WORKDIR /app
EXPOSE 3000
FROM base AS dev
COPY . .
CMD ["npm", "run", "dev"]
FROM nginx
COPY --from=dev /app/dist /usr/share/nginx/html
"""


def test_a_target_inherits_from_the_stage_it_is_from() -> None:
    found = stage(STAGES, "dev")
    assert (found.base, found.ports, found.program) == ("node:20", ((3000, 3),), ("npm", "run", "dev"))
    assert found.copies[0].to == "/app/"
    assert stage(STAGES).copies == ()
    assert stage_names(STAGES) == ("base", "dev")
    assert read_dockerfile(STAGES, "none") is None


def test_an_entrypoint_forgets_the_command_below_it() -> None:
    assert stage('FROM x\nCMD ["a"]\nENTRYPOINT ["b"]\n').program == ("b",)


def test_heredocs_are_no_instructions() -> None:
    found = stage("FROM x\nRUN <<EOF\nEXPOSE 1\nEOF\nCOPY <<A <<B /x/\nUSER a\nA\nUSER b\nB\nEXPOSE 2\n")
    assert (found.ports, found.user, found.copies) == (((2, 10),), "", ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only\n",
        "EXPOSE 80\n",
        "FROM\n",
        "FROM x\nCMD [\n",
        "FROM x\nENV\nCOPY 'a\nEXPOSE x/y ${",
        "FROM x\nRUN a \\",
    ],
)
def test_odd_texts_are_read_without_a_fault(text: str) -> None:
    read_dockerfile(text)


def test_a_list_of_sources_with_blanks() -> None:
    assert stage('FROM x\nCOPY ["a b", "/c d/"]\n').copies[0].sources == ("a b",)
