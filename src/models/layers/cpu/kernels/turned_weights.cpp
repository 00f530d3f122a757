// Weights with which the gradient of a convolution's input is a convolution itself.
#include "arguments.h"
#include "turn.h"

namespace {

// Input weights (O, C, side, side). Output (C, O, side, side).
void forward(const Arguments &a) {
  turn(a.floats(0), a.size(0, 0), a.size(0, 1), a.size(0, 2) * a.size(0, 3), a.floats(1));
}

}  // namespace

KERNEL(turned_weights, forward)
