// Gradient of a 3x3 convolution's weights by Winograd's tiles. A part computes some panels of x's channels for all of y's.
#include "parallel.h"
#include "winograd.h"

namespace {

constexpr int64_t STEP = 512;  // tiles whose inputs stay in the cache

// dy -> POINTS matrices (O, tiles).
void transform_gradients(const float *dy, const Tiles &tiles, int64_t size, const Matrices &transformed) {
  const int64_t O = transformed.rows;
  parallel_for(transformed.columns / WIDTH, POINTS * O * WIDTH, [&](int64_t part) {
    int32_t places[4][WIDTH];
    for (int64_t k = 0; k < 4; k++)
      for (int64_t i = 0; i < WIDTH; i++) places[k][i] = tiles.place(part * WIDTH + i, k / 2, k % 2, O);
    for (int64_t o = 0; o < O; o++) {
      Vector square[POINTS] = {};
      for (int64_t k = 0; k < 4; k++) square[k / 2 * SIDE + k % 2] = gathered(dy + o * size, places[k]);
      both_ways<transform_output_gradients>(square);
      transformed.write(o, part * WIDTH, square);
    }
  });
}

// Where each of some channels begins, `step` numbers apart; nowhere (-1) from `count` on.
struct Starts {
  int32_t numbers[WIDTH];

  Starts(int64_t count, int64_t step) {
    for (int64_t i = 0; i < WIDTH; i++) numbers[i] = i < count ? i * step : -1;
  }
};

// Some channels of x, which are `size` numbers apart, of tiles from `first` on -> rows of the POINTS matrices (tiles,
// channels) from `row` on.
struct Channels {
  const float *x;
  int64_t count, size, num_channels;

  void transform(const Tiles &tiles, int64_t first, int64_t num_tiles, int64_t row, const Matrices &transformed) const {
    for (int64_t t = 0; t < num_tiles; t++) {
      int64_t places[POINTS];
      for (int64_t p = 0; p < POINTS; p++)
        places[p] = tiles.place(first + t, p / SIDE - 1, p % SIDE - 1, num_channels);
      for (int64_t start = 0; start < PANEL; start += WIDTH) {
        const Starts channels(count - start, size);
        Vector square[POINTS] = {};
        for (int64_t p = 0; p < POINTS; p++)
          if (places[p] >= 0) square[p] = gathered(x + start * size + places[p], channels.numbers);
        both_ways<transform_inputs>(square);
        transformed.write(row + t, start, square);
      }
    }
  }
};

// sums (O, PANEL) += gradients (O, tiles first ...) times inputs (tiles, PANEL), at each point, of `count` panels, which
// follow one another STEP tiles apart.
void add_products(const Matrices &gradients, int64_t first, int64_t num_tiles, const Matrices &inputs, int64_t count,
                  const Matrices &sums) {
  for (int64_t p = 0; p < POINTS; p++)
    for (int64_t row = 0; row < gradients.rows; row += ROWS) {
      const float *rows[ROWS];
      for (int64_t i = 0; i < ROWS; i++) rows[i] = gradients.row(p, std::min(row + i, gradients.rows - 1)) + first;
      for (int64_t n = 0; n < count; n++) {
        float products[ROWS * PANEL], *added = sums.row(p, n * sums.rows / count + row);
        multiply_tile<PANEL_VECTORS>(rows, inputs.row(p, n * STEP), num_tiles, products);
        for (int64_t i = 0; i < ROWS * PANEL; i++) added[i] += products[i];
      }
    }
}

// A row of the sums, of `count` channels -> their (count, 9).
void restore(const Matrices &sums, int64_t row, int64_t count, float *dweights) {
  for (int64_t start = 0; start < count; start += WIDTH) {
    Vector square[POINTS];
    sums.read(row, start, square);
    both_ways<restore_weight_gradients>(square);
    const Starts channels(count - start, 9);
    for (int64_t tap = 0; tap < 9; tap++)
      scatter(square[tap / 3 * SIDE + tap % 3], channels.numbers, dweights + start * 9 + tap);
  }
}

// Inputs x (B, C, H, W), weights (O, C, 3, 3), dy, a tensor of the dilation's length. Output dweights.
void backward(const Arguments &a) {
  const int64_t C = a.size(0, 1), O = a.size(1, 0), size = a.size_from(0, 2);
  const Tiles tiles(a, 0, a.size(3, 0));
  Space of_gradients;
  const Matrices gradients = matrices_in(of_gradients, O, rounded_up(tiles.size(), WIDTH));
  transform_gradients(a.floats(2), tiles, size, gradients);
  const int64_t rows = rounded_up(O, ROWS);
  const PanelShares panels(C);
  parallel_for(panels.num_parts, PANEL * O * gradients.columns, [&](int64_t part) {
    static thread_local Space of_inputs, of_sums;
    const int64_t count = panels.of(part);
    const Matrices inputs = matrices_in(of_inputs, count * STEP, PANEL), sums = matrices_in(of_sums, count * rows, PANEL);
    std::fill_n(sums.numbers, sums.size(), 0);
    const auto channels = [&](int64_t panel) {
      const int64_t first = (panels.first(part) + panel) * PANEL;
      return Channels{a.floats(0) + first * size, std::min(PANEL, C - first), size, C};
    };
    for (int64_t tile = 0; tile < gradients.columns; tile += STEP) {
      const int64_t num_tiles = std::min(STEP, gradients.columns - tile);
      for (int64_t n = 0; n < count; n++) channels(n).transform(tiles, tile, num_tiles, n * STEP, inputs);
      add_products(gradients, tile, num_tiles, inputs, count, sums);
    }
    for (int64_t n = 0; n < count; n++)
      for (int64_t o = 0; o < O; o++)
        restore(sums, n * rows + o, channels(n).count, a.floats(4) + (o * C + (panels.first(part) + n) * PANEL) * 9);
  });
}

}  // namespace

KERNEL(winograd_weight_gradient, backward)
