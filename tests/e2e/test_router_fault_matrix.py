"""Does every fault of a provider end in the complete answer or in one clear error, in every way to ask?

`make faults` prints the same as a table.
"""

import pytest

from router.testing.fault_cases import CASES, MODES
from router.testing.fault_table import run_all

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rows():
    return {(row.case, row.mode): row for row in run_all()}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_a_fault_ends_as_promised(rows, name, mode):
    row = rows[name, mode]
    assert row.problems == (), row


def test_no_case_is_left_out(rows):
    assert len(rows) == len(CASES) * len(MODES)
