// SHA-256 of a file as lower-case hexadecimal digits.
#pragma once

#include <filesystem>
#include <string>

namespace infer {

// Throws UserError if the file cannot be read.
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace infer
