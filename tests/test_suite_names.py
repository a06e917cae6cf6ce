from __future__ import annotations

import inspect
import re
from importlib.resources import files

import pytest
from suite_texts import AUTO, BETTER, CLAIM, COLLAPSE, FLOOR, PCA_ENTRY, TOP, written

from distbench.baselines import BASELINES
from distbench.errors import SuiteError
from distbench.suites.detect import is_suite
from distbench.suites.names import check_suite
from distbench.suites.reader import read_suite

SHIPPED = sorted(path.name for path in files("distbench_suites").iterdir() if path.name.endswith(".toml"))


@pytest.fixture
def write(tmp_path):
    return lambda text, name="s.toml": written(tmp_path, text, name)


# Lines of an encoder, from line 8; and of a claim, from line 11.
WRONG_ENCODERS = {
    "limits = {stres = 1}": "8: encoder 1.limits: no metric is called 'stres'; did you mean 'stress'",
    "limits = {label_agreemnt = 0.5}": "8: encoder 1.limits: .*; did you mean 'label_agreement'",
    "limits.stress = 0.5\nlimits.continuity.8 = 1.5": "9: encoder 1.limits.continuity.8: found the limit 1.5; pass one",
    'recipe = "pcs"': "8: encoder 1.recipe: no encoder is called 'pcs'; did you mean 'pca'",
    "options = {a = 1}": "8: encoder 1.options: pca has no option 'a'; it takes none",
}
WRONG_CLAIMS = {
    BETTER.replace("identity", "identty"): "12: claim 1.than: .*; did you mean 'identity'",
    'encoder="pka"\nmetric="stress"\nat_most=1\n': "11: claim 1.encoder: .*'pka'; did you mean 'pca'",
    'encoder="pca"\nmetric="stres"\nat_most=1\n': "12: claim 1.metric: .*; did you mean 'stress'",
    BETTER + 'dataset="sphere"\n': "14: claim 1.dataset: .*'sphere'; did you mean 'spheres'",
    FLOOR.replace("stress", "spearman"): "12: claim 1.metric: found 'spearman', which has no floor",
    FLOOR.replace("stress", "knn_recall"): "12: claim 1.metric: found 'knn_recall', .*stress",
}


def wrong_suites():
    """Yield each text with a wrong name, and what is said of it."""
    yield TOP.replace("digits", "digit") + PCA_ENTRY, "4: dataset: .*'digit'; did you mean 'digits'"
    yield TOP + PCA_ENTRY.replace("pca", "pcs"), "7: encoder 1.name: .*'pcs'; did you mean 'pca'"
    yield TOP + AUTO + "options = {batch = 1}\n", "8: encoder 1.options: autoencoder has no .*'batch_size'"
    yield TOP + PCA_ENTRY + "in_sample = true\n" + CLAIM + COLLAPSE, "15: claim 1.encoder: pca is in sample, so no"
    yield from ((TOP + PCA_ENTRY + lines + "\n", message) for lines, message in WRONG_ENCODERS.items())
    yield from ((TOP + CLAIM + lines, message) for lines, message in WRONG_CLAIMS.items())


class TestNames:
    @pytest.mark.parametrize(("text", "message"), list(wrong_suites()))
    def test_a_near_miss_is_hinted_at_before_anything_is_fitted(self, write, text, message):
        with pytest.raises(SuiteError, match=f"^s.toml:{message}"):
            check_suite(read_suite(write(text)))

    def test_metrics_beyond_the_default_set_and_recipes_that_are_not_there_yet_are_let_through(self, write):
        bound = CLAIM + 'encoder = "pca"\nmetric = "label_agreement"\nat_least = 0.5\n'
        own = PCA_ENTRY + 'recipe = "nowhere:Recipe"\nlimits = {label_agreement = 0.5}\n'
        claim = CLAIM.replace('"c"', '"d"') + BETTER.replace("identity", "elsewhere:Recipe")
        check_suite(read_suite(write(TOP + own + bound + claim)))

    @pytest.mark.parametrize("name", SHIPPED)
    def test_the_shipped_suites_are_sound(self, name):
        path = files("distbench_suites") / name
        assert is_suite(path)
        check_suite(read_suite(path))


@pytest.fixture(scope="module")
def shipped():
    return read_suite(files("distbench_suites") / "claims.toml")


class TestShippedClaims:
    def test_each_says_who_says_so_and_when(self, shipped):
        for claim in shipped.claims:
            assert re.search(r"\(\d{4}\), |^by definition: ", claim.source), claim.id

    def test_no_statement_is_made_twice(self, shipped):
        statements = [claim.statement for claim in shipped.claims]
        assert len(set(statements)) == len(statements)

    def test_batches_of_32_are_what_the_pairwise_recipe_takes_unasked(self, shipped):
        assert "pairwise_autoencoder" not in [encoder.name for encoder in shipped.encoders]
        run = BASELINES["pairwise_autoencoder"].run
        assert inspect.signature(run).parameters["batch_size"].default == 32

    def test_the_encoders_declared_are_for_claims_and_spoken_of(self, shipped):
        spoken_of = {encoder.name for claim in shipped.claims for encoder in shipped.encoders_of(claim)}
        assert {encoder.name for encoder in shipped.encoders} <= spoken_of
        assert all(shipped.code_sizes_of(encoder) == () for encoder in shipped.encoders)
