// Picture files below a folder.
#pragma once

#include <filesystem>
#include <vector>

namespace infer {

// Of files that hold a finished network input, float32 (3, S, S), instead of a picture.
inline constexpr char kInputEnding[] = ".bin";

struct Pictures {
  std::vector<std::filesystem::path> files;  // relative to the folder, sorted
  std::size_t num_others = 0;                // files that are not pictures by their ending
};

// At any depth; hidden entries and __MACOSX are passed over.
// Throws UserError: no folder, no pictures, or two that would have results of one name.
Pictures find_pictures(const std::filesystem::path& folder);

// The result's path without ending: 3/0007.png -> 3/0007.
std::filesystem::path result_name(const std::filesystem::path& file);

}  // namespace infer
