// Loops over independent parts on several threads.
#pragma once

#include <cstdint>
#include <functional>

// Call work(part) once for each part in 0 ... num_parts - 1. A part must not depend on the number of threads, so that
// results don't. work_per_part: about how many numbers a part reads and writes; small loops stay on the calling thread.
void parallel_for(int64_t num_parts, int64_t work_per_part, const std::function<void(int64_t)> &work);
