"""Another project's service as the real form of a dependency."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from devenv.cli.load import names_of
from devenv.config.model import Project
from tests.unit.config.conftest import Write, faults, read

SHOP = "services: {orders: {image: x, needs: [payments]}}\n"
BORROW = "dependencies: {payments: {real: {devenv: ../../pay}}}\n"
PAY = """\
services:
  payments: {build: ., needs: [ledger, postgres], env_file: pay.env, sync: [{from: src, to: /src}], test: {command: a}}
  ledger: {image: acme/ledger}
  other: {image: acme/other}
"""
FILES = {
    "shop/devenv.yaml": SHOP,
    "shop/profiles/default.yaml": BORROW,
    "pay/devenv.yaml": PAY,
    "pay/profiles/default.yaml": "include: [postgres, redis]\n"
    'dependencies: {postgres: {with: {version: "14", user: pay}}}\n',
    "pay/pay.env": "A=1",
    "pay/src/a.py": "",
}


def told(root: Path) -> list[str]:
    return [line.replace(f"{root}/", "") for line in faults(root / "shop")]


def test_the_service_and_what_it_needs_come_in(write: Write) -> None:
    root = write(FILES)
    environment = read(root / "shop")
    assert list(environment.services) == ["orders", "payments", "ledger"]
    payments = environment.services["payments"]
    assert payments.build
    assert payments.build.context == root / "pay"
    assert payments.env == {"A": "1"}
    assert (payments.sync, payments.test, payments.needs) == ((), None, ("ledger", "postgres"))
    assert str(payments.origin) == f"{root}/pay/devenv.yaml:2:13"
    assert environment.dependencies["payments"].project == Project(root / "pay/devenv.yaml", "payments")
    assert ("dependency", "payments", "real") in names_of(environment)
    assert list(environment.dependencies) == ["payments", "postgres"]
    postgres = environment.dependencies["postgres"].real
    assert postgres
    assert postgres.image == "postgres:14"


def test_a_service_of_another_name(write: Write) -> None:
    profile = "dependencies: {payments: {real: {devenv: ../../pay/devenv.yaml, service: ledger}}}\n"
    services = read(write({**FILES, "shop/profiles/default.yaml": profile}) / "shop").services
    assert services["payments"].image == "acme/ledger"
    assert services["payments"].name == "payments"


def test_a_stub_does_not_need_the_other_project(write: Write) -> None:
    stub = "{real: {devenv: ../../nowhere}, stub: {wiremock: ., ports: {http: 80}}}"
    root = write({**FILES, "shop/profiles/default.yaml": f"dependencies: {{payments: {stub}}}\n"})
    assert list(read(root / "shop").services) == ["orders"]
    with pytest.raises(Exception, match="1 fault in the configuration"):
        read(root / "shop", modes={"payments": "real"})


def test_the_same_shipped_profile_is_shared_and_this_projects_values_win(write: Write) -> None:
    profile = (
        'include: [postgres]\ndependencies:\n  postgres: {with: {version: "16"}}\n'
        "  payments: {real: {devenv: ../../pay}}\n"
    )
    postgres = read(write({**FILES, "shop/profiles/default.yaml": profile}) / "shop").dependencies["postgres"].real
    assert postgres
    assert postgres.image == "postgres:16"
    assert postgres.env["POSTGRES_USER"] == "pay"


def test_a_profile_reaches_the_other_projects_dependencies(write: Write) -> None:
    profile = "dependencies: {payments: {real: {devenv: ../../pay}}, postgres: {mode: off}}\n"
    environment = read(write({**FILES, "shop/profiles/default.yaml": profile}) / "shop")
    assert environment.dependencies["postgres"].mode == "off"


def test_two_dependencies_may_borrow_from_one_project(write: Write) -> None:
    profile = "dependencies: {payments: {real: {devenv: ../../pay}}, ledger: {real: {devenv: ../../pay}}}\n"
    environment = read(write({**FILES, "shop/profiles/default.yaml": profile}) / "shop")
    assert set(environment.services) == {"orders", "payments", "ledger"}


def real(**keys: str) -> dict[str, str]:
    text = ", ".join(f"{key}: {value}" for key, value in keys.items())
    return {"shop/profiles/default.yaml": f"dependencies: {{payments: {{real: {{{text}}}}}}}\n"}


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        (
            real(devenv="../nope"),
            ["profiles/default.yaml:1:42  dependencies.payments.real.devenv  there is no devenv.yaml at ../nope"],
        ),
        (
            real(devenv="../../pay", service="legder"),
            [
                "profiles/default.yaml:1:62  dependencies.payments.real.devenv  pay/devenv.yaml has no service "
                '"legder" (did you mean "ledger"?); known: payments, ledger, other'
            ],
        ),
        (
            real(devenv="../../pay", image="x"),
            [
                "profiles/default.yaml:1:53  dependencies.payments.real.image  devenv: ../../pay is the whole real "
                "form: image is written in that project"
            ],
        ),
        (
            real(image="x", service="y"),
            ["profiles/default.yaml:1:33  dependencies.payments.real  needs the key devenv beside service"],
        ),
        (
            {"pay/devenv.yaml": "services: {payments: {imge: x}}\n"},
            ['pay/devenv.yaml:1:23  services.payments.imge  unknown key "imge" (did you mean "image"?)'],
        ),
        (
            {"shop/devenv.yaml": "services: {orders: {image: x, needs: [payments]}, ledger: {image: y}}\n"},
            [
                "pay/devenv.yaml:3:3  services.ledger  ledger is something else in shop/devenv.yaml:1:51: give one "
                "of them another name"
            ],
        ),
        (
            {
                "shop/profiles/default.yaml": "dependencies:\n  payments: {real: {devenv: ../../pay}}\n"
                "  postgres: {real: {image: acme/postgres}}\n"
            },
            [
                "pay/profiles/default.yaml:2:16  dependencies.postgres  postgres is something else in "
                "shop/profiles/default.yaml:3:3: give one of them another name"
            ],
        ),
        (
            {
                "pay/devenv.yaml": "services: {payments: {image: x, needs: [orders]}}\n",
                "pay/profiles/default.yaml": "dependencies: {orders: {real: {devenv: ../../shop}}}\n",
            },
            [
                "pay/profiles/default.yaml:1:40  dependencies.orders.real.devenv  projects need each other: "
                "shop/devenv.yaml → pay/devenv.yaml → shop/devenv.yaml"
            ],
        ),
        (
            real(devenv="../../shop", service="orders"),
            [
                "profiles/default.yaml:1:42  dependencies.payments.real.devenv  projects need each other: "
                "shop/devenv.yaml → shop/devenv.yaml"
            ],
        ),
        (
            {"pay/devenv.yaml": "- a\n"},
            ["pay/devenv.yaml:1:1  expected keys at the top, such as services:, got a list"],
        ),
    ],
)
def test_faults(write: Write, changes: dict[str, str], lines: list[str]) -> None:
    assert [re.sub(r"^\S*/(?=pay/)", "", line) for line in told(write({**FILES, **changes}))] == lines


def test_the_other_projects_variables_and_local_file_count(write: Write) -> None:
    root = write(
        {
            **FILES,
            "pay/devenv.yaml": 'services: {payments: {image: "x:${NO_SUCH_TAG:-7}"}}\n',
            "pay/devenv.local.yaml": "services: {payments: {env: {A: mine}}}\n",
        }
    )
    payments = read(root / "shop").services["payments"]
    assert (payments.image, payments.env) == ("x:7", {"A": "mine"})
