#include "inc/pictures.h"

#include <algorithm>
#include <array>
#include <string>

#include "inc/errors.h"

namespace infer {
namespace {

namespace fs = std::filesystem;

bool is_picture(const fs::path& path) {
  static constexpr std::array kEndings{kInputEnding, ".jpg", ".jpeg", ".jpe", ".jfif", ".png",  ".bmp", ".ppm",
                                       ".pgm", ".pbm",  ".pnm", ".webp", ".tiff", ".tif"};
  std::string ending = path.extension().string();
  for (char& letter : ending) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

bool is_junk(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.rfind('.', 0) == 0 || name == "__MACOSX";
}

void check_names(const fs::path& folder, const std::vector<fs::path>& files) {
  for (std::size_t index = 1; index < files.size(); ++index) {
    if (result_name(files[index - 1]) == result_name(files[index])) {
      throw UserError((folder / files[index - 1]).string() + " and " + files[index].filename().string() +
                      " would have results of one name: rename one");
    }
  }
}

}  // namespace

fs::path result_name(const fs::path& file) { return file.parent_path() / file.stem(); }

Pictures find_pictures(const fs::path& folder) {
  if (!fs::is_directory(folder)) throw UserError(folder.string() + " is not a folder: give --dataset_path FOLDER");
  Pictures found;
  const auto options = fs::directory_options::skip_permission_denied;
  for (auto entry = fs::recursive_directory_iterator(folder, options); entry != fs::end(entry); ++entry) {
    if (is_junk(entry->path())) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file()) {
      if (is_picture(entry->path())) {
        found.files.push_back(entry->path().lexically_relative(folder));
      } else {
        ++found.num_others;
      }
    }
  }
  if (found.files.empty()) throw UserError(folder.string() + " has no pictures (.jpg, .png, .bmp, .ppm, .webp, .tif)");
  const auto by_result = [](const fs::path& one, const fs::path& other) { return result_name(one) < result_name(other); };
  std::sort(found.files.begin(), found.files.end(), by_result);
  check_names(folder, found.files);
  return found;
}

}  // namespace infer
