#include "inc/options.h"

#include <getopt.h>

#include <charconv>
#include <cstring>
#include <string>

#include "inc/errors.h"

namespace infer {

const char kUsage[] =
    "usage: infer --mindir_path MODEL --dataset_path FOLDER [options]\n"
    "  --mindir_path    .mindir (MindSpore Lite) or .onnx (OpenVINO, on a CPU); MODEL.json must lie beside it\n"
    "  --dataset_path   folder of pictures, or of the .bin files of scripts/preprocess.py, at any depth\n"
    "  --device_target  Ascend or CPU (default: Ascend)\n"
    "  --device_id      of the Ascend device (default: 0)\n"
    "  --batch_size     pictures per run, of a model with a free batch size (default: the exported one)\n"
    "  --threads        that read pictures, and as many that run one model each (default: 1)\n"
    "  --warmup         runs of each model before the first picture (default: 3)\n"
    "  --output         folder of result_Files/ and time_Result/ (default: the current one)\n";

namespace {

int integer(const std::string& name, const char* text, int low, int high) {
  int value = 0;
  const char* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, value);
  if (error != std::errc() || stop != end || value < low || value > high) {
    throw UserError("--" + name + " " + text + ": give a whole number from " + std::to_string(low) + " to " +
                    std::to_string(high));
  }
  return value;
}

Device device(const std::string& text) {
  if (text == "Ascend" || text == "ascend") return Device::kAscend;
  if (text == "CPU" || text == "cpu") return Device::kCpu;
  throw UserError("--device_target " + text + ": give Ascend or CPU");
}

void set(Options& options, const std::string& name, const char* text) {
  if (name == "mindir_path") options.model = text;
  if (name == "dataset_path") options.folder = text;
  if (name == "output") options.output = text;
  if (name == "device_target") options.device = device(text);
  if (name == "device_id") options.device_id = integer(name, text, 0, 1023);
  if (name == "batch_size") options.batch_size = integer(name, text, 1, 4096);
  if (name == "threads") options.num_threads = integer(name, text, 1, 256);
  if (name == "warmup") options.warm_up = integer(name, text, 0, 1000);
}

constexpr option kOptions[] = {
    {"mindir_path", required_argument, nullptr, 'v'},   {"dataset_path", required_argument, nullptr, 'v'},
    {"output", required_argument, nullptr, 'v'},        {"device_target", required_argument, nullptr, 'v'},
    {"device_id", required_argument, nullptr, 'v'},     {"batch_size", required_argument, nullptr, 'v'},
    {"threads", required_argument, nullptr, 'v'},       {"warmup", required_argument, nullptr, 'v'},
    {"help", no_argument, nullptr, 'h'},                {nullptr, 0, nullptr, 0},
};

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  opterr = 0;  // one line of ours instead of getopt's
  for (int index = 0, found; (found = getopt_long(argc, argv, ":h", kOptions, &index)) != -1;) {
    if (found == 'v') set(options, kOptions[index].name, optarg);
    if (found == 'h') options.help = true;
    if (found == ':') throw UserError(std::string(argv[optind - 1]) + " has no value: see --help");
    if (found == '?') throw UserError(std::string(argv[optind - 1]) + " is not an option: see --help");
  }
  if (optind < argc) throw UserError(std::string(argv[optind]) + " belongs to no option: see --help");
  if (options.help) return options;
  if (options.model.empty()) throw UserError("no model: give --mindir_path FILE");
  if (options.folder.empty()) throw UserError("no pictures: give --dataset_path FOLDER");
  return options;
}

}  // namespace infer
