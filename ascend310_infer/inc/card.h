// The JSON that export.py writes beside a model: its input, preprocessing, output and checksum.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace infer {

enum class Library { kPillow, kOpenCV };
enum class Interpolation { kBilinear, kBicubic };
enum class TaskKind { kClassification, kSegmentation };

// The change from a picture's 8-bit channels to the network's: (value - mean) / std, in this order of channels.
struct Normalization {
  std::array<float, 3> mean, std;
  bool is_rgb = true;
};

// Resize of the shorter side and centre crop, of classification only.
struct CentreCrop {
  int resize = 0;  // length of the shorter side, pixels
  Library library = Library::kOpenCV;
  Interpolation interpolation = Interpolation::kBilinear;
};

struct Card {
  TaskKind task = TaskKind::kClassification;
  int batch_size = 0;  // of the exported input
  bool dynamic_batch = false;
  int image_size = 0;  // side of the square network input, pixels
  Normalization normalization;
  CentreCrop crop;
  std::vector<std::string> class_names;
  std::vector<std::array<std::uint8_t, 3>> palette;  // RGB per class, of segmentation only
  std::vector<std::uint8_t> label_ids;               // per class, of segmentation only
};

// The card beside `model`, whose checksum it must hold. Throws UserError.
Card read_card(const std::filesystem::path& model);

// A card from its text. Throws UserError about `place`.
Card parse_card(const std::string& text, const std::string& place);

}  // namespace infer
