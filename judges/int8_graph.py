"""Which graph runs the packaged int8 weights as int8? The package's own turns them back into floats first.

The weights come as integers with a scale per column, inside a graph that multiplies them out before use: exact, but no faster
than floats. Here the same integers go into a graph of onnxruntime's fused operators that multiplies integers, with the
activations of each text quantised on the fly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

LAYERS, HEADS, DIMENSIONS = 6, 12, 384
_FUSED = "com.microsoft"
_EPSILON = 1e-12
_ROOT = "inner."
_LAYER_NORM = "attention.output.LayerNorm"


def fused_model(path: Path) -> bytes:
    """The serialised graph of the weights in `path`: int32 inputs `ids`, `mask`, `types` of shape (texts, tokens).

    Raises: KeyError, ValueError where the file is not laid out as expected. Cost: about 0.5 s.
    """
    import onnx
    from onnx import helper

    weights = _Weights(onnx.load(str(path)).graph)
    graph = _Graph(weights)
    embeddings = f"{_ROOT}embeddings."
    tables = [graph.floats(f"{embeddings}{n}_embeddings.weight") for n in ("word", "position", "token_type")]
    norm = [graph.floats(f"{embeddings}LayerNorm.{n}") for n in ("weight", "bias")]
    inputs = ["ids", "types", *tables, *norm, "mask"]
    graph.add("EmbedLayerNormalization", inputs, ["embedded", "lengths"], epsilon=_EPSILON)
    hidden = "embedded"
    for number in range(LAYERS):
        hidden = graph.layer(f"{_ROOT}encoder.layer.{number}.", hidden)
    whole = onnx.TensorProto.INT32
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "minilm",
            [helper.make_tensor_value_info(n, whole, ["texts", "tokens"]) for n in ("ids", "mask", "types")],
            [helper.make_tensor_value_info(hidden, onnx.TensorProto.FLOAT, ["texts", "tokens", DIMENSIONS])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(_FUSED, 1)],
        ir_version=10,
    )
    return bytes(model.SerializeToString())


class _Weights:
    """What the package's graph holds, by the name of the layer: integers with scales, and plain floats."""

    def __init__(self, graph: Any) -> None:
        self._constants = {c.name: c for c in graph.initializer}
        self._made_by = {name: node for node in graph.node for name in node.output}
        bias_of = {node.input[0]: node.input[1] for node in graph.node if node.op_type == "Add"}
        self._matrix_of = {
            bias_of[node.output[0]]: node.input[1]
            for node in graph.node
            if node.op_type == "MatMul" and node.output[0] in bias_of
        }

    def floats(self, name: str) -> Any:
        """A tensor as float32, multiplied out if it is kept as integers."""
        if name in self._constants:
            return self._array(name).astype(np.float32)
        whole, scale = self._integers(name)
        return whole.astype(np.float32) * scale

    def matrix(self, layer: str) -> tuple[Any, Any]:
        """Integers of shape (inputs, outputs) and a scale per output of the linear layer of this name."""
        whole, scale = self._integers(self._matrix_of[f"{layer}.bias"])
        if whole.dtype != np.int8 or scale.size != whole.shape[1]:
            raise ValueError(f"{layer}: not int8 with a scale per column")
        return whole, scale.reshape(-1).astype(np.float32)

    def _integers(self, name: str) -> tuple[Any, Any]:
        product = self._made_by[name]
        return self._array(self._made_by[product.input[0]].input[0]), self._array(product.input[1])

    def _array(self, name: str) -> Any:
        from onnx import numpy_helper

        return numpy_helper.to_array(self._constants[name])


class _Graph:
    """Nodes and constants of the fused graph, as they are added."""

    def __init__(self, weights: _Weights) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._weights = weights

    def floats(self, name: str) -> str:
        return self._constant(name, self._weights.floats(name))

    def layer(self, name: str, hidden: str) -> str:
        """One encoder layer; returns the name of its output."""
        attended = self._linear(f"{name}attention.output.dense", self._attention(f"{name}attention.self.", hidden))
        hidden = self._skip(f"{name}{_LAYER_NORM}", hidden, attended)
        inner = f"{name}activated"
        self.add("Gelu", [self._linear(f"{name}intermediate.dense", hidden)], [inner])
        return self._skip(f"{name}output.LayerNorm", hidden, self._linear(f"{name}output.dense", inner))

    def add(
        self, operator: str, inputs: list[str], outputs: list[str], *, domain: str = _FUSED, **attributes: Any
    ) -> None:
        from onnx import helper

        self.nodes.append(helper.make_node(operator, inputs, outputs, domain=domain, **attributes))

    def _attention(self, name: str, hidden: str) -> str:
        parts = [f"{name}{part}" for part in ("query", "key", "value")]
        matrices = [self._weights.matrix(part) for part in parts]
        whole = self._constant(f"{name}whole", np.concatenate([m[0] for m in matrices], axis=1))
        scale = self._constant(f"{name}scale", np.concatenate([m[1] for m in matrices]))
        zero = self._constant(f"{name}zero", np.zeros(3 * DIMENSIONS, dtype=np.int8))
        bias = self._constant(f"{name}bias", np.concatenate([self._weights.floats(f"{part}.bias") for part in parts]))
        activation = [f"{name}{part}" for part in ("in", "in_scale", "in_zero")]
        self.add("DynamicQuantizeLinear", [hidden], activation, domain="")
        inputs = [activation[0], whole, bias, activation[1], scale, "lengths", activation[2], zero]
        self.add("QAttention", inputs, [f"{name}out"], num_heads=HEADS)
        return f"{name}out"

    def _linear(self, name: str, hidden: str) -> str:
        whole, scale = self._weights.matrix(name)
        inputs = [
            hidden,
            self._constant(f"{name}.whole", whole),
            self._constant(f"{name}.scale", scale),
            self._constant(f"{name}.zero", np.zeros(scale.shape, dtype=np.int8)),
            self.floats(f"{name}.bias"),
        ]
        self.add("DynamicQuantizeMatMul", inputs, [f"{name}.out"])
        return f"{name}.out"

    def _skip(self, name: str, hidden: str, added: str) -> str:
        inputs = [hidden, added, self.floats(f"{name}.weight"), self.floats(f"{name}.bias")]
        self.add("SkipLayerNormalization", inputs, [f"{name}.out"], epsilon=_EPSILON)
        return f"{name}.out"

    def _constant(self, name: str, values: Any) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name
