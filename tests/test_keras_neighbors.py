"""The loss on neighbors, its batches, and the autoencoder that has it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frameworks import dk, keras, needs
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from distbench.errors import InputError, MissingDependencyError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 5)).astype("float32")
U, V = RNG.normal(size=(2, 9, 3)).astype("float32")


def by_definition(u: Any, v: Any, temperature: float = 0.03) -> float:
    squares = cdist(u.astype(float), v.astype(float)) ** 2
    logits = -squares / (temperature * squares.mean())
    return float(np.mean(logsumexp(logits, axis=1) - np.diag(logits)))


class TestLoss:
    @pytest.mark.parametrize("temperature", [0.03, 1.0])
    def test_equals_the_definition_in_any_units(self, temperature: float) -> None:
        for factor in (1.0, 100.0):
            found = float(dk.neighbor_loss(U * factor, V * factor, temperature=temperature))
            assert found == pytest.approx(by_definition(U, V, temperature), rel=1e-5)
        far = float(dk.neighbor_loss(U + 100, V + 100, temperature=temperature))
        assert far == pytest.approx(by_definition(U + 100, V + 100, temperature), rel=1e-3)

    def test_is_0_for_partners_at_their_anchors_and_log_n_for_codes_that_coincide(self) -> None:
        far = np.eye(8, dtype="float32")
        assert float(dk.neighbor_loss(far, far)) == pytest.approx(0, abs=1e-5)
        assert float(dk.neighbor_loss(far[:1], far[1:2])) == pytest.approx(0, abs=1e-5)
        same = np.ones((8, 3), "float32")
        assert float(dk.neighbor_loss(same, same)) == pytest.approx(np.log(8), rel=1e-5)

    @pytest.mark.parametrize("temperature", [0, -1, np.nan, np.inf])
    def test_temperatures_are_checked(self, temperature: float) -> None:
        for use in (lambda: dk.neighbor_loss(U, V, temperature=temperature), lambda: dk.NeighborLoss(1, temperature)):
            with pytest.raises(InputError, match="temperature"):
                use()

    def test_the_layer_compares_the_halves_of_a_batch_while_training(self) -> None:
        layer = dk.NeighborLoss(2.0)
        batch = np.concatenate([U, V])
        np.testing.assert_array_equal(layer(batch), batch)
        assert layer.losses == []
        np.testing.assert_array_equal(layer(batch, training=True), batch)
        assert float(layer.losses[0]) == pytest.approx(2 * by_definition(U, V), rel=1e-5)
        np.testing.assert_array_equal(layer(U, V, training=True), U)
        assert float(layer.losses[0]) == pytest.approx(2 * by_definition(U, V), rel=1e-5)
        with pytest.raises(InputError, match="weight"):
            dk.NeighborLoss(-1.0)

    def test_each_anchor_needs_a_partner_of_its_shape(self) -> None:
        for partners in (V[:8], V[:, :1], V[:, :, None]):
            for use in (dk.neighbor_loss, dk.NeighborLoss()):
                with pytest.raises(InputError, match=r"^partners: found shape .* for anchors of \(9, 3\); pass"):
                    use(U, partners)
        with pytest.raises(InputError, match=r"^codes: found 9 while training; pass batches"):
            dk.NeighborLoss()(U, training=True)
        assert dk.NeighborLoss()(U).shape == (9, 3)

    def test_a_mask_is_passed_on(self) -> None:
        layers = [keras.Input((4, 3)), keras.layers.Masking(), dk.NeighborLoss(), keras.layers.GlobalAveragePooling1D()]
        rows = np.ones((3, 4, 3), "float32")
        rows[:, 2:] = 0
        np.testing.assert_allclose(keras.Sequential(layers)(rows), np.ones((3, 3)))

    def test_gradients_of_codes_that_coincide_are_finite(self) -> None:
        import tensorflow as tf

        codes = tf.Variable(np.vstack([np.ones((4, 3)), U[:4]]).astype("float32"))
        with tf.GradientTape() as tape:
            loss = dk.neighbor_loss(codes, codes)
        assert np.isfinite(tape.gradient(loss, codes)).all()


class TestBatches:
    def test_partners_are_neighbors_of_the_anchors(self) -> None:
        table = dk.neighbor_pairs(X, 3)
        distances = cdist(X.astype(float), X.astype(float))
        np.fill_diagonal(distances, np.inf)
        np.testing.assert_array_equal(table, np.argsort(distances, axis=1)[:, :3])
        batches = dk.NeighborBatches(X, np.arange(60), neighbors=3, batch_size=10)
        assert len(batches) == 6
        anchors = []
        for points, rows in batches:
            np.testing.assert_array_equal(points, X[rows])
            anchors.extend(rows[:10])
            assert all(partner in table[anchor] for anchor, partner in zip(rows[:10], rows[10:], strict=True))
        assert sorted(anchors) == list(range(60))
        before = batches.order.copy()
        batches.on_epoch_end()
        assert (batches.order != before).any()

    def test_each_output_may_have_its_own_targets(self) -> None:
        batches = dk.NeighborBatches(X, {"points": X, "rows": list(range(60))}, neighbors=3, batch_size=10)
        points, y = batches[0]
        np.testing.assert_array_equal(points, X[y["rows"]])
        np.testing.assert_array_equal(points, y["points"])

    def test_each_share_of_a_batch_holds_anchors_and_then_their_partners(self) -> None:
        batches = dk.NeighborBatches(X, np.arange(60), neighbors=3, batch_size=10)
        _, rows = batches[0]
        batches.share(5)
        points, shared = batches[0]
        np.testing.assert_array_equal(points, X[shared])
        pairs = [pair for part in shared.reshape(5, 2, 2) for pair in part.T.tolist()]
        assert pairs == rows.reshape(2, 10).T.tolist()

    @pytest.mark.parametrize("workers", [1, 2])
    def test_fit_gives_each_anchor_once_an_epoch_whatever_the_workers(self, workers: int) -> None:
        seen: list[Any] = []

        class Watch(keras.layers.Layer):  # type: ignore[misc,unused-ignore]
            def call(self, rows: Any) -> Any:
                seen.append(keras.ops.convert_to_numpy(rows)[:, 0])
                return rows

        model = keras.Sequential([keras.Input((1,)), Watch(), keras.layers.Dense(1)])
        model.compile("sgd", "mse", run_eagerly=True)
        rows = np.arange(60.0)[:, None]
        batches = dk.NeighborBatches(rows, rows * 2, neighbors=2, batch_size=20, workers=workers)
        seen.clear()
        model.fit(batches, epochs=2, verbose=0)
        epochs = [np.concatenate([batch[:20] for batch in seen[start : start + 3]]) for start in (0, 3)]
        assert [sorted(epoch) for epoch in epochs] == [list(range(60))] * 2
        assert (epochs[0] != epochs[1]).any()
        assert all((np.abs(batch[20:] - batch[:20]) <= 2).all() for batch in seen)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"neighbors": 60}, "^k: found 60 for 60 points; pass at most 59"),
            ({"neighbors": np.zeros((59, 2), int)}, r"^neighbors: found int64 of shape \(59, 2\) for 60 points"),
            ({"neighbors": np.zeros((60, 2))}, "^neighbors: found float64 of shape"),
            ({"neighbors": np.full((60, 2), 60)}, "^neighbors: found numbers that are no rows of X"),
            ({"neighbors": np.full((60, 2), -1)}, "^neighbors: found numbers that are no rows of X"),
            ({"neighbors": np.arange(60)[:, None]}, r"^neighbors: found point 0 among its own neighbors \(60 such"),
            ({"y": np.arange(59)}, r"^y: found shape \(59,\) for 60 points; pass one target a point$"),
            ({"y": 3}, r"^y: found shape \(\) for 60 points; "),
            ({"y": {"points": X, "labels": np.arange(59)}}, r"^y: found shape \(59,\) for 60 points; "),
            ({"batch_size": 0}, "^batch_size: "),
        ],
    )
    def test_arguments_are_checked(self, arguments: Any, message: str) -> None:
        with pytest.raises(InputError, match=message):
            dk.NeighborBatches(X, **{"batch_size": 10, **arguments})


class TestPairs:
    @pytest.mark.parametrize("metric", ["euclidean", "cosine", "cityblock", "chebyshev"])
    def test_they_are_those_of_scipy(self, metric: str) -> None:
        table = dk.neighbor_pairs(X.reshape(60, 5, 1), 3, metric=metric)
        distances = cdist(X.astype(float), X.astype(float), metric)
        given = dk.neighbor_pairs(distances, 3, metric="precomputed")
        np.fill_diagonal(distances, np.inf)
        np.testing.assert_array_equal(table, np.argsort(distances, axis=1)[:, :3])
        np.testing.assert_array_equal(given, table)
        np.testing.assert_array_equal(dk.NeighborBatches(X, neighbors=table).neighbors, table)

    @pytest.mark.parametrize("metric", ["euclidean", "cosine", "cityblock"])
    @pytest.mark.parametrize(
        "method",
        [pytest.param(method, marks=[needs(method), pytest.mark.nightly]) for method in ("pynndescent", "faiss")],
    )
    def test_approximate_methods_find_most_of_them_and_no_point_itself(self, method: str, metric: str) -> None:
        points = np.random.default_rng(1).normal(size=(400, 5)).astype("float32") * np.arange(1, 6)
        points[7] = points[3]
        exact = dk.neighbor_pairs(points, 5, metric)
        table = dk.neighbor_pairs(points, 5, metric, method)
        assert (table.shape, table.dtype) == ((400, 5), np.int64)
        assert not (table == np.arange(400)[:, None]).any()
        assert np.mean([len({*row} & {*wanted}) / 5 for row, wanted in zip(table, exact, strict=True)]) > 0.95
        dk.NeighborBatches(points, neighbors=table)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"k": 60}, "^k: found 60 for 60 points; pass at most 59$"),
            (
                {"metric": "manhatan"},
                r"^metric: found 'manhatan'; did you mean 'cityblock'\? pass 'euclidean', 'cosine' or 'cityblock'$",
            ),
            ({"method": "annoy"}, "^method: found 'annoy'; pass 'exact', 'pynndescent' or 'faiss'$"),
            ({"method": "faiss", "metric": "chebyshev"}, "^metric: found 'chebyshev' for faiss; pass 'euclidean', "),
        ],
    )
    def test_arguments_are_checked(self, arguments: Any, message: str) -> None:
        with pytest.raises(InputError, match=message):
            dk.neighbor_pairs(X, **arguments)

    @pytest.mark.parametrize(("method", "package"), [("faiss", "faiss-cpu"), ("pynndescent", "pynndescent")])
    def test_a_package_that_is_not_installed_is_named(self, method: str, package: str, monkeypatch: Any) -> None:
        monkeypatch.setitem(sys.modules, method, None)
        with pytest.raises(MissingDependencyError, match=f"needs {method}.* install it with: pip install {package}$"):
            dk.neighbor_pairs(X, method=method)


class TestAutoencoder:
    def test_it_trains_to_keep_neighbors_and_is_saved(self, tmp_path: Path) -> None:
        keras.utils.set_random_seed(0)
        model = dk.NeighborAutoencoder(2, neighbor_weight=1.0, hidden=(16,), weight=1.0)
        model.compile(keras.optimizers.Adam(0.01), "mse")
        batches = dk.NeighborBatches(X, neighbors=3, batch_size=20)
        history = model.fit(batches, epochs=20, verbose=0).history["loss"]
        assert history[-1] < 0.8 * history[0]
        model.save(tmp_path / "model.keras")
        again = keras.saving.load_model(tmp_path / "model.keras")
        assert (again.neighbors.weight, again.neighbors.temperature, again.distances.weight) == (1.0, 0.03, 1.0)
        np.testing.assert_array_equal(again.encode(X), model.encode(X))

    @pytest.mark.parametrize("given", ["ndarray", "list", "generator", "NoneType"])
    def test_points_without_partners_are_refused(self, given: str) -> None:
        model = dk.NeighborAutoencoder(2)
        model.compile("adam")
        points = {"ndarray": X, "list": X.tolist(), "generator": (rows for rows in [X]), "NoneType": None}[given]
        with pytest.raises(InputError, match=rf"^x: found {given}, .*; call fit\(NeighborBatches\(X\)\)$"):
            model.fit(points)

    def test_weights_come_in_batches_and_batches_in_fit(self) -> None:
        class Weighted(dk.NeighborBatches):  # type: ignore[misc]
            def __getitem__(self, index: int) -> Any:
                return *super().__getitem__(index), (self.order[index] < 30).astype("float32")

        model = dk.NeighborAutoencoder(2, neighbor_weight=0.0, hidden=(16,), weight=0.0)
        model.compile(keras.optimizers.SGD(0.0))
        batches = Weighted(X, neighbors=3, batch_size=20)
        with pytest.raises(InputError, match=r"^sample_weight: found beside batches; pass batches \(x, y, weights\)"):
            model.fit(batches, sample_weight=np.ones(60))
        with pytest.raises(InputError, match=r"^train_on_batch: .*; call fit\(NeighborBatches\(X\)\)$"):
            model.train_on_batch(X)
        losses = [model.fit(one, verbose=0).history["loss"][0] for one in (batches, dk.NeighborBatches(X, neighbors=3))]
        assert losses[0] < 0.8 * losses[1]

    def test_any_model_of_one_input_can_have_the_loss(self) -> None:
        keras.utils.set_random_seed(0)
        images = X.reshape(60, 5, 1)
        inputs = keras.Input((5, 1))
        codes = dk.NeighborLoss()(keras.layers.Dense(2)(keras.layers.Flatten()(inputs)))
        model = keras.Model(inputs, codes)
        model.compile(keras.optimizers.Adam(0.02))
        history = model.fit(dk.NeighborBatches(images, neighbors=3, batch_size=20), epochs=30, verbose=0).history
        assert history["loss"][-1] < 0.9 * history["loss"][0]
