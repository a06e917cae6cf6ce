"""Encoders of other packages give the same codes through distbench as without it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import warnings
from pathlib import Path

import hypothesis  # noqa: F401 - its summary at the end of a run imports it else, which warns beside some frameworks
import keras_kinds
import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import distbench
from distbench.encoders import as_encoder
from distbench.encoders.adapters._adapter import as_type
from distbench.errors import EncoderError, InputError

X = (load_digits().data[:160] / 16).astype(np.float32)
TRAIN, TEST = X[:100], X[100:]
CLOSE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture(scope="module")
def ort():
    return pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def pca(ort, tmp_path_factory):
    convert = pytest.importorskip("skl2onnx")
    fitted = PCA(3).fit(TRAIN)
    path = tmp_path_factory.mktemp("onnx") / "pca.onnx"
    path.write_bytes(convert.to_onnx(fitted, TRAIN[:1]).SerializeToString())
    return fitted, path


class TestOnnx:
    @staticmethod
    def exported(module, path, batch, **options):
        torch = pytest.importorskip("torch")
        pytest.importorskip("onnx")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter without onnxscript is on its way out
            torch.onnx.export(module, (batch,), str(path), dynamo=False, **options)
        return path

    def test_an_exported_pca_gives_the_codes_of_the_pca(self, ort, pca):
        fitted, path = pca
        for encoder in (path, str(path), ort.InferenceSession(str(path))):
            for points in (TEST, TEST.astype(np.float64), TEST.tolist()):
                np.testing.assert_allclose(as_encoder(encoder, 16).encode(points), fitted.transform(TEST), **CLOSE)
        whole = np.rint(TEST * 16).astype(np.uint8)
        np.testing.assert_allclose(as_encoder(path).encode(whole), fitted.transform(whole), rtol=1e-4, atol=1e-4)
        report, original = (distbench.evaluate(encoder, TEST, reference=TRAIN, k=5) for encoder in (str(path), fitted))
        assert report.encoder == "pca.onnx"
        assert report["stress"].value == pytest.approx(original["stress"].value, rel=1e-4)

    def test_a_fixed_batch_size_is_kept(self, ort, tmp_path):
        torch = pytest.importorskip("torch")
        module = torch.nn.Sequential(torch.nn.Linear(64, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2)).eval()
        path = self.exported(module, tmp_path / "fixed.onnx", torch.zeros(7, 64))
        assert ort.InferenceSession(str(path)).get_inputs()[0].shape == [7, 64]
        wanted = module(torch.as_tensor(TEST)).detach().numpy()
        for batch_size in (7, 16, 1024):
            np.testing.assert_allclose(as_encoder(path, batch_size).encode(TEST), wanted, **CLOSE)
        distbench.evaluate(path, TEST, reference=TRAIN, k=5)

    def test_the_error_about_several_outputs_shows_a_function_that_picks_one(self, ort, tmp_path):
        torch = pytest.importorskip("torch")

        class Both(torch.nn.Module):
            def forward(self, batch):
                return batch * 2, batch[:, :2]

        names = {"input_names": ["points"], "output_names": ["whole", "codes"]}
        path = self.exported(Both(), tmp_path / "two.onnx", torch.zeros(1, 64), dynamic_axes={"points": [0]}, **names)
        with pytest.raises(EncoderError, match=r"has 2 outputs \(whole, codes\); pass a function .* such as") as caught:
            as_encoder(path)
        message = str(caught.value).partition("such as ")[2]
        assert message == "lambda batch: session.run(['codes'], {'points': batch})[0]"
        session = ort.InferenceSession(str(path))
        codes = as_encoder(lambda batch: session.run(["codes"], {"points": batch})[0]).encode(TEST)
        np.testing.assert_array_equal(codes, TEST[:, :2])

    def test_numbers_that_the_input_type_cannot_hold_are_an_error(self, ort, tmp_path):
        onnx = pytest.importorskip("onnx")
        types, path = onnx.TensorProto, tmp_path / "symbols.onnx"
        taken = onnx.helper.make_tensor_value_info("x", types.UINT8, [None, 64])
        made = onnx.helper.make_tensor_value_info("z", types.FLOAT, [None, 64])
        cast = onnx.helper.make_node("Cast", ["x"], ["z"], to=types.FLOAT)
        graph = onnx.helper.make_graph([cast], "g", [taken], [made])
        opset = [onnx.helper.make_opsetid("", 17)]
        path.write_bytes(onnx.helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString())
        np.testing.assert_array_equal(as_encoder(path).encode(np.rint(TEST * 16)), np.rint(TEST * 16))
        half = np.array([1e5])
        with pytest.raises(EncoderError, match="its input is float16, which cannot hold 100000"):
            as_type(half, np.float16)
        for points, shown in ((TEST + 0.25, r"0\.25"), (np.full((60, 64), 256), "256")):
            with pytest.raises(EncoderError, match=f"its input is uint8, which cannot hold {shown}"):
                as_encoder(path).encode(points)

    def test_texts_reach_graphs_of_strings(self, ort, texts, tmp_path):
        convert = pytest.importorskip("skl2onnx")
        from skl2onnx.common.data_types import StringTensorType

        fitted = make_pipeline(
            TfidfVectorizer(token_pattern="[a-z]+", lowercase=False), TruncatedSVD(2, random_state=0)
        ).fit(texts)
        path = tmp_path / "texts.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the converter
            graph = convert.to_onnx(fitted, initial_types=[("texts", StringTensorType([None, 1]))])
        path.write_bytes(graph.SerializeToString())
        wanted = ort.InferenceSession(str(path)).run(None, {"texts": np.array(texts)[:, None]})[0]
        for variant in (texts, np.array(texts)):
            np.testing.assert_allclose(as_encoder(path, 7).encode(variant), wanted, **CLOSE)

    def test_errors_are_one_line(self, ort, pca, tmp_path):
        with pytest.raises(EncoderError, match=r"^encoder 'pca\.onnx' raised InvalidArgument: .*Got: 10 Expected: 64"):
            distbench.evaluate(pca[1], TEST[:, :10], k=5)
        with pytest.raises(EncoderError, match=r"gone\.onnx: no such file; pass an ONNX file"):
            as_encoder(tmp_path / "gone.onnx")

    def test_without_onnxruntime_the_error_names_the_package(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        with pytest.raises(distbench.MissingDependencyError) as caught:
            distbench.evaluate("a.onnx", TEST)
        needed = 'encoder: a.onnx: needs onnxruntime, which is not installed; pip install "distbench[onnx]"'
        assert str(caught.value) == needed


@pytest.fixture(scope="module")
def tf():
    return pytest.importorskip("tensorflow")


class TestSavedModel:
    def test_what_keras_exports(self, tf, tmp_path):
        made = keras_kinds.models()["functional"]
        made.export(tmp_path / "served", verbose=False)
        loaded = tf.saved_model.load(str(tmp_path / "served"))
        for encoder in (loaded, tmp_path / "served"):
            codes = as_encoder(encoder, 16).encode(keras_kinds.X.astype(np.float64))
            np.testing.assert_allclose(codes, keras_kinds.CODES, **CLOSE)
        report = distbench.evaluate(str(tmp_path / "served"), keras_kinds.X, k=5)
        assert report.encoder == "served"

    @pytest.fixture
    def module(self, tf):
        class Projection(tf.Module):
            def __init__(self):
                self.weights = tf.Variable(np.eye(64, 2, dtype=np.float32))

            @tf.function
            def __call__(self, batch):
                return batch @ self.weights

        return Projection()

    def test_modules_with_and_without_signatures(self, tf, module, tmp_path):
        module(tf.zeros((7, 64)))  # traced for batches of 7 alone
        tf.saved_model.save(module, str(tmp_path / "traced"))
        rows = tf.TensorSpec((None, 64), tf.float32, "batch")
        tf.saved_model.save(module, str(tmp_path / "signed"), module.__call__.get_concrete_function(rows))
        both = tf.function(lambda batch: {"codes": batch[:, :2], "same": batch})
        tf.saved_model.save(module, str(tmp_path / "two"), both.get_concrete_function(rows))
        for name in ("traced", "signed"):
            np.testing.assert_array_equal(as_encoder(tmp_path / name).encode(TEST), TEST[:, :2])
        with pytest.raises(EncoderError, match=r"^encoder 'signed' raised InvalidArgumentError: Matrix size-incompat"):
            distbench.evaluate(tmp_path / "signed", TEST[:, :60], k=5)
        with pytest.raises(EncoderError, match=r"'serving_default' of the SavedModel has 2 outputs \((codes|same), "):
            as_encoder(tmp_path / "two")

    def test_a_function_or_signature_called_encode_comes_first(self, tf, module, tmp_path):
        rows = [tf.TensorSpec((None, 64))]
        whole, plain = tf.Module(), tf.Module()
        whole.weights = plain.weights = module.weights
        whole.encode = tf.function(lambda batch: batch @ whole.weights, input_signature=rows)
        whole.__call__ = tf.function(lambda batch: batch, input_signature=rows)
        tf.saved_model.save(whole, str(tmp_path / "whole"))
        named = {"encode": whole.encode, "decode": whole.__call__}
        tf.saved_model.save(plain, str(tmp_path / "named"), signatures=named)
        for name in ("whole", "named"):
            path = str(tmp_path / name)
            np.testing.assert_array_equal(as_encoder(path).encode(TEST), TEST[:, :2])
            report = distbench.evaluate(PCA(2).fit(TRAIN), TEST, input_space=path, k=5)
            assert any(f"the codes of '{name}' (2 columns)" in note for note in report.notes)
        assert distbench.hunt(str(tmp_path / "whole"), TEST, budget=200).code_size == 2


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


EXPORTED = """
import numpy as np
import torch
from distbench.encoders import as_encoder

