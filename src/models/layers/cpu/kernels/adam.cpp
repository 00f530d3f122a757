// Adam's update of all weights and their moments in place, with decoupled weight decay: each number is read and written
// once.
#include "arguments.h"
#include "parallel.h"

#include <algorithm>
#include <cmath>

namespace {

constexpr int64_t PART = 16384;  // numbers, whatever the threads: so none of them decides where vectors end

struct Scalars {
  float rate, epsilon, decay, share1, share2;
};

// m += share1 (g - m), v += share2 (g g - v), weight -= rate (m / (sqrt(v) + epsilon) + decay weight).
void update(float *weights, float *means, float *squares, const float *gradients, int64_t count, const Scalars &s) {
  parallel_for((count + PART - 1) / PART, PART, [&](int64_t part) {
    for (int64_t i = part * PART; i < std::min(count, (part + 1) * PART); i++) {
      const float gradient = gradients[i];
      const float mean = means[i] + s.share1 * (gradient - means[i]);
      const float square = squares[i] + s.share2 * (gradient * gradient - squares[i]);
      means[i] = mean, squares[i] = square;
      weights[i] -= s.rate * (mean / (std::sqrt(square) + s.epsilon) + s.decay * weights[i]);
    }
  });
}

// Inputs: scalars rate, epsilon, decay scale; betas (2,); decays and factors of the rate (N,); N weights, moments m,
// moments v, gradients. Changes weights and moments. The output, a scalar, is for the order of the graph alone.
void update_all(const Arguments &a) {
  const float rate = *a.floats(0), decay_scale = *a.floats(2), *betas = a.floats(3);
  const int64_t num_weights = a.size(4, 0);
  for (int64_t i = 0, first = 6; i < num_weights; i++, first++) {
    const Scalars scalars = {rate * a.floats(5)[i], *a.floats(1), a.floats(4)[i] * decay_scale, 1 - betas[0], 1 - betas[1]};
    update(a.floats(first), a.floats(first + num_weights), a.floats(first + 2 * num_weights),
           a.floats(first + 3 * num_weights), a.size_from(first, 0), scalars);
  }
  *a.floats(6 + 4 * num_weights) = 0;
}

}  // namespace

KERNEL(adam_weight_decay, update_all)
