// Damaged pictures and cards by the thousand: each is read or refused, nothing else. damage SEED NUMBER CARD.json PICTURE ...
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>

#include "inc/card.h"
#include "inc/decoder.h"
#include "inc/errors.h"
#include "inc/preprocess.h"

namespace {

using Bytes = std::vector<unsigned char>;
using Random = std::mt19937;

Bytes content_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

std::size_t below(Random& random, std::size_t end) {
  return std::uniform_int_distribution<std::size_t>(0, end - 1)(random);
}

// Some bytes changed, the end cut off, a part doubled or a part removed.
Bytes damaged(Bytes bytes, Random& random) {
  const auto place = static_cast<std::ptrdiff_t>(below(random, bytes.size()));
  const auto end = place + static_cast<std::ptrdiff_t>(below(random, bytes.size() - static_cast<std::size_t>(place)));
  switch (below(random, 5)) {
    case 0:
      bytes.resize(static_cast<std::size_t>(place) + 1);
      break;
    case 1: {
      const Bytes part(bytes.begin() + place, bytes.begin() + end);
      bytes.insert(bytes.begin() + end, part.begin(), part.end());
      break;
    }
    case 2:
      bytes.erase(bytes.begin() + place, bytes.begin() + end);
      break;
    default:
      for (std::size_t count = 1 + below(random, 16); count > 0; --count) {
        bytes[below(random, bytes.size())] = static_cast<unsigned char>(below(random, 256));
      }
  }
  return bytes;
}

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
  const Bytes text = content_of(argv[3]);
  infer::Card card = infer::parse_card(std::string(text.begin(), text.end()), argv[3]);
  std::vector<Bytes> pictures;
  for (int index = 4; index < argc; ++index) pictures.push_back(content_of(argv[index]));
  std::size_t num_read = 0, num_cards = 0;
  const std::size_t number = std::stoul(argv[2]);
  for (std::size_t index = 0; index < number; ++index) {
    card.crop.library = index % 2 ? infer::Library::kPillow : infer::Library::kOpenCV;
    card.crop.interpolation = index % 4 < 2 ? infer::Interpolation::kBilinear : infer::Interpolation::kBicubic;
    num_read += is_read(damaged(pictures[index % pictures.size()], random), card);
    num_cards += is_card(damaged(text, random));
  }
  std::cout << number << " damaged pictures, " << num_read << " still read; " << number << " damaged cards, " << num_cards
            << " still read\n";
  return 0;
}
