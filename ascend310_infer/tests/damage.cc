// Damaged pictures and cards by the thousand: each is read or refused, nothing else. damage SEED NUMBER CARD.json PICTURE ...
#include <iostream>

#include "inc/card.h"
#include "inc/decoder.h"
#include "inc/errors.h"
#include "inc/preprocess.h"
#include "tests/damaged.h"

namespace {

using infer::Bytes;
using infer::Random;

bool is_read(const Bytes& bytes, const infer::Card& card) {
  try {
    const cv::Mat rgb = infer::decode_picture(bytes);
    std::vector<float> inputs;
    infer::append_input(infer::centre_crop(rgb, card.crop, card.image_size), card.normalization, card.image_size,
                        inputs);
    return true;
  } catch (const infer::Unreadable&) {
    return false;
  }
}

bool is_card(const Bytes& bytes) {
  try {
    infer::parse_card(std::string(bytes.begin(), bytes.end()), "card");
    return true;
  } catch (const infer::UserError&) {
    return false;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  Random random(static_cast<Random::result_type>(std::stoul(argv[1])));
  const Bytes text = infer::content_of(argv[3]);
  infer::Card card = infer::parse_card(std::string(text.begin(), text.end()), argv[3]);
  std::vector<Bytes> pictures;
  for (int index = 4; index < argc; ++index) pictures.push_back(infer::content_of(argv[index]));
  std::size_t num_read = 0, num_cards = 0;
  const std::size_t number = std::stoul(argv[2]);
  for (std::size_t index = 0; index < number; ++index) {
    card.crop.library = index % 2 ? infer::Library::kPillow : infer::Library::kOpenCV;
    card.crop.interpolation = index % 4 < 2 ? infer::Interpolation::kBilinear : infer::Interpolation::kBicubic;
    num_read += is_read(infer::damaged(pictures[index % pictures.size()], random), card);
    num_cards += is_card(infer::damaged(text, random));
  }
  std::cout << number << " damaged pictures, " << num_read << " still read; " << number << " damaged cards, " << num_cards
            << " still read\n";
  return 0;
}
