#include "ir/node_error.h"

#include <doctest/doctest.h>

namespace polaris {
namespace {

std::string at(std::string message, std::string_view node) {
  return at_node(Error::invalid(std::move(message)), node).message();
}

TEST_CASE("an error of a node says which, once, after the op") {
  CHECK(at("[Gather] index, got 7, wanted one below 2", "ga") ==
        "[Gather] node 'ga': index, got 7, wanted one below 2");
  CHECK(at("[Gather] node 'ga': index, got 7", "ga") == "[Gather] node 'ga': index, got 7");
  CHECK(at("[Gather] node 'ga': index, got 7", "loop") ==
        "in 'loop': [Gather] node 'ga': index, got 7");
  CHECK(at("no brackets", "n") == "in 'n': no brackets");
  CHECK(at("[Gather] index, got 7", "") == "[Gather] index, got 7");
  CHECK(at_node(Error::cancelled("[Loop] stopped on request"), "l").code() ==
        ErrorCode::kCancelled);
}

}  // namespace
}  // namespace polaris
