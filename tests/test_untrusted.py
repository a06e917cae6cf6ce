"""Untrusted files: reading runs no code, and text in them stays text."""

from __future__ import annotations

import json
import resource
import struct
import sys
import zipfile
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from pages import outcome

import distbench
from distbench.datasets import DataSource
from distbench.encoders import as_encoder
from distbench.encoders.adapters._adapter import FREE_NUMBERS
from distbench.encoders.adapters._keras_files import load_model
from distbench.errors import DatasetError, EncoderError, InputError, SuiteError
from distbench.inputs.size_guards import refuse_table
from distbench.render.markdown import render_markdown, render_summary
from distbench.results.gates import compare_rows
from distbench.results.rows import ClaimOutcome
from distbench.results.run import RunResults
from distbench.suites.check_names import check_suite
from distbench.suites.reader import read_suite
from distbench.suites.recipes import as_recipe


def refused(match, error=EncoderError):
    return pytest.raises(error, match=match)


class TestArrays:
    @pytest.fixture
    def source(self, tmp_path):
        np.save(tmp_path / "good.npy", np.ones((6, 2)))

        def source(name):
            files = {"train": "good.npy", "test": name} if name.endswith(".npy") else {"file": name}
            return DataSource("own", tuple((key, tmp_path / path) for key, path in files.items()))

        return source

    def test_an_archive_that_unfolds_to_too_much_is_not_unfolded(self, tmp_path, source, monkeypatch):
        np.savez_compressed(tmp_path / "zeros.npz", train=np.zeros((300_000, 8)), test=np.zeros((10, 8)))
        with monkeypatch.context() as patch:
            patch.setattr("distbench.inputs.size_guards.MAX_BYTES", 1 << 20)
            with refused(r"zeros.npz: has .* bytes that unfold to .*numpy.savez, which does not com", DatasetError):
                source("zeros.npz").load()
        assert source("zeros.npz").load().train.shape == (300_000, 8)

    def test_parquet_that_unfolds_to_too_much_and_lists_in_columns(self, tmp_path, source):
        pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        group = SimpleNamespace(total_byte_size=15 * 10**7)
        pages = SimpleNamespace(num_rows=1, num_columns=1, num_row_groups=1, row_group=lambda at: group)
        refuse_table(SimpleNamespace(num_rows=25 * 10**5, num_columns=13), 1000)
        refuse_table(pages, 1000)
        pages.num_row_groups = 2
        for table, size in ((SimpleNamespace(num_rows=25 * 10**5, num_columns=14), "280"), (pages, "300")):
            with refused(rf"has 1,000 bytes that unfold to {size},000,000, so it is not read; .*=None", DatasetError):
                refuse_table(table, 1000)
        pq.write_table(pa.table({"id": [1, 2], "code": [[1.0, 2.0], [3.0, 4.0]]}), tmp_path / "bad.parquet")
        with refused(r"column 'code' has a list in each row; .*numpy.stack\(frame\['code'\]\)", DatasetError):
            source("bad.parquet").load()


@pytest.fixture(scope="module")
def keras():
    pytest.importorskip("tensorflow")
    return pytest.importorskip("keras")


def save(tf, x):
    tf.raw_ops.SaveV2(prefix="a", tensor_names=["b"], shape_and_slices=[""], tensors=[x])
    return x


def remap(tf, x):
    files = {"new_vocab_file": "/x", "old_vocab_file": "/y"}
    found = tf.raw_ops.GenerateVocabRemapping(**files, new_vocab_offset=0, num_new_vocab=4)
    return x + tf.cast(found.num_present, tf.float32)


REACHING = {  # operations of TensorFlow that do more than compute
    "ReadFile": lambda tf, x: x + tf.cast(tf.strings.length(tf.io.read_file("/etc/hosts")), tf.float32),
    "MatchingFiles": lambda tf, x: x + tf.cast(tf.size(tf.io.matching_files("/etc/*")), tf.float32),
    "PrintV2": lambda tf, x: (tf.print("it ran", output_stream="file:///nowhere/ran"), x)[1],
    "WriteFile": lambda tf, x: (tf.io.write_file("/nowhere/ran", "it ran"), x)[1],
    "EagerPyFunc": lambda tf, x: tf.ensure_shape(tf.py_function(print, [x], tf.float32), (None, 4)),
    "SaveV2": save,
    "Abort": lambda tf, x: (tf.raw_ops.Abort(exit_without_error=True), x)[1],
    "ImmutableConst": lambda tf, x: x + tf.raw_ops.ImmutableConst(dtype=x.dtype, shape=[4], memory_region_name="/x"),
    "GenerateVocabRemapping": remap,
    r"\w+Dataset": lambda tf, x: x + tf.cast(tf.data.TextLineDataset("/etc/hosts").cardinality(), tf.float32),
}


