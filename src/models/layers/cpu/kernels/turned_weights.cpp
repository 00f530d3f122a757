// Weights with which the gradient of a convolution's input is a convolution itself.
#include "arguments.h"
#include "turn.h"

#include <numeric>

namespace {

// Input weights (O, C, side, side). Output (C, O, side, side).
void forward(const Arguments &a) {
  std::vector<int64_t> taps(a.size(0, 2) * a.size(0, 3));
  std::iota(taps.rbegin(), taps.rend(), 0);  // from the last to the first
  turn(a.floats(0), a.size(0, 0), a.size(0, 1), taps.size(), taps, a.floats(1));
}

}  // namespace

KERNEL(turned_weights, forward)
