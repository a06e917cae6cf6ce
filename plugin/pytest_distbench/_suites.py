"""Suite files as tests: one item an encoder and code size, one item a claim."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from distbench.errors import SuiteError
from distbench.suites import check_suite, read_suite
from distbench.suites._store import Store, read_store, store_path
from pytest_distbench._claim import ClaimItem
from pytest_distbench._encoder import EncoderItem
from pytest_distbench._session import enabled, updates

__all__ = ["SuiteFile"]


class SuiteFile(pytest.File):
    """A TOML file with ``distbench = 1``."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the encoders at each code size, then the claims."""
        try:
            suite = read_suite(self.path)
            if enabled(self.config):
                check_suite(suite)
            store = self._stored()
        except SuiteError as error:
            raise self.CollectError(str(error)) from None
        for code_size in suite.code_sizes:
            for encoder in suite.encoders:
                if code_size in suite.code_sizes_of(encoder):
                    yield EncoderItem.from_parent(
                        self,
                        name=f"{encoder.name}[{code_size}]",
                        suite=suite,
                        store=store,
                        encoder=encoder,
                        code_size=code_size,
                    )
        for claim in suite.claims:
            yield ClaimItem.from_parent(self, name=claim.id, suite=suite, store=store, claim=claim)

    def _stored(self) -> Store:
        path = store_path(self.path)
        if not enabled(self.config):
            return Store(path)  # skipped tests need not read it
        if updates(self.config):
            from pytest_distbench._writer import check_writable

            check_writable(path)
        return read_store(path)
