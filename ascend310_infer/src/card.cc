#include "inc/card.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "inc/errors.h"
#include "inc/sha256.h"

namespace infer {
namespace {

using Json = nlohmann::json;

constexpr int kMaxSide = 8192, kMaxBatch = 4096;

// What a card lacks or has wrong; the caller adds the file's name.
class BadCard : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

int integer(const Json& object, const char* key, int low, int high) {
  const Json& value = object.at(key);
  if (!value.is_number_integer() || value < low || value > high) {
    throw BadCard(std::string(key) + " is not a whole number from " + std::to_string(low) + " to " +
                  std::to_string(high));
  }
  return value.get<int>();
}

template <typename Value>
Value choice(const Json& object, const char* key, const char* one, Value first, const char* other, Value second) {
  const auto text = object.at(key).get<std::string>();
  if (text == one) return first;
  if (text == other) return second;
  throw BadCard(std::string(key) + " is neither " + one + " nor " + other);
}

std::array<float, 3> numbers(const Json& object, const char* key, double factor) {
  const Json& values = object.at(key);
  if (!values.is_array() || values.size() != 3) throw BadCard(std::string(key) + " is not a list of three numbers");
  std::array<float, 3> result;
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const double value = values[channel].get<double>() * factor;
    if (!(std::abs(value) < 1e6)) throw BadCard(std::string(key) + " is out of range");
    result[channel] = static_cast<float>(value);
  }
  return result;
}

Normalization normalization(const Json& json, bool is_scene) {
  const double factor = is_scene ? 1.0 : 255.0;
  Normalization result{numbers(json, is_scene ? "mean_255" : "mean", factor),
                       numbers(json, is_scene ? "std_255" : "std", factor),
                       choice(json, "channels", "RGB", true, "BGR", false)};
  for (const float value : result.std) {
    if (!(value > 0)) throw BadCard("a standard deviation is not positive");
  }
  return result;
}

CentreCrop centre_crop(const Json& json, int image_size) {
  return {integer(json, "resize", image_size, 2 * kMaxSide),
          choice(json, "library", "Pillow", Library::kPillow, "OpenCV", Library::kOpenCV),
          choice(json, "interpolation", "bilinear", Interpolation::kBilinear, "bicubic", Interpolation::kBicubic)};
}

void read_scene_labels(const Json& json, Card& card) {
  card.palette = json.at("palette").get<decltype(card.palette)>();
  card.label_ids = json.at("label_ids").get<decltype(card.label_ids)>();
  if (card.palette.size() != card.class_names.size() || card.label_ids.size() != card.class_names.size()) {
    throw BadCard("class_names, palette and label_ids differ in length");
  }
}

Card card_of(const Json& json) {
  Card card;
  card.task = choice(json, "task", "classification", TaskKind::kClassification, "segmentation",
                     TaskKind::kSegmentation);
  const Json& shape = json.at("input").at("shape");
  if (!shape.is_array() || shape.size() != 4 || !shape[0].is_number_integer()) throw BadCard("input has no 4 sides");
  if (shape[0] < 1 || shape[0] > kMaxBatch) throw BadCard("the batch size is out of range");
  card.batch_size = shape[0].get<int>();
  card.dynamic_batch = json.at("dynamic_batch").get<bool>();
  const Json& preprocessing = json.at("preprocessing");
  card.image_size = integer(preprocessing, "image_size", 1, kMaxSide);
  card.normalization = normalization(preprocessing, card.task == TaskKind::kSegmentation);
  card.class_names = json.at("class_names").get<std::vector<std::string>>();
  if (card.class_names.empty() || card.class_names.size() > 65536) throw BadCard("class_names has no usable length");
  if (card.task == TaskKind::kSegmentation) {
    read_scene_labels(json, card);
  } else {
    card.crop = centre_crop(preprocessing, card.image_size);
  }
  return card;
}

[[noreturn]] void refuse(const std::string& place, const std::string& reason) {
  throw UserError(place + " is not a card of this project's export.py (" + reason + "): export the model again");
}

Json parsed(const std::string& text, const std::string& place) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) refuse(place, "not JSON");
  return json;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw UserError(path.string() + " is missing: copy it together with the model, export.py writes both");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

Card parse_card(const std::string& text, const std::string& place) {
  const Json json = parsed(text, place);
  try {
    return card_of(json);
  } catch (const BadCard& error) {
    refuse(place, error.what());
  } catch (const Json::exception& error) {
    const std::string message = error.what();  // "[json.exception.out_of_range.403] key 'task' not found"
    refuse(place, message.substr(std::min(message.find(']') + 2, message.size())));
  }
}

Card read_card(const std::filesystem::path& model) {
  if (!std::filesystem::is_regular_file(model)) {
    throw UserError(model.string() + " is not a file: give the path of a model that export.py wrote");
  }
  const std::string place = model.string() + ".json", text = text_of(place);
  Card card = parse_card(text, place);
  const Json json = parsed(text, place);
  if (!json.contains("sha256")) refuse(place, "no sha256");
  if (json.contains("encryption") && !json["encryption"].is_null()) {
    throw UserError(model.string() + " is encrypted, this program reads plain files: export it without enc_key_file");
  }
  if (json["sha256"] != sha256_of_file(model)) {
    throw UserError(model.string() + " is not the file that " + place +
                    " describes (sha256 differs): it is damaged or of another export, copy both again");
  }
  return card;
}

}  // namespace infer
