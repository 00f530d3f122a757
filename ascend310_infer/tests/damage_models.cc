// Damaged models: the checksum refuses each; one whose checksum is right is refused by its library, or runs.
// damage_models SEED NUMBER EVERY MODEL FOLDER: EVERY: of so many, one is given to the library (0: none)
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "inc/backend.h"
#include "inc/card.h"
#include "inc/errors.h"
#include "inc/result_files.h"
#include "tests/damaged.h"

namespace {

using infer::Bytes;
namespace fs = std::filesystem;

bool is_refused(const fs::path& model) {
  try {
    infer::read_card(model);
    return false;
  } catch (const infer::UserError&) {
    return true;
  }
}

bool runs(const fs::path& model, const infer::Card& card) {
  try {
    const auto backend =
        infer::open_backend({model, infer::Device::kCpu, 0, card.batch_size, card.image_size, 1});
    const auto side = static_cast<std::size_t>(card.image_size);
    const std::vector<float> zeros(static_cast<std::size_t>(backend->batch_size()) * 3 * side * side, 0.0f);
    backend->open_session()->run(zeros.data());
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void write(const fs::path& path, const std::string& text) { infer::write_file(path, text.data(), text.size()); }

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  infer::Random random(static_cast<infer::Random::result_type>(std::stoul(argv[1])));
  const std::size_t number = std::stoul(argv[2]), every = std::stoul(argv[3]);
  const fs::path original = argv[4], copy = fs::path(argv[5]) / original.filename();
  const infer::Card card = infer::read_card(original);
  const Bytes content = infer::content_of(argv[4]), text = infer::content_of((original.string() + ".json").c_str());
  std::size_t refused = 0, opened = 0, run = 0;
  for (std::size_t index = 0; index < number; ++index) {
    const Bytes bytes = infer::damaged(content, random);
    infer::write_file(copy, bytes.data(), bytes.size());
    write(copy.string() + ".json", std::string(text.begin(), text.end()));
    refused += bytes == content || is_refused(copy);
    if (every == 0 || index % every != 0) continue;
    std::cerr << index << std::endl;  // the last one names the file that ended the process
    ++opened;
    run += runs(copy, card);
  }
  std::cout << number << " damaged models, " << refused << " refused by checksum; " << opened
            << " given to the library all the same, " << run << " of them run\n";
  return refused == number ? 0 : 1;
}
