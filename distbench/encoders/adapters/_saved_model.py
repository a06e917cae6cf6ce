"""Refuses SavedModels that could do more than compute, or that would take far more memory than their files have bytes.

A SavedModel is a program, and some of TensorFlow's operations read or write files, open connections or call Python.
TensorFlow marks nearly all of these as stateful. So a stateful operation is refused unless it matches `ALLOWED`; any
other operation is refused if it returns nothing or matches `REFUSED`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from distbench._util.text import first_line, short_repr
from distbench.encoders.adapters._adapter import refuse_numbers
from distbench.errors import EncoderError

__all__ = ["refuse_unsafe"]

TRUSTED = "if you trust it, load it with tf.saved_model.load and pass the model"
ALLOWED = re.compile(
    # variables, control flow and checks
    r"VarHandleOp|ReadVariableOp|Assign(Add|Sub)?VariableOp|VarIsInitializedOp|VariableShape|DisableCopyOnRead"
    r"|Resource(Gather(Nd)?|Scatter\w+|StridedSliceAssign)|StatefulPartitionedCall|If|While|Case|Assert|GuaranteeConst"
    r"|CheckNumerics(V2)?|Empty|TensorArray\w*V3|TensorArrayGradWithShape|CudnnRNN(V[23])?"
    # random numbers
    r"|Random(StandardNormal|Uniform|UniformInt|Gamma|Shuffle|Poisson|PoissonV2)|TruncatedNormal|Multinomial"
    r"|ParameterizedTruncatedNormal|Stateful(Uniform\w*|RandomBinomial|StandardNormal\w*|TruncatedNormal)"
    r"|StatelessRandomGetAlg|Rng(ReadAndSkip|Skip)"
    # lookup tables that are filled from the graph, not from a file
    r"|(Anonymous)?(Mutable)?(Dense)?HashTable(OfTensors)?(V2)?|InitializeTableV2|LookupTable\w+V2"
)
REFUSED = re.compile(
    r"_.*|.*Dataset.*|.*Reader.*|.*Snapshot.*|.*Debug.*|ReadFile|MatchingFiles|PyFuncStateless|(De|En)code(Proto|ProtoV2)"
    r"|InitializeTableFromTextFile|Copy(Host)?|.*Iterator.*|TPU.*|Collective.*"
    r"|ImmutableConst|GenerateVocabRemapping|CustomAggregator|BatchFunction|Infeed.*|.*CustomCall.*|XlaLaunch.*"
)
NO_EFFECT = ("NoOp", "ControlTrigger")
SAVING = ("SaveV2", "RestoreV2", "MergeV2Checkpoints")  # allowed in functions that are never called


def refuse_unsafe(path: Path) -> None:
    """Raise EncoderError if a SavedModel could do more than compute, or would take more memory than its files."""
    from tensorflow.core.protobuf import saved_model_pb2

    program = saved_model_pb2.SavedModel()
    try:
        program.ParseFromString((path / "saved_model.pb").read_bytes())
    except Exception as error:  # protobuf and the system raise errors of many kinds
        raise EncoderError(
            "encoder", f"{path}: not a complete SavedModel ({first_line(error)})", "save it again"
        ) from None
    graphs = program.meta_graphs
    if len(graphs) != 1 or not graphs[0].HasField("object_graph_def"):
        raise EncoderError("encoder", f"{path}: is not a SavedModel of TensorFlow 2 with one graph", TRUSTED)
    functions = {function.signature.name for function in graphs[0].graph_def.library.function}
    for op in _operations(graphs[0]):
        if not _only_computes(op, functions):
            found = f"{path}: has the operation {short_repr(op)}, which could do more than compute codes"
            raise EncoderError("encoder", f"{found}, for example read files or call Python", TRUSTED)
    _refuse_large(graphs[0], path)


def _operations(graph: Any) -> Iterator[str]:
    """Yield the operations of a graph, except `SAVING` in functions that nothing calls."""
    library = graph.graph_def.library.function
    called = {name for function in library for node in function.node_def for name in _functions_of(node)}
    called |= {function.gradient_func for function in graph.graph_def.library.gradient}
    called |= set(graph.object_graph_def.concrete_functions)
    yield from (node.op for node in graph.graph_def.node if node.op not in SAVING)  # only functions are called
    for function in library:
        is_called = function.signature.name in called
        yield from (node.op for node in function.node_def if is_called or node.op not in SAVING)


def _functions_of(node: Any) -> Iterator[str]:
    yield node.op  # a function may be called like an operation, by its name
    for value in node.attr.values():
        yield value.func.name
        yield from (function.name for function in value.list.func)


def _only_computes(op: str, functions: set[str]) -> bool:
    """Return whether an operation only computes; `functions` are the names of the graph's functions."""
    from tensorflow.python.framework import op_def_registry

    known = op_def_registry.get(op)
    if known is None:
        return op in functions
    if known.is_stateful:
        return bool(ALLOWED.fullmatch(op))
    # An operation that returns nothing does something else: Abort ends the process without a message.
    returns = bool(known.output_arg) or op in NO_EFFECT
    return returns and not REFUSED.fullmatch(op)


def _refuse_large(graph: Any, path: Path) -> None:
    """Refuse constants and variables with many more numbers than the files have bytes."""
    import tensorflow as tf

    nodes = [
        *graph.graph_def.node,
        *(node for function in graph.graph_def.library.function for node in function.node_def),
    ]
    claimed = sum(_numbers(value.tensor) for node in nodes for value in node.attr.values() if value.HasField("tensor"))
    variables = path / "variables" / "variables"
    if variables.with_suffix(".index").is_file():
        try:
            shapes = tf.train.load_checkpoint(str(variables)).get_variable_to_shape_map()
        except Exception as error:  # a damaged table may raise anything
            raise EncoderError("encoder", f"{path}: its variables cannot be read: {first_line(error)}") from None
        claimed += sum(math.prod(shape) for shape in shapes.values())
    stored = sum(file.stat().st_size for file in (path / "saved_model.pb", *variables.parent.glob("variables.*")))
    refuse_numbers(claimed, stored, path, "tf.saved_model.load")


def _numbers(tensor: Any) -> int:
    return math.prod(max(0, dim.size) for dim in tensor.tensor_shape.dim)
