// Pipeline from picture files to result files: threads that read, a bounded queue, threads that run the network.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "inc/backend.h"
#include "inc/pictures.h"
#include "inc/task.h"
#include "inc/timing.h"

namespace infer {

struct PipelineOptions {
  std::filesystem::path folder, results;
  int num_threads = 1;  // that read, and as many that run the network
  int warm_up = 3;      // runs of each session before the first picture
};

struct Outcome {
  Timing timing;
  std::vector<std::string> skipped;  // "FILE: reason", in any order
};

// Throws the first error of any thread, after all have ended.
Outcome run_pipeline(Backend& backend, const Task& task, const Pictures& pictures, const PipelineOptions& options);

}  // namespace infer
