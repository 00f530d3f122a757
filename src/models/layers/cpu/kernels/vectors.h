// Numbers that are computed with together.
#pragma once

constexpr int WIDTH = 16;
typedef float Vector __attribute__((vector_size(4 * WIDTH), aligned(4)));  // at the address of any number
