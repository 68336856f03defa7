from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from devenv.config.schema import EnvironmentFile, LocalFile, ProfileFile


def web(**changes: Any) -> dict[str, Any]:
    return {"services": {"web": {"image": "x", **changes}}}


@pytest.mark.parametrize("port", [80, "${PORT}", "${PORT:-80}"])
def test_the_json_schema_takes_a_variable_for_a_number(port: object) -> None:
    for model in (EnvironmentFile, LocalFile):
        jsonschema.validate(web(ports={"http": port}, env={"A": 1, "B": "${B}", "C": True}), model.model_json_schema())


@pytest.mark.parametrize("port", ["80", 0, 70000, True, "$PORT"])
def test_and_no_other_text(port: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(web(ports={"http": port}), EnvironmentFile.model_json_schema())


def test_secrets_and_hooks_are_in_it() -> None:
    env = {"A": {"secret": {"exec": ["vault"]}}, "B": {"secret": {"exec": "vault"}}}
    hooks = {"before_up": ["a", ["b", "c"]]}
    jsonschema.validate({**web(env=env), "hooks": hooks}, EnvironmentFile.model_json_schema())
    real = {"image": "x", "env": env}
    jsonschema.validate({"dependencies": {"a": {"real": real}}}, LocalFile.model_json_schema())
    assert "dependencies" in ProfileFile.model_json_schema()["properties"]
