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


class TestNames:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (TOP.replace("digits", "digit") + PCA_ENTRY, "s.toml:4: dataset: .*'digit'; did you mean 'digits'"),
            (TOP + PCA_ENTRY.replace("pca", "pcs"), "s.toml:7: encoder 1.name: .*'pcs'; did you mean 'pca'"),
            (
                TOP + PCA_ENTRY + "limits = {stres = 1}\n",
                "s.toml:8: encoder 1.limits: .*'stres'; did you mean 'stress'",
            ),
            (
                TOP + PCA_ENTRY + "limits.stress = 0.5\nlimits.continuity.8 = 1.5\n",
                "s.toml:9: encoder 1.limits.continuity.8: found the limit 1.5; pass one between 0 and 1",
            ),
            (
                TOP + PCA_ENTRY + 'recipe = "pcs"\n',
                "s.toml:8: encoder 1.recipe: no encoder is called 'pcs'; did you mean 'pca'",
            ),
            (
                TOP + CLAIM + BETTER.replace("identity", "identty"),
                "s.toml:12: claim 1.than: .* did you mean 'identity'",
            ),
            (
                TOP + CLAIM + 'encoder="pka"\nmetric="stress"\nat_most=1\n',
                "s.toml:11: claim 1.encoder: .*'pka'; did you mean 'pca'",
            ),
            (TOP + CLAIM + 'encoder="pca"\nmetric="stres"\nat_most=1\n', "claim 1.metric: .*mean 'stress'"),
            (
                TOP + CLAIM + BETTER + 'dataset="sphere"\n',
                "s.toml:14: claim 1.dataset: .*'sphere'; did you mean 'spheres'",
            ),
            (
                TOP + PCA_ENTRY + "options = {a = 1}\n",
                "s.toml:8: encoder 1.options: pca has no option 'a'; it takes none",
            ),
            (TOP + AUTO + "options = {batch = 1}\n", "options: autoencoder has no option 'batch'; .*'batch_size'"),
            (TOP + CLAIM + FLOOR.replace("stress", "spearman"), "claim 1.metric: found 'spearman', which has no floor"),
            (TOP + CLAIM + FLOOR.replace("stress", "knn_recall"), "claim 1.metric: found 'knn_recall', .*stress"),
            (TOP + PCA_ENTRY + "in_sample = true\n" + CLAIM + COLLAPSE, "claim 1.encoder: pca is in sample: no map"),
        ],
    )
    def test_a_near_miss_is_hinted_at_before_anything_is_fitted(self, write, text, message):
        with pytest.raises(SuiteError, match=message):
            check_suite(read_suite(write(text)))

    def test_claims_and_limits_may_use_metrics_beyond_the_default_set(self, write):
        bound = CLAIM + 'encoder = "pca"\nmetric = "label_agreement"\nat_least = 0.5\n'
        check_suite(read_suite(write(TOP + bound)))
        check_suite(read_suite(write(TOP + PCA_ENTRY + "limits = {label_agreement = 0.5}\n")))
        with pytest.raises(SuiteError, match=r"encoder 1.limits: no metric is called 'label_agreemnt'; did you mean"):
            check_suite(read_suite(write(TOP + PCA_ENTRY + "limits = {label_agreemnt = 0.5}\n")))

    def test_recipes_of_a_users_own_are_looked_up_when_they_run(self, write):
        own = PCA_ENTRY + 'recipe = "nowhere:Recipe"\n'
        claim = CLAIM + 'better = "pca"\nthan = "elsewhere:Recipe"\nmetric = "stress"\n'
        check_suite(read_suite(write(TOP + own + claim)))

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
