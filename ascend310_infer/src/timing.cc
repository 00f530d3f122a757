#include "inc/timing.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <numeric>
#include <sstream>

namespace infer {
namespace {

// The smallest value that is not exceeded by the share `part` of the sorted values.
float percentile(const std::vector<float>& sorted, double part) {
  if (sorted.empty()) return 0.0f;
  const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

}  // namespace

std::string report(Timing timing, int batch_size, int num_threads) {
  std::sort(timing.run_ms.begin(), timing.run_ms.end());
  const double count = static_cast<double>(std::max<std::size_t>(timing.run_ms.size(), 1));
  const double mean = std::accumulate(timing.run_ms.begin(), timing.run_ms.end(), 0.0) / count;
  std::ostringstream text;
  text << std::fixed << std::setprecision(3) << "NN inference cost average time: " << mean << " ms of infer_count "
       << timing.run_ms.size() << "\nbatch size " << batch_size << ", " << num_threads << " threads: p50 "
       << percentile(timing.run_ms, 0.5) << " ms, p99 " << percentile(timing.run_ms, 0.99) << " ms\nwhole flow: "
       << timing.num_pictures << " pictures in " << timing.seconds << " s, " << std::setprecision(1)
       << static_cast<double>(timing.num_pictures) / std::max(timing.seconds, 1e-9) << " pictures per second\n";
  return text.str();
}

}  // namespace infer
