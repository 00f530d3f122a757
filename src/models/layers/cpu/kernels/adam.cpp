// Adam's update of a weight and its moments in place, with decoupled weight decay: each number is read and written once.
#include "arguments.h"
#include "parallel.h"

#include <algorithm>
#include <cmath>

namespace {

constexpr int64_t PART = 16384;  // numbers, whatever the threads: so none of them decides where vectors end

// Inputs weight, moments m and v, gradient g (...), and scalars rate, epsilon, decay, beta1, beta2. Changes the first three:
// m += (1 - beta1) (g - m), v += (1 - beta2) (g g - v), weight -= rate (m / (sqrt(v) + epsilon) + decay weight).
// The output, a scalar, is for the order of the graph alone.
void update(const Arguments &a) {
  float *weights = a.floats(0), *means = a.floats(1), *squares = a.floats(2);
  const float *gradients = a.floats(3);
  const float rate = *a.floats(4), epsilon = *a.floats(5), decay = *a.floats(6);
  const float share1 = 1 - *a.floats(7), share2 = 1 - *a.floats(8);
  const int64_t count = a.size_from(0, 0);
  parallel_for((count + PART - 1) / PART, PART, [&](int64_t part) {
    for (int64_t i = part * PART; i < std::min(count, (part + 1) * PART); i++) {
      const float gradient = gradients[i];
      const float mean = means[i] + share1 * (gradient - means[i]);
      const float square = squares[i] + share2 * (gradient * gradient - squares[i]);
      means[i] = mean, squares[i] = square;
      weights[i] -= rate * (mean / (std::sqrt(square) + epsilon) + decay * weights[i]);
    }
  });
  *a.floats(9) = 0;
}

}  // namespace

KERNEL(adam_weight_decay, update)
