"""The shape of an environment variable that may be a secret."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Discriminator, Tag, model_validator
from pydantic_core import PydanticCustomError

from devenv.config.strict import Filled, ShellOrList, Strict, Value, shape_of


class SourceFile(Strict):
    """Where a secret comes from: a variable, a file or a command of this machine."""

    env: Filled | None = None
    file: Filled | None = None
    exec: ShellOrList | None = None

    @model_validator(mode="after")
    def one_of_them(self) -> Self:
        """Exactly one of the three."""
        if sum(source is not None for source in (self.env, self.file, self.exec)) != 1:
            raise PydanticCustomError("one_of", "expected one key, env, file or exec")
        return self


class SecretFile(Strict):
    """A value that is looked up at `up` and kept only in the cluster."""

    secret: SourceFile


EnvValue = Annotated[Annotated[Value, Tag("text")] | Annotated[SecretFile, Tag("map")], Discriminator(shape_of)]