class TestSavedModels:
    @pytest.fixture
    def saved(self, tmp_path):
        tf = pytest.importorskip("tensorflow")

        def saved(call):
            path = tmp_path / "saved"
            module = tf.Module()
            module.weights = tf.Variable(np.eye(4, 2, dtype=np.float32))
            traced = tf.autograph.experimental.do_not_convert(lambda x: call(tf, x) @ module.weights)
            module.call = tf.function(traced).get_concrete_function(tf.TensorSpec((None, 4), tf.float32, "x"))
            tf.saved_model.save(module, str(path), signatures=module.call)
            return path

        return saved

    @pytest.mark.parametrize("operation", REACHING)
    def test_operations_that_reach_beyond_are_refused(self, saved, operation):
        path = saved(REACHING[operation])
        with refused(f"has the operation '{operation}', .*; if you trust it, load it with"):
            distbench.evaluate(path, np.ones((20, 4)), k=3)

    def test_usual_ones_pass_and_the_codes_are_right(self, saved):
        path = saved(lambda tf, x: tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * 2), (0, x))[1])
        points = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
        assert np.array_equal(distbench.evaluate(path, points, k=3).clouds.Z, 8 * points[:, :2])

    def test_functions_that_save_may_not_be_called(self, saved):
        from tensorflow.core.protobuf import saved_model_pb2

        path = saved(lambda tf, x: x) / "saved_model.pb"
        program = saved_model_pb2.SavedModel()
        program.ParseFromString(path.read_bytes())
        library = program.meta_graphs[0].graph_def.library.function
        (saving,) = (
            function.signature.name for function in library if any(node.op == "SaveV2" for node in function.node_def)
        )
        caller = next(function for function in library if "signature_wrapper" in function.signature.name)
        caller.node_def[0].attr["f"].func.name = saving
        path.write_bytes(program.SerializeToString())
        with refused(r"has the operation '(SaveV2|MergeV2Checkpoints)'"):
            distbench.evaluate(path.parent, np.ones((20, 4)), k=3)

    def test_huge_and_damaged_programs(self, saved):
        path = saved(lambda tf, x: tf.reduce_sum(x @ tf.constant(1.0, shape=(4, 10**8)), 1, True) + x)
        with refused(r"needs memory for about \d.*,\d{3} numbers, but has only .* bytes"):
            distbench.evaluate(path, np.ones((20, 4)), k=3)
        path = saved(lambda tf, x: x)
        for data, message in (
            (b"no program", "not a complete SavedModel"),
            (b"", "is not a SavedModel of TensorFlow 2"),
        ):
            (path / "saved_model.pb").write_bytes(data)
            with refused(message):
                distbench.evaluate(path, np.ones((20, 4)), k=3)


