#include "inc/result_files.h"

#include <unistd.h>

#include <fstream>

#include "inc/errors.h"

namespace infer {

namespace fs = std::filesystem;

void write_file(const fs::path& path, const void* content, std::size_t size) {
  std::ofstream file(path, std::ios::binary);
  file.write(static_cast<const char*>(content), static_cast<std::streamsize>(size));
  file.close();
  if (!file) throw UserError(path.string() + " cannot be written: is the drive full, or the folder not writable?");
}

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw UserError(path.string() + " cannot be made (" + error.message() + "): give another --output FOLDER");
}

ResultFolder::ResultFolder(fs::path final_path)
    : final_(std::move(final_path)), partial_(final_.string() + ".partial-" + std::to_string(getpid())) {
  make_folder(partial_);
}

ResultFolder::~ResultFolder() {
  std::error_code ignored;
  fs::remove_all(partial_, ignored);
}

void ResultFolder::keep() {
  fs::remove_all(final_);
  fs::rename(partial_, final_);
}

}  // namespace infer
