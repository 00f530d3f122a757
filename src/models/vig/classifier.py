"""The base of the isotropic and the pyramid ViG: how their parts make a classifier, and the form of their graphs."""

from dataclasses import dataclass

from mindspore import nn

from ..layers import check_sides, global_average


@dataclass(frozen=True)
class GraphLayer:
    """The form of one layer's graph: side * side nodes, each with num_neighbours among key_side * key_side key nodes.

    dilation d: every d-th of the nearest became a neighbour.
    """

    side: int
    key_side: int
    num_neighbours: int
    dilation: int


class GraphClassifier(nn.Cell):
    """Classifier: (B, 3, S, S) -> (B, class_num).

    A subclass makes `image_size` (S), `stem`, `pos_embed` (1, C, H, W), `backbone` and `prediction`. The cells of the
    backbone are blocks [Grapher, FeedForward] and, between them, whatever halves the map.
    """

    def nodes(self, x):
        """(B, 3, S, S) -> (B, C, H, W)."""
        check_sides(x, self.image_size)
        return self.stem(x) + self.pos_embed

    def features(self, x):
        """(B, 3, S, S) -> (B, C): the average of the last nodes."""
        return global_average(self.backbone(self.nodes(x)))

    def construct(self, x):
        x = self.features(x)
        x = self.prediction(x.reshape((-1, x.shape[1], 1, 1)))  # (B, class_num, 1, 1)
        return x.reshape((-1, x.shape[1]))

    def neighbours(self, x):
        """(B, 3, S, S) -> for each of `graph_layers` (B, N, K) int32: the K key nodes of each node, nearest first.

        Nodes and key nodes are numbered row by row.
        """
        x = self.nodes(x)
        found = ()
        for cell in self.backbone:
            if isinstance(cell, nn.SequentialCell):
                found = found + (cell[0].neighbours(x),)
            x = cell(x)
        return found

    @property
    def graph_layers(self) -> tuple[GraphLayer, ...]:
        """The layers that build a graph, in order."""
        side, layers = self.pos_embed.shape[-1], []
        for cell in self.backbone:
            if isinstance(cell, nn.SequentialCell):
                graph = cell[0].graph_conv
                layers.append(GraphLayer(side, side // graph.reduction, graph.num_neighbours, graph.knn.dilation))
            else:
                side //= 2
        return tuple(layers)
