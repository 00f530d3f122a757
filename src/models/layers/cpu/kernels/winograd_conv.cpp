// 3x3 convolution of stride 1 by Winograd's tiles. A part computes some panels of tiles of all output channels.
#include "parallel.h"
#include "winograd.h"

namespace {

// Where the numbers of PANEL tiles lie in the channels of a map: `side` x `side` of each, from (start, start) on.
struct Places {
  int64_t side;
  int32_t numbers[POINTS][PANEL];

  Places(const Tiles &tiles, int64_t first, int64_t side, int64_t start, int64_t num_channels) : side(side) {
    for (int64_t i = 0; i < side * side; i++)
      for (int64_t t = 0; t < PANEL; t++)
        numbers[i][t] = tiles.place(first + t, start + i / side, start + i % side, num_channels);
  }
};

// Weights (O, C, 9) -> POINTS matrices (O, C).
void transform(const float *weights, int64_t C, const Matrices &transformed) {
  parallel_for(transformed.rows, transformed.columns * POINTS, [&](int64_t o) {
    for (int64_t c = 0; c < C; c += WIDTH) {
      Vector square[POINTS] = {};
      for (int64_t tap = 0; tap < 9; tap++)
        for (int64_t i = 0; i < std::min<int64_t>(WIDTH, C - c); i++)
          square[tap / 3 * SIDE + tap % 3][i] = weights[(o * C + c + i) * 9 + tap];
      both_ways<transform_weights>(square);
      transformed.write(o, c, square);
    }
  });
}

// A channel's numbers -> a row of the matrices.
void transform(const float *channel, const Places &places, int64_t row, const Matrices &transformed) {
  for (int64_t start = 0; start < PANEL; start += WIDTH) {
    Vector square[POINTS];
    for (int64_t p = 0; p < POINTS; p++) square[p] = gathered(channel, places.numbers[p] + start);
    both_ways<transform_inputs>(square);
    transformed.write(row, start, square);
  }
}

// The weights times the inputs of `count` panels, which follow one another; so do the products.
void multiply(const Matrices &weights, const Matrices &inputs, int64_t count, const Matrices &products) {
  const int64_t C = inputs.rows / count, O = products.rows / count;
  for (int64_t p = 0; p < POINTS; p++)
    for (int64_t row = 0; row < O; row += ROWS) {
      const float *rows[ROWS];
      for (int64_t i = 0; i < ROWS; i++) rows[i] = weights.row(p, std::min(row + i, weights.rows - 1));
      for (int64_t n = 0; n < count; n++)
        multiply_tile<PANEL_VECTORS>(rows, inputs.row(p, n * C), C, products.row(p, n * O + row));
    }
}

// A row of the products -> a channel's outputs.
void restore(const Matrices &products, int64_t row, const Places &places, float *channel) {
  for (int64_t start = 0; start < PANEL; start += WIDTH) {
    Vector square[POINTS];
    products.read(row, start, square);
    both_ways<restore_outputs>(square);
    for (int64_t k = 0; k < 4; k++) scatter(square[k / 2 * SIDE + k % 2], places.numbers[k] + start, channel);
  }
}

// Inputs x (B, C, H, W), weights (O, C, 3, 3), a tensor of the dilation's length. Output y (B, O, H, W).
void forward(const Arguments &a) {
  const int64_t C = a.size(0, 1), O = a.size(1, 0), size = a.size_from(0, 2);
  const Tiles tiles(a, 0, a.size(2, 0));
  Space of_weights;
  const Matrices weights = matrices_in(of_weights, O, rounded_up(C, WIDTH));
  transform(a.floats(1), C, weights);
  const int64_t rows = rounded_up(O, ROWS);
  const PanelShares panels(tiles.size());
  parallel_for(panels.num_parts, PANEL * C * O, [&](int64_t part) {
    static thread_local Space of_inputs, of_products;
    const int64_t count = panels.of(part), first = panels.first(part) * PANEL;
    const Matrices inputs = matrices_in(of_inputs, count * C, PANEL);
    const Matrices products = matrices_in(of_products, count * rows, PANEL);
    for (int64_t n = 0; n < count; n++) {
      const Places read(tiles, first + n * PANEL, SIDE, -1, C);
      for (int64_t c = 0; c < C; c++) transform(a.floats(0) + c * size, read, n * C + c, inputs);
    }
    multiply(weights, inputs, count, products);
    for (int64_t n = 0; n < count; n++) {
      const Places written(tiles, first + n * PANEL, 2, 0, O);
      for (int64_t o = 0; o < O; o++) restore(products, n * rows + o, written, a.floats(3) + o * size);
    }
  });
}

}  // namespace

KERNEL(winograd_conv, forward)
