// Backends: the libraries that run a model. Another one is another `open_*` and a line in open_backend.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace infer {

enum class Device { kAscend, kCpu };

struct BackendOptions {
  std::filesystem::path model;
  Device device = Device::kAscend;
  int device_id = 0;
  int batch_size = 1;   // of a model with a free batch size
  int image_size = 0;   // side of the square input, pixels
  int num_threads = 1;  // sessions that will be opened
};

// One copy of the model, for one thread.
class Session {
 public:
  virtual ~Session() = default;

  // Values of one picture's output.
  virtual std::size_t output_size() const = 0;

  // (B, 3, S, S) -> the first output, (B, output_size()), valid until the next call.
  virtual const float* run(const float* inputs) = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;

  // The model's fixed batch size B.
  virtual int batch_size() const = 0;

  // Called by several threads, one after the other.
  virtual std::unique_ptr<Session> open_session() = 0;
};

// MindSpore Lite for a .mindir, OpenVINO for an .onnx.
// Throws UserError if this program was built without it, or if it refuses the model or the device.
std::unique_ptr<Backend> open_backend(const BackendOptions& options);

std::unique_ptr<Backend> open_mindspore(const BackendOptions& options);
std::unique_ptr<Backend> open_openvino(const BackendOptions& options);

}  // namespace infer
