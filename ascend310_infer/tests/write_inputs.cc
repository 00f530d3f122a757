// Network inputs of pictures as this program computes them: write_inputs CARD.json TARGET.bin PICTURE ...
#include <fstream>
#include <iostream>
#include <sstream>

#include "inc/card.h"
#include "inc/decoder.h"
#include "inc/preprocess.h"
#include "inc/result_files.h"

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  try {
    std::ostringstream text;
    text << std::ifstream(argv[1]).rdbuf();
    const infer::Card card = infer::parse_card(text.str(), argv[1]);
    std::vector<float> inputs;  // (number, 3, S, S)
    for (int index = 3; index < argc; ++index) {
      const cv::Mat crop = infer::centre_crop(infer::read_picture(argv[index]), card.crop, card.image_size);
      infer::append_input(crop, card.normalization, card.image_size, inputs);
    }
    infer::write_file(argv[2], inputs.data(), inputs.size() * sizeof(float));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
}
