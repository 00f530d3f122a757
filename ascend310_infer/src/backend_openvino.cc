// OpenVINO: ONNX files on a CPU.
#include <openvino/openvino.hpp>

#include <algorithm>

#include "inc/backend.h"
#include "inc/errors.h"

namespace infer {
namespace {

class OpenVinoSession : public Session {
 public:
  explicit OpenVinoSession(ov::CompiledModel& model) : request_(model.create_infer_request()) {
    const ov::Shape shape = model.output(0).get_shape();
    output_size_ = ov::shape_size(shape) / shape.at(0);
  }

  std::size_t output_size() const override { return output_size_; }

  const float* run(const float* inputs) override {
    ov::Tensor tensor = request_.get_input_tensor();
    std::copy_n(inputs, tensor.get_size(), tensor.data<float>());
    request_.infer();
    return request_.get_output_tensor(0).data<const float>();
  }

 private:
  ov::InferRequest request_;
  std::size_t output_size_ = 0;
};

ov::CompiledModel compiled(ov::Core& core, const BackendOptions& options) {
  const auto model = core.read_model(options.model.string());
  const auto side = static_cast<std::size_t>(options.image_size);
  model->reshape(ov::Shape{static_cast<std::size_t>(options.batch_size), 3, side, side});
  return core.compile_model(model, "CPU", ov::hint::inference_precision(ov::element::f32),
                            ov::num_streams(options.num_threads), ov::inference_num_threads(options.num_threads));
}

class OpenVinoBackend : public Backend {
 public:
  explicit OpenVinoBackend(const BackendOptions& options) : batch_size_(options.batch_size) {
    if (options.device != Device::kCpu) {
      throw UserError(options.model.string() + " runs on a CPU only: give --device_target CPU, or a .mindir file");
    }
    try {
      model_ = compiled(core_, options);
    } catch (const ov::Exception&) {
      throw UserError(options.model.string() + " is not an ONNX model that OpenVINO runs: export it again");
    }
  }

  int batch_size() const override { return batch_size_; }
  std::unique_ptr<Session> open_session() override { return std::make_unique<OpenVinoSession>(model_); }

 private:
  int batch_size_;
  ov::Core core_;
  ov::CompiledModel model_;
};

}  // namespace

std::unique_ptr<Backend> open_openvino(const BackendOptions& options) {
  return std::make_unique<OpenVinoBackend>(options);
}

}  // namespace infer
