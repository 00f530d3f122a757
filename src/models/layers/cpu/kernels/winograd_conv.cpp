// 3x3 convolution of stride 1 by Winograd's tiles. A part computes PANEL tiles of all output channels.
#include "parallel.h"
#include "winograd.h"

namespace {

constexpr int64_t GROUP = 8 * ROWS;  // output channels whose products stay in the cache

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
    for (int64_t p = 0; p < POINTS; p++) {
      const int32_t *numbers = places.numbers[p] + start;
      for (int64_t i = 0; i < WIDTH; i++) square[p][i] = numbers[i] < 0 ? 0 : channel[numbers[i]];
    }
    both_ways<transform_inputs>(square);
    transformed.write(row, start, square);
  }
}

// Rows first ... first + products.rows - 1 of the weights, as far as there are any, times the inputs.
void multiply(const Matrices &weights, int64_t first, const Matrices &inputs, const Matrices &products) {
  for (int64_t p = 0; p < POINTS; p++)
    for (int64_t row = 0; row < std::min(products.rows, weights.rows - first); row += ROWS) {
      const float *rows[ROWS];
      for (int64_t i = 0; i < ROWS; i++) rows[i] = weights.row(p, std::min(first + row + i, weights.rows - 1));
      multiply_tile<PANEL_VECTORS>(rows, inputs.row(p, 0), inputs.rows, products.row(p, row));
    }
}

// A row of the products -> a channel's outputs.
void restore(const Matrices &products, int64_t row, const Places &places, float *channel) {
  for (int64_t start = 0; start < PANEL; start += WIDTH) {
    Vector square[POINTS];
    products.read(row, start, square);
    both_ways<restore_outputs>(square);
    for (int64_t k = 0; k < 4; k++)
      for (int64_t i = 0; i < WIDTH; i++)
        if (const int32_t place = places.numbers[k][start + i]; place >= 0)
          channel[place] = square[k / 2 * SIDE + k % 2][i];
  }
}

// Inputs x (B, C, H, W), weights (O, C, 3, 3), a tensor of the dilation's length. Output y (B, O, H, W).
void forward(const Arguments &a) {
  const int64_t C = a.size(0, 1), O = a.size(1, 0), size = a.size_from(0, 2);
  const Tiles tiles(a, 0, a.size(2, 0));
  Space of_weights;
  const Matrices weights = matrices_in(of_weights, O, rounded_up(C, WIDTH));
  transform(a.floats(1), C, weights);
  parallel_for((tiles.size() + PANEL - 1) / PANEL, PANEL * C * O, [&](int64_t part) {
    static thread_local Space of_inputs, of_products;
    const Matrices inputs = matrices_in(of_inputs, C, PANEL), products = matrices_in(of_products, GROUP, PANEL);
    const Places read(tiles, part * PANEL, SIDE, -1, C), written(tiles, part * PANEL, 2, 0, O);
    for (int64_t c = 0; c < C; c++) transform(a.floats(0) + c * size, read, c, inputs);
    for (int64_t o = 0; o < O; o++) {
      if (o % GROUP == 0) multiply(weights, o, inputs, products);
      restore(products, o % GROUP, written, a.floats(3) + o * size);
    }
  });
}

}  // namespace

KERNEL(winograd_conv, forward)
