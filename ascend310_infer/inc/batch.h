// Batch of inputs of several pictures: collects them, runs them, hands each picture its outputs.
#pragma once

#include <vector>

#include "inc/backend.h"
#include "inc/task.h"

namespace infer {

class Batch {
 public:
  // `input_size`: values of one input.
  Batch(Session& session, std::size_t batch_size, std::size_t input_size);

  // Runs the network as often as the batch is full; the times of these runs are appended to `run_ms`.
  void add(Prepared picture, std::vector<float>& run_ms);

  // Runs what is left, padded with zeros.
  void flush(std::vector<float>& run_ms);

 private:
  struct Slot {
    Sink* sink;
    std::size_t index;
  };

  void run(std::vector<float>& run_ms);

  Session& session_;
  std::size_t batch_size_, input_size_;
  std::vector<float> inputs_;
  std::vector<Slot> slots_;                    // one per input in the batch
  std::vector<std::unique_ptr<Sink>> sinks_;  // of the pictures in the batch
};

}  // namespace infer
