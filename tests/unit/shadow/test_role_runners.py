"""Has every role beside the router something that runs it, and does an unknown one name those there are?"""

import inspect

import pytest

from shadow.errors import ConfigError
from shadow.role import ROLES, runner_of


@pytest.mark.parametrize("role", [role for role in ROLES if role != "router"])
def test_every_role_beside_the_router_has_its_runner(role):
    runner = runner_of(role)
    assert inspect.iscoroutinefunction(runner)
    assert role in runner.__name__


def test_an_unknown_role_names_those_there_are():
    with pytest.raises(ConfigError, match="router, intake, worker, scheduler"):
        runner_of("cook")
