// MindSpore Lite: Ascend 310 and 310P with its cloud-side package, or a CPU.
#include <include/api/context.h>
#include <include/api/model.h>

#include <algorithm>

#include "inc/backend.h"
#include "inc/errors.h"

namespace infer {
namespace {

std::shared_ptr<mindspore::Context> context_of(const BackendOptions& options) {
  auto context = std::make_shared<mindspore::Context>();
  if (options.device == Device::kAscend) {
    auto ascend = std::make_shared<mindspore::AscendDeviceInfo>();
    ascend->SetDeviceID(static_cast<std::uint32_t>(options.device_id));
    context->MutableDeviceInfo().push_back(ascend);
  } else {
    context->SetThreadNum(1);  // more spin while they wait; the program's own threads run one model each
    context->MutableDeviceInfo().push_back(std::make_shared<mindspore::CPUDeviceInfo>());
  }
  return context;
}

std::string refusal(const BackendOptions& options) {
  if (options.device == Device::kAscend) {
    return "Ascend device " + std::to_string(options.device_id) + " does not run " + options.model.string() +
           ": check the id (npu-smi info) and that driver and CANN are loaded (source set_env.sh), and that "
           "MindSpore Lite is of the version that exported the file; or give --device_target CPU";
  }
  return options.model.string() + " is not a model that this MindSpore Lite runs on a CPU: export it with the same "
         "version, or convert its ONNX with scripts/onnx_to_lite.py";
}

class MindSporeSession : public Session {
 public:
  explicit MindSporeSession(const BackendOptions& options) {
    if (model_.Build(options.model.string(), mindspore::kMindIR, context_of(options)) != mindspore::kSuccess) {
      throw UserError(refusal(options));
    }
    inputs_ = model_.GetInputs();
    if (inputs_.size() != 1 || inputs_[0].Shape().size() != 4) {
      throw UserError(options.model.string() + " has not one input of pictures: is it one of this project's networks?");
    }
    const std::int64_t side = options.image_size;
    if (batch_size() != options.batch_size) resize(options);
    const auto outputs = outputs_.empty() ? model_.GetOutputs() : outputs_;
    if (outputs.empty() || batch_size() < 1 || inputs_[0].ElementNum() != batch_size() * 3 * side * side) {
      throw UserError(options.model.string() + " does not take the pictures that its JSON describes: export it again");
    }
    output_size_ = static_cast<std::size_t>(outputs[0].ElementNum() / batch_size());
  }

  int batch_size() const { return static_cast<int>(inputs_[0].Shape()[0]); }
  std::size_t output_size() const override { return output_size_; }

  const float* run(const float* inputs) override {
    std::copy_n(inputs, inputs_[0].ElementNum(), static_cast<float*>(inputs_[0].MutableData()));
    if (model_.Predict(inputs_, &outputs_) != mindspore::kSuccess) throw std::runtime_error("MindSpore Lite failed");
    if (outputs_.empty() || outputs_[0].DataType() != mindspore::DataType::kNumberTypeFloat32 ||
        outputs_[0].DataSize() != output_size_ * static_cast<std::size_t>(batch_size()) * sizeof(float)) {
      throw std::runtime_error("MindSpore Lite gave an output of another size or type");
    }
    return static_cast<const float*>(outputs_[0].MutableData());
  }

 private:
  // Of a model with a free batch size. The size of its output is known after a run only.
  void resize(const BackendOptions& options) {
    const std::int64_t side = options.image_size;
    const bool is_resized = model_.Resize(inputs_, {{options.batch_size, 3, side, side}}) == mindspore::kSuccess;
    inputs_ = model_.GetInputs();
    if (!is_resized || model_.Predict(inputs_, &outputs_) != mindspore::kSuccess) {
      throw UserError(options.model.string() + " does not run with batches of " + std::to_string(options.batch_size) +
                      ": give another --batch_size, or export it with that batch size");
    }
  }

  mindspore::Model model_;
  std::vector<mindspore::MSTensor> inputs_, outputs_;
  std::size_t output_size_ = 0;
};

// One model per session: two threads on one model give wrong numbers now and then.
class MindSporeBackend : public Backend {
 public:
  explicit MindSporeBackend(const BackendOptions& options)
      : options_(options), first_(std::make_unique<MindSporeSession>(options)), batch_size_(first_->batch_size()) {}

  int batch_size() const override { return batch_size_; }

  std::unique_ptr<Session> open_session() override {
    if (first_) return std::move(first_);
    return std::make_unique<MindSporeSession>(options_);
  }

 private:
  BackendOptions options_;
  std::unique_ptr<MindSporeSession> first_;
  int batch_size_;
};

}  // namespace

std::unique_ptr<Backend> open_mindspore(const BackendOptions& options) {
  return std::make_unique<MindSporeBackend>(options);
}

}  // namespace infer
