// Result files that appear only when they are complete.
#pragma once

#include <filesystem>
#include <vector>

namespace infer {

// Throws UserError if the drive is full or the folder cannot be written.
void write_file(const std::filesystem::path& path, const void* content, std::size_t size);

// With its parents. Throws UserError if it cannot be made.
void make_folder(const std::filesystem::path& path);

// A folder of results: a new one beside it is filled, and takes its place when `keep` is called; else it is removed.
class ResultFolder {
 public:
  explicit ResultFolder(std::filesystem::path final_path);
  ~ResultFolder();
  ResultFolder(const ResultFolder&) = delete;
  ResultFolder& operator=(const ResultFolder&) = delete;

  const std::filesystem::path& path() const { return partial_; }
  void keep();

 private:
  std::filesystem::path final_, partial_;
};

}  // namespace infer
