"""An assertion of the builders says what it met, as a test's own does."""

import pytest

pytest.register_assert_rewrite("tests.builders")
