// Errors by whose mistake they are: the user's end the program with code 2 and one line, all others with code 1.
#pragma once

#include <stdexcept>

namespace infer {

// A mistake of the user; the message names the thing and the remedy.
class UserError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The reason why a picture cannot be used, in a few words; the picture is skipped and counted.
class Unreadable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace infer
