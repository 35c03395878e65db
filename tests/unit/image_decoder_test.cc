// ImageDecoder: orders of channels, and files that are none. ONNX's node tests have the formats.
#include <doctest/doctest.h>

#include "support/value_case.h"

namespace polaris::test {
namespace {

// A PPM of two pixels: 255, 10, 20 and 0, 100, 200.
constexpr const char* kPicture = "[80,54,32,50,32,49,32,50,53,53,10,255,10,20,0,100,200]";

constexpr const char* kGraph = R"(graph {
  input %x : uint8[17]
  %rgb = ImageDecoder(%x)
  %bgr = ImageDecoder(%x, pixel_format = "BGR")
  %grey = ImageDecoder(%x, pixel_format = "Grayscale")
  output %rgb
  output %bgr
  output %grey
})";

TEST_CASE("ImageDecoder gives the channels that are asked for") {
  check_values(kGraph, {kPicture},
               {"[[[255,10,20],[0,100,200]]]", "[[[20,10,255],[200,100,0]]]", "[[[84],[82]]]"});
}

TEST_CASE("ImageDecoder: a malformed file is an empty picture, a format that we lack an error") {
  constexpr const char* kSizes = R"(graph {
    symbol N
    input %x : uint8[N]
    %y = ImageDecoder(%x)
    %size = Shape(%y)
    output %size
  })";
  check_values(kSizes, {kPicture}, {"[1,2,3]"});
  check_values(kSizes, {"[80,54,32,50,32,49,32,50,53,53,10,1,2,3]"}, {"[0,0,3]"});
  check_values_fail(kSizes, {"[82,73,70,70,0,0,0,0,87,69,66,80,86,80,56,32]"}, "a WebP");
}

}  // namespace
}  // namespace polaris::test
