// Options of the program, from its command line.
#pragma once

#include <filesystem>

#include "inc/backend.h"

namespace infer {

struct Options {
  std::filesystem::path model, folder, output = ".";
  Device device = Device::kAscend;
  int device_id = 0;
  int batch_size = 0;  // 0: the model's
  int num_threads = 1;
  int warm_up = 3;
  bool help = false;
};

// Throws UserError about an unknown option, a missing one or a wrong value.
Options parse_options(int argc, char** argv);

extern const char kUsage[];

}  // namespace infer