class TestOnnx:
    @pytest.fixture
    def written(self, tmp_path):
        pytest.importorskip("onnxruntime")
        onnx = pytest.importorskip("onnx")

        def written(weights=(), sparse=(), nodes=()):
            types = onnx.TensorProto
            product = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
            total = onnx.helper.make_node("ReduceSum", ["y"], ["z"])
            graph = onnx.helper.make_graph(
                [*nodes, product, total],
                "graph",
                [onnx.helper.make_tensor_value_info("x", types.FLOAT, [None, 4])],
                [onnx.helper.make_tensor_value_info("z", types.FLOAT, None)],
                initializer=list(weights),
                sparse_initializer=list(sparse),
            )
            opset = [onnx.helper.make_opsetid("", 17)]
            model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=9)
            (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
            return tmp_path / "m.onnx"

        return written

    @staticmethod
    def outside(location, shape=(4, 2)):
        import onnx

        weights = onnx.TensorProto(name="w", data_type=onnx.TensorProto.FLOAT, dims=shape)
        weights.data_location = onnx.TensorProto.EXTERNAL
        weights.external_data.add(key="location", value=str(location))
        return weights

    def test_weights_of_other_files_are_read_from_its_own_folder_alone(self, written, tmp_path):
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        for path in (elsewhere / "w.bin", tmp_path / "w.bin"):
            path.write_bytes(np.ones(8, np.float32).tobytes())
        (tmp_path / "link.bin").symlink_to("/etc/hosts")
        as_encoder(written([self.outside("w.bin")]))
        for location in (elsewhere / "w.bin", "../w.bin", "link.bin"):
            with refused(r"m\.onnx: onnxruntime cannot load it: .*xternal data"):
                as_encoder(written([self.outside(location)]))
        with refused(r"m\.onnx: onnxruntime cannot load it"):
            as_encoder(written([self.outside("w.bin", (4, 10**10))]))

    def test_sizes_claimed_by_a_graph_take_no_memory(self, written):
        import onnx

        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        huge = onnx.TensorProto(name="w", data_type=onnx.TensorProto.FLOAT, dims=(4, 10**11))
        value = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [1], [1.0])
        sparse = onnx.helper.make_sparse_tensor(value, onnx.numpy_helper.from_array(np.zeros(1, np.int64)), (4, 10**9))
        for path in (written([huge]), written(sparse=[sparse])):
            with refused("onnxruntime cannot load it"):
                as_encoder(path)
        shape = onnx.numpy_helper.from_array(np.array([4, 10**9]), "shape")
        as_encoder(written([shape], nodes=[onnx.helper.make_node("ConstantOfShape", ["shape"], ["w"])]))
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 20  # in kB

    def test_damaged_files_and_unknown_operations(self, written, tmp_path):
        import onnx

        for data in (b"", b"no graph"):
            (tmp_path / "m.onnx").write_bytes(data)
            with refused(r"m\.onnx: onnxruntime cannot load it: .*; export it anew"):
                as_encoder(tmp_path / "m.onnx")
        (tmp_path / "folder.onnx").mkdir()
        with refused("is a folder; pass an ONNX file"):
            as_encoder(tmp_path / "folder.onnx")
        with refused("onnxruntime cannot load it"):
            as_encoder(written(nodes=[onnx.helper.make_node("PyOp", ["x"], ["w"], domain="pyop")]))


NO_LAYERS = [
    ("os", "system"),
    ("my_evil_module", "Layer"),
    ("keras.utils", "get_file"),
    ("keras.src.utils.file_utils", "get_file"),
    ("keras.src.saving", "load_model"),
    ("keras_evil", "Layer"),
]
WITH_CODE = ["TorchModuleWrapper", "TFSMLayer", "__lambda__"]


def of_kind(module, name):
    return lambda layers: layers[1].update(module=module, class_name=name)


def and_layer(name, **config):
    layer = {"module": "keras.layers", "class_name": name, "config": config, "registered_name": "distbench>Autoencoder"}
    return lambda layers: layers.append(layer)


