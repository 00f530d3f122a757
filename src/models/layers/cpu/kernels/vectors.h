// Numbers that are computed with together.
#pragma once

// As many as a register holds, since the compiler keeps longer vectors in memory: the largest alignment is a register's.
constexpr int WIDTH = __BIGGEST_ALIGNMENT__ / sizeof(float);
typedef float Vector __attribute__((vector_size(4 * WIDTH), aligned(4)));  // at the address of any number