torch.manual_seed(0)
points = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
plain = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2)).eval()
shapes = ({0: torch.export.Dim("rows")},)
exported = torch.export.export(plain, (torch.as_tensor(points[:3]),), dynamic_shapes=shapes).module()
codes = as_encoder(plain).encode(points)
np.testing.assert_allclose(as_encoder(exported).encode(points.astype(float)), codes, rtol=1e-5, atol=1e-5)
quantised = torch.ao.quantization.quantize_dynamic(plain, {torch.nn.Linear})
wanted = quantised(torch.as_tensor(points[:1])).detach().numpy()
np.testing.assert_allclose(as_encoder(quantised, 1).encode(points.astype(float))[:1], wanted, rtol=1e-5, atol=1e-5)
"""


class TestTorch:
    @pytest.fixture
    def module(self, torch):
        torch.manual_seed(0)
        norm = torch.nn.BatchNorm1d(8).eval()  # frozen, as in fine-tuning
        return torch.nn.Sequential(torch.nn.Linear(64, 8), norm, torch.nn.Dropout(0.5), torch.nn.Linear(8, 2)).double()

    def test_modules_encode_in_eval_mode_and_get_their_mode_back(self, torch, module):
        before = [part.training for part in module.modules()]
        assert before == [True, True, False, True, True]
        codes = distbench.evaluate(module, TEST, reference=TRAIN, k=5).clouds.Z
        assert [part.training for part in module.modules()] == before
        assert torch.is_grad_enabled()
        wanted = module.eval()(torch.as_tensor(TEST).double()).detach().numpy()
        np.testing.assert_allclose(codes, wanted, rtol=1e-12)
        assert codes.dtype == np.float64  # its own type

    def test_its_mode_comes_back_after_an_error_and_after_a_hunt(self, torch, module):
        with pytest.raises(EncoderError, match="raised RuntimeError"):
            as_encoder(module).encode(TEST[:, :5])
        assert module.training
        assert distbench.hunt(module, TEST, budget=200).by_gradient
        assert module.training
        assert not module[1].training

    def test_encode_methods_run_in_eval_mode_too(self, torch, module):
        class Autoencoder(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.encoder, self.decoder = module, torch.nn.Sequential(torch.nn.Linear(2, 64), torch.nn.Dropout(0.5))

            def encode(self, batch):
                return self.encoder(batch)

        whole = Autoencoder().double()
        for encoder in (whole, whole.encode):  # a method is called as the module is
            np.testing.assert_array_equal(as_encoder(encoder).encode(TEST), as_encoder(module).encode(TEST))
        report = distbench.evaluate(whole, TEST, k=5, metrics="all")
        made = whole.decoder[0](torch.as_tensor(report.clouds.Z)).detach().numpy()
        assert report["reconstruction_mse"].value == pytest.approx(np.mean((made - TEST) ** 2))
        assert whole.training
        whole.decoder = torch.nn.Linear(3, 64)
        with pytest.raises(EncoderError, match=r"^decoder raised RuntimeError: mat1 and mat2"):
            distbench.evaluate(whole, TEST, k=5, metrics="all")

    def test_symbols_reach_embeddings_as_whole_numbers(self, torch):
        module = torch.nn.Sequential(torch.nn.EmbeddingBag(17, 3), torch.nn.Linear(3, 2))
        symbols = np.rint(TEST * 16).astype(np.uint8)
        wanted = module(torch.as_tensor(symbols).long()).detach().numpy()
        np.testing.assert_array_equal(as_encoder(module).encode(symbols), wanted)

    def test_symbols_stay_whole_numbers_where_other_weights_come_first(self, torch):
        class Tokens(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.first = torch.nn.Parameter(torch.zeros(3))
                self.table = torch.nn.Embedding(4000, 3)

            def forward(self, batch):
                return self.table(batch).mean(dim=1) + self.first

        symbols = np.random.default_rng(0).integers(3000, 4000, (40, 5))
        module = Tokens().bfloat16()  # in which 3,001 is 3,008
        wanted = module(torch.as_tensor(symbols)).detach().float().numpy()
        np.testing.assert_array_equal(as_encoder(module).encode(symbols), wanted)
        half = torch.nn.Sequential(torch.nn.Linear(5, 5).half(), torch.nn.Identity())
        half.forward = lambda batch: (batch % 7).float()
        np.testing.assert_array_equal(as_encoder(half).encode(symbols), symbols % 7)

    def test_batches_are_on_the_modules_device_without_gradients(self, torch):
        seen = []

        class Elsewhere(torch.nn.Module):
            def __init__(self, **weights):
                super().__init__()
                self.weights = torch.nn.Parameter(torch.zeros(64, 2, **weights))
                self.register_buffer("offset", torch.zeros(2, **weights))

            def forward(self, batch):
                seen.append((batch.device.type, batch.dtype, torch.is_grad_enabled()))
                return torch.zeros(len(batch), 2) + torch.arange(2)

        as_encoder(Elsewhere(device="meta", dtype=torch.float64)).encode(TEST)
        held = Elsewhere(device="meta")
        del held.weights  # buffers alone
        as_encoder(held).encode(TEST.astype(np.float64))
        assert seen == [("meta", torch.float64, False), ("meta", torch.float32, False)]

    def test_lists_of_tensors_and_tuples_of_parts(self, torch, module):
        wanted = as_encoder(module).encode(TEST)
        listed = as_encoder(lambda batch: list(module.eval()(torch.as_tensor(batch).double()))).encode(TEST)
        np.testing.assert_array_equal(listed, wanted)
        with pytest.raises(EncoderError, match="a tuple of 2 arrays for 2 points; return only the codes"):
            as_encoder(lambda batch: (batch[:, :3], batch[:, :3]), batch_size=2).encode(TEST)

    @pytest.mark.nightly  # torch.export takes seconds; scripted, traced and frozen modules stand for these
    def test_quantised_and_exported_modules(self, torch):
        # In a process of its own: torch.export loads triton, which crashes beside TensorFlow.
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", EXPORTED], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def test_frames_byte_orders_and_short_floats(self, torch, module):
        pd = pytest.importorskip("pandas")
        wanted = as_encoder(module).encode(TEST.astype(np.float64))
        frame = pd.DataFrame(TEST.astype(np.float64))
        for points in (frame, frame.astype("Float64"), TEST.astype(">f8")):
            np.testing.assert_array_equal(as_encoder(module).encode(points), wanted)
        frame[0] = frame[1] > 0.5  # columns of several types
        mixed = np.column_stack([TEST[:, 1] > 0.5, TEST[:, 1:]])
        np.testing.assert_array_equal(as_encoder(module).encode(frame), as_encoder(module).encode(mixed))

        class Short(torch.nn.Module):
            def encode(self, batch):
                return batch[:, :2].bfloat16()

            def decode(self, codes):
                return codes.repeat(1, 32).bfloat16()

        report = distbench.evaluate(Short(), TEST, k=5, metrics="all")
        assert report["reconstruction_mse"].value > 0
        with pytest.raises(EncoderError, match="which numpy cannot read"):
            as_encoder(lambda batch: torch.empty(len(batch), 2, device="meta")).encode(TEST)

    def test_scripted_traced_and_frozen_modules(self, torch, module):
        wanted = as_encoder(module.float()).encode(TEST)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch has newer ways; files of these are still about
            scripted = torch.jit.script(module)
            traced = torch.jit.trace(module.eval(), torch.as_tensor(TEST[:3]))
            frozen = torch.jit.freeze(torch.jit.script(module))
        for encoder in (scripted, traced, frozen):
            np.testing.assert_allclose(as_encoder(encoder, 16).encode(TEST.astype(np.float64)), wanted, **CLOSE)
        assert scripted.training


class TestKeras:
    def test_every_kind_on_tensorflow(self, tmp_path):
        keras = pytest.importorskip("keras")
        if keras.backend.backend() != "tensorflow":
            pytest.skip("Keras runs on another backend here")
        keras_kinds.check(tmp_path)

    @pytest.mark.parametrize(
        ("backend", "part"),
        [
            ("torch", "what is quick"),
            pytest.param("torch", "all", marks=pytest.mark.nightly),
            pytest.param("jax", "all", marks=pytest.mark.nightly),
        ],
    )
    def test_every_kind_on_other_backends(self, tmp_path, backend, part):
        for needed in ("keras", backend):
            if importlib.util.find_spec(needed) is None:
                pytest.skip(f"{needed} is not installed")
        quick = {"TF_CPP_MIN_LOG_LEVEL": "3", "TORCHDYNAMO_DISABLE": "1"}  # compiling takes longer than all else
        environment = {**os.environ, "KERAS_BACKEND": backend, **quick}
        command = [sys.executable, "-W", "ignore", keras_kinds.__file__, *[str(tmp_path)] * (part == "all")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == f"checked on {backend}"


class TestEstimators:
    @pytest.mark.parametrize(
        "estimator",
        [
            PCA(3),
            make_pipeline(StandardScaler(), PCA(3)),
            make_pipeline(StandardScaler(), PCA(3)).set_output(transform="pandas"),
            KMeans(4, n_init=1, random_state=0),
            TruncatedSVD(3, random_state=0),
        ],
        ids=lambda one: type(one).__name__,
    )
    def test_of_scikit_learn(self, estimator):
        estimator.fit(TRAIN)
        report = distbench.evaluate(estimator, TEST, reference=TRAIN, k=5)
        np.testing.assert_allclose(report.clouds.Z, np.asarray(estimator.transform(TEST)), rtol=1e-4, atol=1e-5)


class LikeUmap(BaseEstimator):
    """Center each batch and keep the embedding of the fit, as UMAP does in 15 seconds."""

    def fit(self, X, y=None):
        self.embedding_ = X[:, :2]
        return self

    def transform(self, X):
        return X[:, :2] - X[:, :2].mean(axis=0)


def umap():
    return pytest.importorskip("umap").UMAP(n_epochs=20, random_state=0)


@pytest.mark.parametrize("make", [LikeUmap, pytest.param(umap, marks=pytest.mark.nightly)])
def test_umap_at_the_end_of_a_pipeline_is_treated_as_umap(make):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it runs on one thread, for its seed
        fitted = make_pipeline(StandardScaler(), make()).fit(TRAIN)
        report = distbench.evaluate(fitted, TEST, reference=TRAIN, k=5)
    assert any("with the other points of its batch" in note for note in report.notes)


class Sentences:
    """A text encoder like those of sentence embedding packages: ``encode`` takes a list of texts."""

    def __init__(self, columns, texts):
        steps = TfidfVectorizer(), TruncatedSVD(columns, random_state=0)
        self.name, self.pipeline = f"lsa{columns}", make_pipeline(*steps).fit(texts)

    def encode(self, texts):
        assert type(texts) is list
        assert all(type(text) is str for text in texts)
        return self.pipeline.transform(texts)


@pytest.fixture(scope="module")
def texts():
    words = " ".join(part.DESCR for part in (load_digits(), load_iris(), load_wine())).split()
    return [" ".join(words[start : start + 12]) for start in range(0, len(words) - 12, 9)]


@pytest.fixture(scope="module")
def encoders(texts):
    return Sentences(2, texts), Sentences(16, texts)


class TestTexts:
    def test_two_encoders_are_compared_on_the_same_texts(self, texts, encoders):
        small, large = encoders
        test, train = texts[::2], texts[1::2]
        options = {"reference": train, "k": 5, "batch_size": 16}
        report = distbench.evaluate(small, test, input_space=large, **options)
        assert report.m == len(test)
        assert any(note.startswith("input distances are between the codes of 'lsa16' (16") for note in report.notes)
        A, B = (large.encode(part) for part in (test, train))
        ready = distbench.evaluate_codes(A, small.encode(test), reference=(B, small.encode(train)), k=5)
        assert report.as_dict() == ready.as_dict()
        assert report.fingerprint == ready.fingerprint
        variant = distbench.evaluate(small, tuple(test), input_space=(A, B), **options)
        assert variant.as_dict() == ready.as_dict()
        assert any(note.startswith("input distances are between the points given as") for note in variant.notes)
        again = distbench.evaluate(large, test, input_space=large.pipeline, **options)
        assert again["stress"].value == pytest.approx(0, abs=1e-7)
        assert not any("as many columns as the points" in note for note in again.notes)  # it is no autoencoder

    def test_rows_differ_where_input_spaces_do(self, texts, encoders):
        from distbench.results.gates import compare_rows
        from distbench.results.rows import rows_of

        reports = [distbench.evaluate(encoders[0], texts, input_space=space, k=5) for space in encoders]
        rows = [rows_of(report)[0] for report in reports]
        assert rows[0].fingerprint != rows[1].fingerprint
        assert [row.distance for row in rows] == [f"euclidean of codes of {space.name}/euclidean" for space in encoders]
        changed = compare_rows(rows_of(reports[0]), rows_of(reports[1]), source="before")
        assert not changed.changes
        assert rows[0].value == 1 > rows[1].value
        with pytest.raises(InputError, match="points"):
            distbench.compare(*reports)
        checked = distbench.check_encoder(encoders[0], texts, input_space=encoders[1], k=5, continuity=0.999)
        assert [row.verdict for row in checked if row.metric == "continuity"] == ["broken"]
        assert "input distances are between the codes of 'lsa16'" in checked[0].note

    def test_sentence_embeddings_of_a_package(self, texts):
        model2vec, wordllama = pytest.importorskip("model2vec"), pytest.importorskip("wordllama")
        pandas = pytest.importorskip("pandas")
        words = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
        large, small = (
            model2vec.StaticModel(words.embedding[:, :columns].astype(np.float32), words.tokenizer)
            for columns in (256, 32)
        )
        report = distbench.evaluate(small, texts, input_space=large, k=5, name="small")
        ready = distbench.evaluate_codes(large.encode(texts), small.encode(texts), k=5)
        assert report.as_dict() == pytest.approx(ready.as_dict(), rel=1e-6)
        for variant in (np.array(texts), pandas.Series(texts)):
            assert distbench.evaluate(small, variant, input_space=large, k=5).as_dict() == report.as_dict()

    def test_texts_reach_torch_modules_as_lists_whatever_holds_them(self, texts, encoders):
        torch, pandas = pytest.importorskip("torch"), pytest.importorskip("pandas")

        class OfTexts(torch.nn.Module):
            def encode(self, batch):
                return torch.as_tensor(encoders[0].encode(batch))  # takes only lists of str

        space = encoders[1].pipeline
        wanted = distbench.evaluate(encoders[0], texts, input_space=space, k=5).as_dict()
        for variant in (texts, np.array(texts), pandas.Series(texts)):
            assert distbench.evaluate(OfTexts(), variant, input_space=space, k=5).as_dict() == wanted

    def test_a_keras_model_of_texts(self, texts, encoders):
        keras = pytest.importorskip("keras")
        pytest.importorskip("tensorflow")
        words = keras.layers.TextVectorization(max_tokens=100, output_mode="tf_idf")
        words.adapt(np.array(texts))
        model = keras.Sequential([keras.Input((), dtype="string"), words, keras.layers.Dense(2)])
        report = distbench.evaluate(model, texts, input_space=encoders[1], k=5)
        codes = model.predict(np.array(texts, dtype=object), verbose=0)
        np.testing.assert_allclose(report.clouds.Z, codes, rtol=1e-5, atol=1e-6)

        class WithEncode(keras.Model):
            def encode(self, batch):
                return model(batch)

        own = distbench.evaluate(WithEncode(), texts, input_space=encoders[1], k=5)
        np.testing.assert_allclose(own.clouds.Z, report.clouds.Z, rtol=1e-5, atol=1e-6)

    def test_texts_without_an_input_space_and_spaces_that_do_not_fit(self, texts, encoders):
        small, large = encoders
        for variant, shown in ((texts, "a list of str"), (np.array(texts), "an array of <U")):
            with pytest.raises(InputError, match=f"^X_test: found {shown}.* are defined; pass input_space="):
                distbench.evaluate(small, variant, k=5)
        A = large.encode(texts)
        for space, reference, message in (
            (A[:-1], None, rf"^input_space: found {len(A) - 1} rows, but X_test has {len(A)}; pass one row for each"),
            (
                A,
                texts,
                r"^input_space: found one ndarray; pass an encoder, or a tuple of two arrays, for X_test and reference",
            ),
            ((A, A), None, "^input_space: found a tuple of 2; pass an encoder, or an array for X_test"),
            ((A, A[1:]), texts, r"^input_space\[1\]: found .* rows, but reference has"),
            (np.zeros_like(A), None, "^input_space: found points that all coincide"),
            (Sentences, None, "^input_space: encoder: got the class 'Sentences'"),
        ):
            with pytest.raises(InputError, match=message):
                distbench.evaluate(small, texts, input_space=space, reference=reference, k=5)

    def test_a_stochastic_encoder_of_texts_is_an_error(self, texts, encoders):
        noise = np.random.default_rng(0)

        def noisy(batch):
            return encoders[0].encode(batch) + noise.normal(size=(len(batch), 2))

        with pytest.raises(EncoderError, match=r"'noisy' gave different codes .* or pass stochastic=True"):
            distbench.evaluate(noisy, texts, input_space=encoders[1], k=5)
        with pytest.raises(EncoderError, match=r"^input_space: encoder 'noisy' gave different codes .*fixed seed\)$"):
            distbench.evaluate(encoders[0], texts, input_space=noisy, k=5)
        report = distbench.evaluate(noisy, texts, input_space=encoders[1], k=5, stochastic=True, draws=2)
        assert report["continuity"].draws == 2

    def test_a_broken_limit_shows_the_score_of_pca_on_the_input_space(self, pytester):
        pytester.makepyfile(
            """
            from sklearn.datasets import load_iris
            from sklearn.feature_extraction.text import HashingVectorizer

            def of(columns):
                hashed = HashingVectorizer(n_features=columns, alternate_sign=False)
                return lambda texts: hashed.transform(texts)

            def test_texts(distbench):
                words = (load_iris().DESCR * 2).split()
                texts = [" ".join(words[start : start + 20]) for start in range(0, len(words) - 20, 7)]
                distbench.check(of(4), texts, input_space=of(64), k=5, continuity=0.99, name="hashed")
            """
        )
        result = pytester.runpytest("--distbench")
        result.assert_outcomes(failed=1)
        lines = ["*hashed (codes of 4) does not meet 1 limit*", "*best baseline at code size 4: pca*"]
        result.stdout.fnmatch_lines(lines)


def test_codes_of_another_encoder_may_be_the_input_space():
    wide, narrow = PCA(10).fit(TRAIN), PCA(2).fit(TRAIN)
    report = distbench.evaluate(narrow, TEST, reference=TRAIN, input_space=wide, k=5)
    codes = [(wide.transform(part), narrow.transform(part)) for part in (TEST, TRAIN)]
    assert report.as_dict() == distbench.evaluate_codes(*codes[0], reference=codes[1], k=5).as_dict()
    assert report.fingerprint != distbench.evaluate(narrow, TEST, reference=TRAIN, k=5).fingerprint
