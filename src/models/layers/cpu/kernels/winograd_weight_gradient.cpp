// Gradient of a 3x3 convolution's weights by Winograd's tiles. A part computes PANEL channels of x for all of y.
#include "parallel.h"
#include "winograd.h"

namespace {

constexpr int64_t STEP = 512;  // tiles whose inputs stay in the cache

// dy -> POINTS matrices (O, tiles).
void transform_gradients(const float *dy, const Tiles &tiles, int64_t size, const Matrices &transformed) {
  const int64_t O = transformed.rows;
  parallel_for(transformed.columns / WIDTH, POINTS * O * WIDTH, [&](int64_t part) {
    int64_t places[4][WIDTH];
    for (int64_t k = 0; k < 4; k++)
      for (int64_t i = 0; i < WIDTH; i++) places[k][i] = tiles.place(part * WIDTH + i, k / 2, k % 2, O);
    for (int64_t o = 0; o < O; o++) {
      Vector square[POINTS] = {};
      for (int64_t k = 0; k < 4; k++)
        for (int64_t i = 0; i < WIDTH; i++)
          if (places[k][i] >= 0) square[k / 2 * SIDE + k % 2][i] = dy[o * size + places[k][i]];
      both_ways<transform_output_gradients>(square);
      transformed.write(o, part * WIDTH, square);
    }
  });
}

// Some channels of x, which are `size` numbers apart, of tiles from `first` on -> POINTS matrices (tiles, channels).
struct Channels {
  const float *x;
  int64_t count, size, num_channels;

  void transform(const Tiles &tiles, int64_t first, int64_t num_tiles, const Matrices &transformed) const {
    for (int64_t t = 0; t < num_tiles; t++) {
      int64_t places[POINTS];
      for (int64_t p = 0; p < POINTS; p++)
        places[p] = tiles.place(first + t, p / SIDE - 1, p % SIDE - 1, num_channels);
      for (int64_t start = 0; start < PANEL; start += WIDTH) {
        Vector square[POINTS] = {};
        for (int64_t p = 0; p < POINTS; p++)
          for (int64_t i = start; i < std::min(start + WIDTH, count); i++)
            if (places[p] >= 0) square[p][i - start] = x[i * size + places[p]];
        both_ways<transform_inputs>(square);
        transformed.write(t, start, square);
      }
    }
  }
};

// sums (O, PANEL) += gradients (O, tiles first ...) times inputs (tiles, PANEL), at each point.
void add_products(const Matrices &gradients, int64_t first, int64_t num_tiles, const Matrices &inputs,
                  const Matrices &sums) {
  for (int64_t p = 0; p < POINTS; p++)
    for (int64_t row = 0; row < gradients.rows; row += ROWS) {
      const float *rows[ROWS];
      for (int64_t i = 0; i < ROWS; i++) rows[i] = gradients.row(p, std::min(row + i, gradients.rows - 1)) + first;
      float products[ROWS * PANEL], *added = sums.row(p, row);
      multiply_tile<PANEL_VECTORS>(rows, inputs.row(p, 0), num_tiles, products);
      for (int64_t i = 0; i < ROWS * PANEL; i++) added[i] += products[i];
    }
}

// A row of the sums, of `count` channels -> their (count, 9).
void restore(const Matrices &sums, int64_t row, int64_t count, float *dweights) {
  for (int64_t start = 0; start < count; start += WIDTH) {
    Vector square[POINTS];
    sums.read(row, start, square);
    both_ways<restore_weight_gradients>(square);
    for (int64_t tap = 0; tap < 9; tap++)
      for (int64_t i = start; i < std::min(start + WIDTH, count); i++)
        dweights[i * 9 + tap] = square[tap / 3 * SIDE + tap % 3][i - start];
  }
}

// Inputs x (B, C, H, W), weights (O, C, 3, 3), dy, a tensor of the dilation's length. Output dweights.
void backward(const Arguments &a) {
  const int64_t C = a.size(0, 1), O = a.size(1, 0), size = a.size_from(0, 2);
  const Tiles tiles(a, 0, a.size(3, 0));
  Space of_gradients;
  const Matrices gradients = matrices_in(of_gradients, O, rounded_up(tiles.size(), WIDTH));
  transform_gradients(a.floats(2), tiles, size, gradients);
  parallel_for((C + PANEL - 1) / PANEL, PANEL * O * gradients.columns, [&](int64_t part) {
    static thread_local Space of_inputs, of_sums;
    const Matrices inputs = matrices_in(of_inputs, STEP, PANEL), sums = matrices_in(of_sums, rounded_up(O, ROWS), PANEL);
    std::fill_n(sums.numbers, sums.size(), 0);
    const int64_t first = part * PANEL;
    const Channels channels{a.floats(0) + first * size, std::min(PANEL, C - first), size, C};
    for (int64_t tile = 0; tile < gradients.columns; tile += STEP) {
      const int64_t num_tiles = std::min(STEP, gradients.columns - tile);
      channels.transform(tiles, tile, num_tiles, inputs);
      add_products(gradients, tile, num_tiles, inputs, sums);
    }
    for (int64_t o = 0; o < O; o++) restore(sums, o, channels.count, a.floats(4) + (o * C + first) * 9);
  });
}

}  // namespace

KERNEL(winograd_weight_gradient, backward)