class TestModels:
    @pytest.fixture
    def saved(self, keras, tmp_path):
        def saved(*layers):
            model = keras.Sequential([keras.Input((4,)), *layers])
            model.save(tmp_path / "m.keras")
            return model, tmp_path / "m.keras"

        return saved

    @staticmethod
    def rewritten(path, change):
        """Change the layers in a model's file."""
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        config = json.loads(parts["config.json"])
        change(config["config"]["layers"])
        parts["config.json"] = json.dumps(config).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in parts.items():
                archive.writestr(name, data)

    def test_a_model_comes_back_and_encodes(self, keras, saved):
        model, path = saved(keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(2))
        model.compile(loss="mse", optimizer="adam")
        model.save(path)
        points = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
        assert np.array_equal(load_model(path).predict(points, verbose=0), model.predict(points, verbose=0))
        assert not load_model(str(path)).compiled
        report = distbench.evaluate(str(path), points, k=5)
        assert report.code_size == 2
        assert report["stress"].value == distbench.evaluate(model, points, k=5)["stress"].value

    def test_models_of_ours_are_known(self, keras, tmp_path):
        from distbench.keras import LinearAutoencoder

        model = LinearAutoencoder(2)
        points = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
        model(points)
        model.save(tmp_path / "m.keras")
        assert np.array_equal(load_model(tmp_path / "m.keras").encode(points), model.encode(points))

    def test_code_in_a_layer_is_refused(self, keras, saved):
        _, path = saved(keras.layers.Lambda(lambda x: x * 2))
        with refused(r"m.keras: has a layer of the kind Lambda, .*safe_mode=False\) and pass"):
            load_model(path)
        with refused("layer of the kind Lambda"):
            distbench.evaluate(path, np.ones((20, 4)))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            *((of_kind(*kind), f"needs '{kind[0]}:{kind[1]}', which is not imported for a file") for kind in NO_LAYERS),
            *((and_layer(name), f"has a layer of the kind {name}, which could run code") for name in WITH_CODE),
            (and_layer("StringLookup", vocabulary="/etc/hosts"), "has a StringLookup that reads its vocabulary from"),
            (lambda layers: layers[1]["config"].update(units=3), "Keras cannot make a model of it"),
        ],
    )
    def test_nothing_is_imported_run_or_read_because_a_file_says_so(
        self, keras, saved, tmp_path, monkeypatch, change, message
    ):
        (tmp_path / "my_evil_module.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
        monkeypatch.syspath_prepend(tmp_path)
        _, path = saved(keras.layers.Dense(2))
        self.rewritten(path, change)
        with refused(message):
            load_model(path)
        assert "my_evil_module" not in sys.modules
        assert not (tmp_path / "ran").exists()

    def test_registered_layers_of_the_user_are_loaded(self, keras, saved, tmp_path):
        @keras.saving.register_keras_serializable(package="untrusted")
        class Double(keras.layers.Layer):
            def call(self, x):
                return 2 * x

        _, path = saved(Double())
        assert load_model(path).predict(np.ones((1, 4)), verbose=0).tolist() == [[2.0] * 4]
        keras.saving.get_custom_objects().pop("untrusted>Double")
        with refused(r"needs '.*:Double', .*custom_objects=\.\.\.\) and pass the model"):
            load_model(path)

        def mine(x):
            return x

        _, path = saved(keras.layers.Dense(2, activation=mine))
        with refused(r"Keras cannot make a model of it \(Could not locate function 'mine'.*load"):
            load_model(path)

    def test_damaged_files(self, keras, saved, tmp_path):
        _, path = saved(keras.layers.Dense(2))
        whole = path.read_bytes()
        for data in (b"", b"no model", whole[: len(whole) // 2], whole[: len(whole) - 30]):
            path.write_bytes(data)
            with refused(r"m\.keras: not a complete Keras 3 model \(.*\); save it again with model"):
                load_model(path)
        for name, message in (("gone.keras", "no such file"), ("a.h5", r"ends in \.keras"), (".", r"ends in \.keras")):
            with refused(message):
                load_model(tmp_path / name)
        (tmp_path / "folder.keras").mkdir()
        with refused(r"is a folder; pass a file that model\.save"):
            load_model(tmp_path / "folder.keras")

    @pytest.mark.parametrize(
        "layers",
        [
            [("Dense", {"units": 15_000}, 4), ("Dense", {"units": 15_000}, 15_000)],
            [("Dense", {"units": 15_000}, None), ("Dense", {"units": 15_000}, None)],
            [("Dense", {"units": 10**400}, 4)],
            [("Embedding", {"input_dim": 10**6, "output_dim": 300}, None)],
            [("Conv2D", {"filters": 2000, "kernel_size": [3, 3]}, 2000)],
            [("DepthwiseConv2D", {"depth_multiplier": 1, "kernel_size": [300, 300]}, 2000)],
            [("LSTM", {"units": 9000, "recurrent_initializer": "zeros"}, 1)],
            [("MultiHeadAttention", {"num_heads": 300, "key_dim": 300}, 300)],
            [("BatchNormalization", {"gamma_initializer": "ones"}, 10**8)],
            [("Dense", {"units": 1000}, 1000) for _ in range(20)],
        ],
    )
    def test_layers_much_larger_than_their_weights_in_the_file_are_not_made(self, keras, saved, monkeypatch, layers):
        def part(name, settings, width):
            built = {} if width is None else {"build_config": {"input_shape": [None, width]}}
            layer = {"module": "keras.layers", "class_name": name, "config": settings, "registered_name": None}
            return layer | built

        _, path = saved(keras.layers.Dense(2))
        self.rewritten(path, lambda made: made.extend(part(*layer) for layer in layers))
        monkeypatch.setattr(keras.saving, "load_model", lambda *_, **__: pytest.fail("the model was made"))
        with refused(r"m.keras: needs memory for about \S+ numbers, but has only .* bytes of them; it is"):
            load_model(path)

    def test_large_models_whose_weights_are_there_are_loaded(self, keras, saved):
        layers = (keras.layers.Dense(4500), keras.layers.BatchNormalization(), keras.layers.Dense(4500))
        model, path = saved(*layers, keras.layers.Reshape((4500, 1)), keras.layers.Conv1D(2, 3))
        assert model.count_params() > FREE_NUMBERS
        assert load_model(path).count_params() == model.count_params()

    def test_bombs(self, tmp_path):
        path = tmp_path / "m.keras"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("config.json", b" " * (1 << 27))
        with refused(r"bytes that unpack to 134,217,728, which no model does; it is not loaded"):
            load_model(path)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("config.json", b"{}" + b" " * (1 << 27))
        claim = struct.pack("<I", zlib.crc32(b"{}"))  # of a member that ends after two bytes
        archived = bytearray(path.read_bytes())
        start = archived.rindex(b"PK\x01\x02")
        archived[start + 16 : start + 20], archived[start + 24 : start + 28] = claim, struct.pack("<I", 2)
        path.write_bytes(archived)
        with refused("'config.json' unfolds to more than it claims; save it again"):
            load_model(path)
        for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
            with zipfile.ZipFile(path, "w", method) as archive:
                archive.writestr("config.json", "{}")
            with refused("has 'config.json', whose compression is not read; save it again"):
                load_model(path)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", "[" * 100_000)
        with refused("not a complete Keras 3 model"):
            load_model(path)


TOP = 'distbench = 1\nquestion = "?"\ncode_sizes = [2]\n[[encoder]]\nname = "pca"\n[dataset]\nname = "own"\n'


class TestSuites:
    @staticmethod
    def written(tmp_path, text):
        (tmp_path / "s.toml").write_text(TOP + text)
        return tmp_path / "s.toml"

    @pytest.mark.parametrize("path", ["../x.npz", "a/../../x.npz", "..", "a/..", "./../x.npz", "../suite/x.npz"])
    def test_relative_paths_stay_in_the_suites_folder(self, tmp_path, path):
        with pytest.raises(
            SuiteError, match=r"s\.toml:8: dataset\.file: found .*(is outside the suite's folder|ends in \.npz)"
        ):
            read_suite(self.written(tmp_path, f'file = "{path}"\n'))

    def test_whole_paths_are_as_they_are(self, tmp_path):
        other = tmp_path / "other" / ".." / "x.npz"
        assert dict(read_suite(self.written(tmp_path, f'file = "{other}"\n')).source.files) == {"file": other}

    def test_a_link_in_the_suites_folder_is_followed(self, tmp_path):
        """Whoever can make the link can also write an absolute path into the suite, and data are often links."""
        (tmp_path / "suite").mkdir()
        np.savez(tmp_path / "x.npz", train=np.eye(3), test=np.eye(3))
        (tmp_path / "suite" / "x.npz").symlink_to(tmp_path / "x.npz")
        suite = read_suite(self.written(tmp_path / "suite", 'file = "x.npz"\n'))
        check_suite(suite)
        assert suite.load_dataset("own").train.shape == (3, 3)

    @pytest.mark.parametrize(
        "name", ["os.system('x')", "a:b()", "a:b;c", "a b:c", ":x", "a:", "../a:b", "a:b:c", "a:-b"]
    )
    def test_objects_are_named_as_module_and_name_alone(self, tmp_path, name):
        with pytest.raises(SuiteError, match="give module:function"):
            read_suite(self.written(tmp_path, f"load = {json.dumps(name)}\n"))

    def test_reading_and_checking_imports_nothing(self, tmp_path, monkeypatch):
        (tmp_path / "my_traps.py").write_text(
            f"open({str(tmp_path / 'ran')!r}, 'w')\ndef load(): pass\nclass Mine: pass\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        path = self.written(tmp_path, 'load = "my_traps:load"\n[[encoder]]\nname = "own"\nrecipe = "my_traps:Mine"\n')
        check_suite(read_suite(path))
        assert not (tmp_path / "ran").exists()
        assert "my_traps" not in sys.modules


def test_modules_of_recipes_that_exit_or_fail(tmp_path, monkeypatch):
    (tmp_path / "my_exit.py").write_text("raise SystemExit('bye')")
    (tmp_path / "my_fault.py").write_text("\n1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"recipe 'my_exit:X': raised SystemExit: bye \(at my_exit.py:1\)"):
        as_recipe("my_exit:X")
    with pytest.raises(InputError, match=r"recipe 'my_fault:X': raised ZeroDivisionError: .*\(at my_fault.py:2\)"):
        as_recipe("my_fault:X")


def hostile(name):
    return (
        f"<blink id=\"{name}\" onclick='x'>|`{name}`</blink>&lt;{{{{ 7*7 }}}}[x](javascript:1)<script>{name}</script>"
    )


def hostile_outcome():
    """Return an outcome in which every free text is hostile."""
    fixed = {"metric", "status", "direction", "verdict", "stored", "distance"}
    run = outcome()
    rows = []
    for row in run.rows:
        texts = {name: value for name, value in vars(row).items() if isinstance(value, str) and value}
        texts = {name: f"{value}{hostile(name)}" for name, value in texts.items() if name not in fixed}
        rows.append(replace(row, **texts | {"note": hostile("note"), "data_sha256": hostile("sha")}))
    rows[0] = replace(rows[0], status=f"failed: {hostile('status')}", value=None)
    rows.append(replace(rows[-1], metric=hostile("metric"), distance=hostile("distance"), verdict="met"))
    claim = ClaimOutcome(**{name: hostile(name) for name in ClaimOutcome.__annotations__})
    encoders = {row.seed: row.encoder for row in reversed(rows)}
    diagrams = [{**diagram, "encoder": encoders[diagram["seed"]]} for diagram in run.diagrams]
    before = [replace(row, value=None if row.value is None else row.value * 2) for row in rows]
    extra = [replace(row, encoder=hostile("before")) for row in before[:3]]
    return RunResults(
        rows=rows,
        environment={hostile("environment"): hostile("environment-value"), "date": hostile("date")},
        claims=[claim],
        diagrams=diagrams,
        comparison=compare_rows([*before, *extra], rows, source=hostile("source")),
        broken=[hostile("broken")],
    )


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.scripts, self.texts, self._in = [], 0, [], ""

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        self.scripts += tag == "script"
        self._in = tag

    def handle_data(self, data):
        if self._in not in ("script", "style"):
            self.texts.append(data)


class TestReports:
    def test_no_text_of_a_run_is_markup_in_html(self):
        pytest.importorskip("jinja2")
        pytest.importorskip("matplotlib")
        from distbench.render.html import render_html

        tags = Tags()
        tags.feed(render_html(hostile_outcome(), heading=hostile("title")))
        assert tags.scripts == 1
        assert not [tag for tag, _ in tags.found if tag == "blink"]
        assert not [name for _, attributes in tags.found for name in attributes if name.startswith("on")]
        assert not [a for _, attributes in tags.found for a in attributes.values() if a and "javascript:" in a[:20]]
        text = "".join(tags.texts)
        for name in ("encoder", "title", "note", "statement", "evidence", "environment", "source", "broken", "status"):
            assert f'<blink id="{name}"' in text, f"{name} is not shown as it is"
        assert "{{ 7*7 }}" in text
        assert "49[x]" not in text

    @pytest.mark.parametrize("render", [render_markdown, render_summary])
    def test_no_text_of_a_run_is_markup_in_markdown(self, render):
        text = render(hostile_outcome())
        assert "<blink" not in text
        assert "<script" not in text
        assert "](javascript" not in text
        for line in text.splitlines():
            if line.startswith("|"):
                assert "`" not in line
        heads = [line for line in text.splitlines() if line.startswith("| ---")]
        assert heads
        for block in text.split("\n\n"):
            lines = [line for line in block.splitlines() if line.startswith("|")]
            assert len({line.count("|") for line in lines}) <= 1, "a text has opened a column"
