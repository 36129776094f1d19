"""Where nothing may be skipped, what is skipped fails."""

import pytest

from tests import no_skips

TESTS = """
    import pytest

    def test_lacks():
        pytest.importorskip("no_such_package")

    @pytest.mark.skipif(True, reason="no such browser")
    def test_marked():
        pass

    def test_allowed():
        pytest.skip("no network, no gradient")

    @pytest.mark.xfail(strict=True)
    def test_expected():
        assert False

    def test_data():
        pytest.skip("needs MNIST in $DLMODULES_DATA")
"""


def outcomes(pytester, **more):
    pytester.makepyfile(TESTS, **more)
    result = pytester.runpytest_inprocess("-p", "tests.no_skips")
    return result, result.parseoutcomes()


@pytest.fixture
def unskipping(monkeypatch):
    monkeypatch.setenv("DLMODULES_NO_SKIPS", "1")


def test_skips_pass_where_nothing_is_said(pytester, monkeypatch):
    monkeypatch.delenv("DLMODULES_NO_SKIPS", raising=False)
    assert outcomes(pytester)[1] == {"skipped": 4, "xfailed": 1}


def test_only_listed_reasons_are_allowed(pytester, unskipping, monkeypatch):
    monkeypatch.setenv("DLMODULES_DATA", "/data")
    result, found = outcomes(pytester)
    assert found == {"failed": 2, "errors": 1, "skipped": 1, "xfailed": 1}
    result.stdout.fnmatch_lines(["*not allow: no such browser*", "*not allow: could not import *no_such_package*"])


def test_data_may_be_missing_where_no_folder_is_named(pytester, unskipping, monkeypatch):
    monkeypatch.delenv("DLMODULES_DATA", raising=False)
    assert outcomes(pytester)[1] == {"failed": 1, "errors": 1, "skipped": 2, "xfailed": 1}


def test_a_file_that_is_skipped_whole_fails(pytester, unskipping):
    module = "import pytest\npytest.importorskip('no_such_package', reason='it is missing')\n"
    result, found = outcomes(pytester, test_whole=module)
    assert found["errors"] == 1
    result.stdout.fnmatch_lines(["*does not allow: it is missing*"])


def test_each_allowed_reason_is_explained():
    assert all(no_skips.ALLOWED.values())
