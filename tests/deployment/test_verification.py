"""An exported file is told from a wrong one, also where a network selects neighbours that are nearly equally far."""

from pathlib import Path

import mindspore as ms
import numpy as np
import onnx
import pytest
from mindspore import Tensor, nn, ops
from onnx import helper, numpy_helper

from src.deployment.exported_file import ExportedFile, open_mindir, open_onnx
from src.deployment.verification import ExportMismatch, Reference
from src.models import LayerContext, create_model

PATH = Path("net.file")
TABLE = np.array([3.0, -2.0, 7.0], np.float32)


class Choosing(nn.Cell):
    """(B, 3) -> (B, 1): the entry of TABLE at the largest of three."""

    def __init__(self):
        super().__init__()
        self.top_k = ops.TopK(sorted=True)
        self.table = Tensor(TABLE)

    def construct(self, x):
        _, nearest = self.top_k(x, 1)
        return ops.gather(self.table, nearest, 0)


def program(chosen, output):
    """A file that chooses `chosen` for the only row, and puts out `output`."""
    return ExportedFile({}, lambda value: ([np.array([[output]], np.float32)], [np.array([[chosen]])]))


def compared(chosen, output, values=(1.0, 1.0000002, 0.0)):
    found = Reference(Choosing()).compare(program(chosen, output), {"random": np.array([values], np.float32)}, PATH)
    return found["random"]


@pytest.mark.parametrize("chosen", [0, 1])
def test_either_of_two_nearly_equal_choices_is_right(chosen):
    found = compared(chosen, TABLE[chosen])
    assert found.difference == 0
    assert found.loss < 1e-6


def test_a_choice_that_is_worse_is_refused():
    with pytest.raises(ExportMismatch, match=r"on random input choice 1 of 1 is worse than the best by 1\.0\de\+00"):
        compared(2, TABLE[2])
    with pytest.raises(ExportMismatch, match="choice 1 of 1 is worse"):
        compared(0, TABLE[0], (1.0, 1.0001, 0.0))


def test_another_output_than_that_of_its_own_choice_is_refused():
    with pytest.raises(ExportMismatch, match=r"differs from the network by 5\.00e\+00 .* the file is not kept"):
        compared(0, TABLE[1])


def test_a_program_may_round_as_far_as_it_is_known_to():
    value = {"random": np.array([[1.0, 0.0, 0.0]], np.float32)}
    output = [np.array([[TABLE[0] * 1.00004]], np.float32)], [np.array([[0]])]
    with pytest.raises(ExportMismatch, match="differs from the network by"):
        Reference(Choosing()).compare(ExportedFile({}, lambda _: output), value, PATH)
    Reference(Choosing()).compare(ExportedFile({}, lambda _: output, rounding=5e-5), value, PATH)


def test_as_many_choices_as_the_network_are_expected():
    with pytest.raises(ExportMismatch, match="makes 0 choices, the network 1"):
        Reference(Choosing()).compare(
            ExportedFile({}, lambda value: ([value], [])), {"random": np.ones((1, 3), np.float32)}, PATH
        )


def test_the_network_is_left_as_it_was():
    network = Choosing()
    own = network.top_k
    Reference(network).compare(program(1, TABLE[1]), {"random": np.array([[0.0, 1.0, 0.0]], np.float32)}, PATH)
    assert network.top_k is own


SMALL = np.random.default_rng(0).standard_normal((2, 3, 20, 20)).astype(np.float32)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """{format: file} of ViG-nano, whose reference is built anew."""
    folder = tmp_path_factory.mktemp("exported")
    ms.set_context(mode=ms.GRAPH_MODE)
    network = create_model("vig_nano", image_size=20, context=LayerContext(exporting=True)).set_train(False)
    files = {name: folder / f"vig_nano.{name.lower()}" for name in ("ONNX", "MINDIR")}
    for name, file in files.items():
        ms.export(network, Tensor(SMALL), file_name=str(file), file_format=name)
    return files


@pytest.fixture(scope="module")
def reference():
    return Reference(create_model("vig_nano", image_size=20).set_train(False))


def test_both_formats_show_their_choices(exported, reference):
    for file in (open_onnx(exported["ONNX"]), open_mindir(exported["MINDIR"])):
        outputs, choices = file.run(SMALL)
        assert [output.shape for output in outputs] == [(2, 1000)]
        assert [choice.shape[:2] for choice in choices] == [(2, 25)] * 4
        assert reference.compare(file, {"random": SMALL}, PATH)["random"].difference < 1e-2  # the logits reach 600


def _constant(model, name, value):
    model.graph.initializer.append(numpy_helper.from_array(value, name))
    return name


def _slightly_other_weight(model):
    weight = next(constant for constant in model.graph.initializer if constant.name.endswith("fc1.0.weight"))
    values = numpy_helper.to_array(weight).copy()
    values.flat[0] *= 1.001
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))


def _neighbours_by_length_too(model):
    """The first graph's nodes are not divided by their lengths."""
    makers = {name: node for node in model.graph.node for name in node.output}
    product = next(node for node in model.graph.node if node.op_type == "MatMul")
    makers[product.input[0]].input[1] = _constant(model, "unchanged", np.float32(1.0))


def _last_neighbour_replaced(model):
    """The first key node stands in for the last neighbour of each node in the last graph."""
    chosen = [node.output[1] for node in model.graph.node if node.op_type == "TopK"][-1]
    user = next(node for node in model.graph.node if chosen in node.input)
    kept = _constant(model, "kept", np.array([1] * 17 + [0], np.int64))
    model.graph.node.insert(list(model.graph.node).index(user), helper.make_node("Mul", [chosen, kept], ["replaced"]))
    for node in model.graph.node:
        if node.op_type != "Mul":
            node.input[:] = ["replaced" if name == chosen else name for name in node.input]


def _other_activation(model):
    """0.1 percent less in the second half of one GELU."""
    halved = next(node for node in model.graph.node if node.op_type == "Relu")
    model.graph.node.insert(
        list(model.graph.node).index(halved),
        helper.make_node("Mul", [halved.input[0], _constant(model, "less", np.float32(0.999))], ["lessened"]),
    )
    halved.input[0] = "lessened"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_slightly_other_weight, r"fc1\.0\.weight differs from the network's"),
        (_neighbours_by_length_too, "choice 1 of 4 is worse than the best by"),
        (_last_neighbour_replaced, "differs from the network by"),
        (_other_activation, "differs from the network by|is worse than the best by"),
    ],
)
def test_a_slightly_wrong_file_is_refused(exported, reference, tmp_path, spoil, message):
    model = onnx.load(str(exported["ONNX"]))
    spoil(model)
    onnx.save(model, str(tmp_path / "spoilt.onnx"))
    with pytest.raises(ExportMismatch, match=message):
        reference.compare(open_onnx(tmp_path / "spoilt.onnx"), {"random": SMALL}, PATH)
