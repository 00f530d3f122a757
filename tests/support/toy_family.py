"""A sixth family from outside src: two blocks in the manner of ConvNeXt, whose places hear of those around them."""

from mindspore import nn, ops

from src.models import Family, Graphs, LinkedLayer, Links
from src.models.layers import conv, conv_norm, gelu, global_average, initialize, kaiming_uniform, linear


class Block(nn.Cell):
    """x + pointwise(GELU(pointwise(norm(depthwise(x))))), (B, C, H, W) -> the same shape."""

    def __init__(self, channels, context):
        super().__init__()
        self.depthwise = conv_norm(channels, channels, 7, groups=channels, bias=False, context=context)
        self.widen = conv(channels, 4 * channels, bias=True, context=context)
        self.act = gelu(context)
        self.narrow = conv(4 * channels, channels, bias=True, context=context)

    def construct(self, x):
        return x + self.narrow(self.act(self.widen(self.depthwise(x))))


class ToyNetwork(nn.Cell):
    """(B, 3, S, S) -> (B, class_num)"""

    def __init__(self, channels, class_num, context):
        super().__init__()
        self.stem = conv_norm(3, channels, 5, stride=4, bias=False, context=context)
        self.layers = nn.SequentialCell(Block(channels, context), Block(channels, context))
        self.head = linear(channels, class_num, context)

    def features(self, x):
        return global_average(self.layers(self.stem(x)))

    def construct(self, x):
        return self.head(self.features(x))

    def strengths(self, x):
        """(B, 3, S, S) -> for each block (B, S / 4, S / 4): how far each place is from zero before it."""
        x = self.stem(x)
        found = ()
        for block in self.layers:
            found = found + (ops.norm(x, dim=1),)
            x = block(x)
        return found


def build(spec, *, drop_path_rate=0.0, drop_rate=0.0, width=8):
    network = ToyNetwork(width, spec.class_num, spec.context)

    def rule(parameter_name, shape, generator):
        return kaiming_uniform(shape, generator) if len(shape) > 1 else None

    initialize(network, spec.seed, rule)
    return network


def layers(_network, found):
    """Every place of a map hears of the same places, by their strength (1, H, W)."""
    titles = (f"block {number}\ndepthwise" for number in range(1, len(found) + 1))
    return [
        LinkedLayer(title, strength.shape[-1], {"": lambda _, grid=strength[0]: Links(weights=grid / grid.max())})
        for title, strength in zip(titles, found, strict=True)
    ]


TOY = Family(
    paper="https://arxiv.org/abs/2201.03545",
    cards={
        "toy_classifier": {"title": "Toy", "image_size": 32},
        "toy_regressor": {"title": "Toy", "image_size": 32, "task": "brightness"},
    },
    build=build,
    blocks=r"layers\.\d+",
    graphs=Graphs("strengths", layers, "White frame: the node. Shaded: strong places."),
)
