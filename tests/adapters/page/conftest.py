"""Tests here may be coroutines, as those of the edge."""

from tests.adapters.edge.conftest import pytest_pyfunc_call as pytest_pyfunc_call
