// Inference with an exported model on a folder of pictures: result_Files/, time_Result/ and a line per skipped file.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "inc/backend.h"
#include "inc/card.h"
#include "inc/decoder.h"
#include "inc/errors.h"
#include "inc/options.h"
#include "inc/pictures.h"
#include "inc/pipeline.h"
#include "inc/result_files.h"
#include "inc/task.h"

namespace {

constexpr int kDone = 0, kFault = 1, kUserError = 2;
constexpr std::size_t kNamed = 10;  // skipped files that are listed

// OpenCV and MindSpore Lite read the environment when they are loaded, before main: start again with our settings.
void prepare_process(char** argv) {
  constexpr char kLog[] = "GLOG_v";  // of MindSpore Lite, whose pages would hide our line; GLOG_v=2 shows them
  if (std::getenv(infer::kPixelLimitVariable) && std::getenv(kLog)) return;
  setenv(infer::kPixelLimitVariable, infer::kPixelLimit, 0);
  setenv(kLog, "4", 0);
  execv("/proc/self/exe", argv);
}

infer::BackendOptions backend_options(const infer::Options& options, const infer::Card& card) {
  const int batch_size = options.batch_size ? options.batch_size : card.batch_size;
  if (batch_size != card.batch_size && !card.dynamic_batch) {
    throw infer::UserError("--batch_size " + std::to_string(batch_size) + ": the model was exported for " +
                           std::to_string(card.batch_size) + ": export it with --batch_size, or leave the option out");
  }
  return {options.model, options.device, options.device_id, batch_size, card.image_size, options.num_threads};
}

void tell_skipped(std::vector<std::string> skipped, std::size_t num_others) {
  std::sort(skipped.begin(), skipped.end());
  for (std::size_t index = 0; index < std::min(skipped.size(), kNamed); ++index) {
    std::cerr << "skipped: " << skipped[index] << "\n";
  }
  if (skipped.size() > kNamed) std::cerr << "skipped: " << skipped.size() - kNamed << " more\n";
  std::cout << "skipped " << skipped.size() << " unreadable pictures and " << num_others << " other files\n";
}

int run(const infer::Options& options) {
  const infer::Card card = infer::read_card(options.model);
  const infer::Pictures pictures = infer::find_pictures(options.folder);
  const auto backend = infer::open_backend(backend_options(options, card));
  const auto task = infer::create_task(card);
  infer::ResultFolder results(options.output / "result_Files"), times(options.output / "time_Result");
  const infer::Outcome outcome = infer::run_pipeline(
      *backend, *task, pictures, {options.folder, results.path(), options.num_threads, options.warm_up});
  tell_skipped(outcome.skipped, pictures.num_others);
  if (outcome.timing.num_pictures == 0) throw infer::UserError(options.folder.string() + ": no picture can be read");
  const std::string text = infer::report(outcome.timing, backend->batch_size(), options.num_threads);
  infer::write_file(times.path() / "test_perform_static.txt", text.data(), text.size());
  results.keep();
  times.keep();
  std::cout << text;
  return kDone;
}

}  // namespace

int main(int argc, char** argv) {
  prepare_process(argv);
  try {
    const infer::Options options = infer::parse_options(argc, argv);
    if (!options.help) return run(options);
    std::cout << infer::kUsage;
    return kDone;
  } catch (const infer::UserError& error) {
    std::cerr << "error: " << error.what() << "\n";
    return kUserError;
  } catch (const std::exception& error) {
    std::cerr << "fault: " << error.what() << "\n";
    return kFault;
  }
}
