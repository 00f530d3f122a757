#include "inc/backend.h"

#include "inc/errors.h"

namespace infer {
namespace {

[[noreturn]] [[maybe_unused]] void refuse_missing(const std::string& ending, const std::string& option) {
  throw UserError("this program was built without the library for " + ending + " files: build with -DWITH_" + option +
                  "=ON");
}

}  // namespace

std::unique_ptr<Backend> open_backend(const BackendOptions& options) {
  const std::string ending = options.model.extension().string();
  if (ending == ".mindir") {
#ifdef WITH_MINDSPORE
    return open_mindspore(options);
#else
    refuse_missing(ending, "MINDSPORE");
#endif
  }
  if (ending == ".onnx") {
#ifdef WITH_OPENVINO
    return open_openvino(options);
#else
    refuse_missing(ending, "OPENVINO");
#endif
  }
  throw UserError(options.model.string() + " is neither .mindir nor .onnx: give a file of export.py");
}

}  // namespace infer
