// Damaged copies of a file's content.
#pragma once

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

namespace infer {

using Bytes = std::vector<unsigned char>;
using Random = std::mt19937;

inline Bytes content_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

inline std::size_t below(Random& random, std::size_t end) {
  return std::uniform_int_distribution<std::size_t>(0, end - 1)(random);
}

// Some bytes changed, the end cut off, a part doubled or a part removed.
inline Bytes damaged(Bytes bytes, Random& random) {
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

}  // namespace infer
