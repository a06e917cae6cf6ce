from __future__ import annotations

import inspect
import re
from importlib.resources import files

import pytest
from suite_texts import AUTO, BETTER, CLAIM, COLLAPSE, FLOOR, PCA_ENTRY, TOP

from distbench.baselines import BASELINES
from distbench.errors import SuiteError
from distbench.suites.check_names import check_suite
from distbench.suites.reader import read_suite

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
    """Yield each text with a wrong name, and its error message."""
    yield TOP.replace("digits", "digit") + PCA_ENTRY, "4: dataset: .*'digit'; did you mean 'digits'"
    yield TOP + PCA_ENTRY.replace("pca", "pcs"), "7: encoder 1.name: .*'pcs'; did you mean 'pca'"
    yield TOP + AUTO + "options = {batch = 1}\n", "8: encoder 1.options: autoencoder has no .*'batch_size'"
    yield TOP + PCA_ENTRY + "in_sample = true\n" + CLAIM + COLLAPSE, "15: claim 1.encoder: pca is in sample and"
    yield from ((TOP + PCA_ENTRY + lines + "\n", message) for lines, message in WRONG_ENCODERS.items())
    yield from ((TOP + CLAIM + lines, message) for lines, message in WRONG_CLAIMS.items())


class TestNames:
    @pytest.mark.parametrize(("text", "message"), list(wrong_suites()))
    def test_a_near_miss_is_hinted_at_before_anything_is_fitted(self, write_suite, text, message):
        with pytest.raises(SuiteError, match=f"^s.toml:{message}"):
            check_suite(read_suite(write_suite(text)))

    def test_metrics_beyond_the_default_set_and_recipes_that_are_not_there_yet_are_let_through(self, write_suite):
        bound = CLAIM + 'encoder = "pca"\nmetric = "label_agreement"\nat_least = 0.5\n'
        own = PCA_ENTRY + 'recipe = "nowhere:Recipe"\nlimits = {label_agreement = 0.5}\n'
        claim = CLAIM.replace('"c"', '"d"') + BETTER.replace("identity", "elsewhere:Recipe")
        check_suite(read_suite(write_suite(TOP + own + bound + claim)))


@pytest.fixture(scope="module")
def shipped():
    return read_suite(files("distbench_suites") / "claims.toml")


def test_shipped_claims_have_a_dated_source_and_a_statement_of_their_own(shipped):
    for claim in shipped.claims:
        assert re.search(r"\(\d{4}\), |^by definition: ", claim.source), claim.id
    statements = [claim.statement for claim in shipped.claims]
    assert len(set(statements)) == len(statements)


def test_shipped_claims_declare_encoders_for_claims_alone(shipped):
    named = {encoder.name for claim in shipped.claims for encoder in shipped.encoders_of(claim)}
    assert {encoder.name for encoder in shipped.encoders} <= named
    assert all(shipped.code_sizes_of(encoder) == () for encoder in shipped.encoders)
    # Claims about batches of 32 take the recipe as it is.
    assert "pairwise_autoencoder" not in [encoder.name for encoder in shipped.encoders]
    run = BASELINES["pairwise_autoencoder"].run
    assert inspect.signature(run).parameters["batch_size"].default == 32
