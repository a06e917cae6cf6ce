"""Whether a SavedModel of somebody else may be loaded: its operations are looked at, and how much it unfolds to.

A SavedModel is a program, and some of TensorFlow's operations read or write files, open connections or call Python.
What an operation does beyond computing, TensorFlow tells by calling it stateful, with few exceptions. So stateful ones
are refused but for those known to stay within the process, and of the others those that return nothing or are named
here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from distbench._util.text import first_line, short_repr
from distbench.encoders.adapters._keras_files import FEW_WEIGHTS, PER_BYTE
from distbench.errors import EncoderError

__all__ = ["refuse_unsafe"]

TRUSTED = "if you trust it, load it with tf.saved_model.load and pass that"
WITHIN = re.compile(
    # variables, control flow and checks
    r"VarHandleOp|ReadVariableOp|Assign(Add|Sub)?VariableOp|VarIsInitializedOp|VariableShape|DisableCopyOnRead"
    r"|Resource(Gather(Nd)?|Scatter\w+|StridedSliceAssign)|StatefulPartitionedCall|If|While|Case|Assert|GuaranteeConst"
    r"|CheckNumerics(V2)?|Empty|TensorArray\w*V3|TensorArrayGradWithShape|CudnnRNN(V[23])?"
    # random numbers
    r"|Random(StandardNormal|Uniform|UniformInt|Gamma|Shuffle|Poisson|PoissonV2)|TruncatedNormal|Multinomial"
    r"|ParameterizedTruncatedNormal|Stateful(Uniform\w*|RandomBinomial|StandardNormal\w*|TruncatedNormal)"
    r"|StatelessRandomGetAlg|Rng(ReadAndSkip|Skip)"
    # tables that are filled from the graph, not from a file
    r"|(Anonymous)?(Mutable)?(Dense)?HashTable(OfTensors)?(V2)?|InitializeTableV2|LookupTable\w+V2"
)
BEYOND = re.compile(
    r"_.*|.*Dataset.*|.*Reader.*|.*Snapshot.*|.*Debug.*|ReadFile|MatchingFiles|PyFuncStateless|(De|En)code(Proto|ProtoV2)"
    r"|InitializeTableFromTextFile|Copy(Host)?|.*Iterator.*|TPU.*|Collective.*"
    r"|ImmutableConst|GenerateVocabRemapping|CustomAggregator|BatchFunction|Infeed.*|.*CustomCall.*|XlaLaunch.*"
)
IDLE = ("NoOp", "ControlTrigger")
SAVING = ("SaveV2", "RestoreV2", "MergeV2Checkpoints")  # of a function that nothing calls when codes are asked for


def refuse_unsafe(path: Path) -> None:
    """Refuse a SavedModel that could do more than compute, or that says that it is much larger than its files.

    Parameters
    ----------
    path : Path
        Its folder. TensorFlow is installed.

    Raises
    ------
    EncoderError
        What was found.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    program = saved_model_pb2.SavedModel()
    try:
        program.ParseFromString((path / "saved_model.pb").read_bytes())
    except Exception as error:  # of protobuf or of the system
        raise EncoderError("encoder", f"{path}: no whole SavedModel ({first_line(error)})", "save it anew") from None
    graphs = program.meta_graphs
    if len(graphs) != 1 or not graphs[0].HasField("object_graph_def"):
        raise EncoderError("encoder", f"{path}: is no SavedModel of TensorFlow 2 with one graph", TRUSTED)
    own = {one.signature.name for one in graphs[0].graph_def.library.function}
    for op in _operations(graphs[0]):
        if not _stays_within(op, own):
            raise EncoderError(
                "encoder",
                f"{path}: has the operation {short_repr(op)}, which could do more than compute "
                "codes (as reading files or calling Python does)",
                TRUSTED,
            )
    _refuse_large(graphs[0], path)


def _operations(graph: Any) -> Iterator[str]:
    """Yield the operations of a graph; what saves its own variables only where nothing else can call it."""
    library = graph.graph_def.library.function
    called = {name for one in library for node in one.node_def for name in _functions_of(node)}
    called |= {one.gradient_func for one in graph.graph_def.library.gradient}
    called |= set(graph.object_graph_def.concrete_functions)
    yield from (node.op for node in graph.graph_def.node if node.op not in SAVING)  # is never run: functions are
    for one in library:
        is_called = one.signature.name in called
        yield from (node.op for node in one.node_def if is_called or node.op not in SAVING)


def _functions_of(node: Any) -> Iterator[str]:
    yield node.op  # a function may be called as an operation of its name
    for value in node.attr.values():
        yield value.func.name
        yield from (one.name for one in value.list.func)


def _stays_within(op: str, own: set[str]) -> bool:
    """Say whether an operation computes and does nothing else: one of TensorFlow's, or a function of the graph."""
    from tensorflow.python.framework import op_def_registry

    known = op_def_registry.get(op)
    if known is None:
        return op in own
    if known.is_stateful:
        return bool(WITHIN.fullmatch(op))
    # What returns nothing can only do something else, as Abort does, which ends the process without a word.
    returns = bool(known.output_arg) or op in IDLE
    return returns and not BEYOND.fullmatch(op)


def _refuse_large(graph: Any, path: Path) -> None:
    """Refuse constants and variables that say that they have many more numbers than there are bytes for them."""
    import tensorflow as tf

    nodes = [*graph.graph_def.node, *(node for one in graph.graph_def.library.function for node in one.node_def)]
    asked = sum(_numbers(value.tensor) for node in nodes for value in node.attr.values() if value.HasField("tensor"))
    variables = path / "variables" / "variables"
    if variables.with_suffix(".index").is_file():
        try:
            shapes = tf.train.load_checkpoint(str(variables)).get_variable_to_shape_map()
        except Exception as error:  # whatever a damaged table raises
            raise EncoderError("encoder", f"{path}: its variables cannot be read: {first_line(error)}") from None
        asked += sum(math.prod(shape) for shape in shapes.values())
    stored = sum(file.stat().st_size for file in (path / "saved_model.pb", *variables.parent.glob("variables.*")))
    if asked > max(FEW_WEIGHTS, PER_BYTE * stored):
        raise EncoderError(
            "encoder", f"{path}: says that it has {asked:,} numbers, and its files have {stored:,} bytes", TRUSTED
        )


def _numbers(tensor: Any) -> int:
    return math.prod(max(0, dim.size) for dim in tensor.tensor_shape.dim)
