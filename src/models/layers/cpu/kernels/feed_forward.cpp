// Two linear layers of rows with a GELU between them: y = gelu(x V^T + a) W^T + b. The hidden rows between them stay in the
// cache, some at a time, and the backward pass computes them again.
// Letters: R rows, C channels of x, H hidden, O of y; V (H, C), W (O, H).
#include "activations.h"
#include "arguments.h"
#include "panel_products.h"

#include <vector>

namespace {

constexpr int64_t BLOCK = 8 * ROWS;  // rows at a time
constexpr int64_t SLICES = 16;       // of the rows, each of which sums the gradients of weights for itself

// Inputs x, V, a, W and, further on, others.
struct Layers {
  const float *x, *V, *a, *W;
  const int64_t R, C, H, O, num_blocks = (R + BLOCK - 1) / BLOCK;

  Layers(const Arguments &arguments)
      : x(arguments.floats(0)), V(arguments.floats(1)), a(arguments.floats(2)), W(arguments.floats(3)),
        R(arguments.size(0, 0)), C(arguments.size(0, 1)), H(arguments.size(1, 0)), O(arguments.size(3, 0)) {}

  int64_t rows(int64_t block) const { return std::min(BLOCK, R - block * BLOCK); }
};

void multiply(const float *rows, int64_t count, const Panels &panels, const float *bias, float *to) {
  multiply_by_panels(rows, count, panels, 0, panels.count(), bias, to);
}

// Inputs x, V, a, W, b. Output y.
template <Activation A>
void forward(const Arguments &arguments) {
  const Layers s(arguments);
  static thread_local Space of_first, of_second;
  const Panels first = packed(of_first, s.V, s.H, s.C, true), second = packed(of_second, s.W, s.O, s.H, true);
  parallel_for(s.num_blocks, BLOCK * s.H, [&](int64_t block) {
    static thread_local Space space;
    float *hidden = space.place(BLOCK * s.H);
    multiply(s.x + block * BLOCK * s.C, s.rows(block), first, s.a, hidden);
    for (int64_t i = 0; i < s.rows(block) * s.H; i++) hidden[i] = activated<A>(hidden[i]);
    multiply(hidden, s.rows(block), second, arguments.floats(4), arguments.floats(5) + block * BLOCK * s.O);
  });
}

// Gradients of V, a, W and b, one behind the other.
struct Sums {
  const Layers &s;
  std::vector<float> numbers;

  explicit Sums(const Layers &s) : s(s), numbers(s.H * s.C + s.H + s.O * s.H + s.O) {}
  float *of_V() { return numbers.data(); }
  float *of_a() { return of_V() + s.H * s.C; }
  float *of_W() { return of_a() + s.H; }
  float *of_b() { return of_W() + s.O * s.H; }
};

// to (L, W) += left (count, L), turned, times right (count, W); sums (L,) += the rows of left.
void add_product(const float *left, int64_t L, const float *right, int64_t W, int64_t count, float *to, float *sums) {
  static thread_local Space of_strips, of_panels;
  const Strips strips{count, L, of_strips.place(Strips::size(count, L))};
  strips.pack(left, L, sums);
  Panels panels{count, W};
  panels.numbers = of_panels.place(panels.size());
  panels.pack(right, W, 0, panels.count());
  strips.multiply(panels, to, W, true);
}

// Hidden rows before the activation and the gradient behind it -> behind it and before it.
template <Activation A>
void turn_back(float *__restrict hidden, float *__restrict gradient, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    const float x = hidden[i], share = gate<A>(x);
    hidden[i] = x * share;
    gradient[i] *= slope<A>(x, share);
  }
}

// Inputs x, V, a, W, dy. Outputs dx, dV, da, dW, db.
template <Activation A>
void backward(const Arguments &arguments) {
  const Layers s(arguments);
  static thread_local Space of_first, of_first_back, of_second_back;
  const Panels first = packed(of_first, s.V, s.H, s.C, true), first_back = packed(of_first_back, s.V, s.H, s.C, false);
  const Panels second_back = packed(of_second_back, s.W, s.O, s.H, false);
  const int64_t num_slices = std::min(SLICES, s.num_blocks);
  std::vector<Sums> slices(num_slices, Sums(s));
  parallel_for(num_slices, s.R / num_slices * s.H, [&](int64_t number) {
    static thread_local Space of_hidden, of_gradient;
    float *hidden = of_hidden.place(BLOCK * s.H), *gradient = of_gradient.place(BLOCK * s.H);
    Sums &sums = slices[number];
    for (int64_t block = number * s.num_blocks / num_slices; block < (number + 1) * s.num_blocks / num_slices; block++) {
      const int64_t count = s.rows(block);
      const float *x = s.x + block * BLOCK * s.C, *dy = arguments.floats(4) + block * BLOCK * s.O;
      multiply(x, count, first, s.a, hidden);
      multiply(dy, count, second_back, nullptr, gradient);
      turn_back<A>(hidden, gradient, count * s.H);
      multiply(gradient, count, first_back, nullptr, arguments.floats(5) + block * BLOCK * s.C);
      add_product(gradient, s.H, x, s.C, count, sums.of_V(), sums.of_a());
      add_product(dy, s.O, hidden, s.H, count, sums.of_W(), sums.of_b());
    }
  });
  for (int64_t slice = 1; slice < num_slices; slice++)
    for (size_t i = 0; i < slices[0].numbers.size(); i++) slices[0].numbers[i] += slices[slice].numbers[i];
  std::copy_n(slices[0].of_V(), s.H * s.C, arguments.floats(6));
  std::copy_n(slices[0].of_a(), s.H, arguments.floats(7));
  std::copy_n(slices[0].of_W(), s.O * s.H, arguments.floats(8));
  std::copy_n(slices[0].of_b(), s.O, arguments.floats(9));
}

}  // namespace

KERNEL(feed_forward_gelu, forward<GELU>)
KERNEL(feed_forward_gelu_backward, backward<GELU>)
KERNEL(feed_forward_tanh_gelu, forward<TANH_GELU>)
KERNEL(feed_forward_tanh_gelu_backward, backward<TANH_GELU>)
