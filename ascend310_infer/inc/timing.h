// Times of the network's runs and their report.
#pragma once

#include <string>
#include <vector>

namespace infer {

struct Timing {
  std::vector<float> run_ms;  // of each run of a whole batch
  std::size_t num_pictures = 0;
  double seconds = 0.0;  // the whole flow: reading, network, writing
};

// Mean, median and 99th percentile of a run, and the pictures per second of the whole flow.
std::string report(Timing timing, int batch_size, int num_threads);

}  // namespace infer
