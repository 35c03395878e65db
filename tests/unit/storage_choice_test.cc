#include "quant/storage_choice.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "base/strings.h"
#include "support/shared_files.h"

namespace polaris {
namespace {

/// A model of tests/data/make_quantized.py.
struct TestModel {
  Metadata metadata;
  std::vector<std::string> names;
  std::vector<NamedShape> tensors;
};

TestModel model_of(const std::vector<std::string>& row) {
  TestModel out;
  std::vector<std::int64_t> numbers;
  for (const std::string_view text : split(row[1], ',')) numbers.push_back(*parse_i64(text));
  out.metadata["general.architecture"] = row[0];
  out.metadata[row[0] + ".block_count"] = numbers[0];
  out.metadata[row[0] + ".attention.head_count"] = numbers[3];
  out.metadata[row[0] + ".attention.head_count_kv"] = numbers[4];
  if (numbers[5] > 0) out.metadata[row[0] + ".expert_count"] = numbers[5];
  const auto tensors = split(row[3], ' ');
  for (const std::string_view text : tensors) {
    out.names.emplace_back(text.substr(0, text.find(':')));
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    Shape shape;
    for (const std::string_view dim : split(tensors[i].substr(tensors[i].find(':') + 1), 'x')) {
      shape.push_back(*parse_i64(dim));
    }
    out.tensors.push_back({out.names[i], shape});
  }
  return out;
}

/// What each tensor is stored as, from groups "q4_k:0,3".
std::vector<std::string> storages_of(const std::string& groups, std::size_t count) {
  std::vector<std::string> out(count);
  for (const std::string_view group : split(groups, ' ')) {
    const std::size_t colon = group.find(':');
    for (const std::string_view index : split(group.substr(colon + 1), ',')) {
      out[static_cast<std::size_t>(*parse_i64(index))] = group.substr(0, colon);
    }
  }
  return out;
}

TEST_CASE("each tensor is stored as llama.cpp's quantizer stores it") {
  TestModel model;
  std::set<std::string> seen;
  bool fell_back = false;
  for (const auto& row : test::read_table("data/storage_expected.tsv")) {
    if (row[2] == "tensors") {
      model = model_of(row);
      continue;
    }
    const QuantScheme* scheme = find_quant_scheme(row[2]);
    REQUIRE(scheme != nullptr);
    seen.insert(row[2]);
    const auto choices = choose_storage(*scheme, model.metadata, model.tensors);
    const auto wanted = storages_of(row[3], model.tensors.size());
    REQUIRE(choices.size() == wanted.size());
    for (std::size_t i = 0; i < choices.size(); ++i) {
      INFO(row[0], " ", row[1], " ", row[2], ": ", model.names[i]);
      CHECK((choices[i].storage.empty() ? "f32" : choices[i].storage) == wanted[i]);
      fell_back |= !choices[i].wanted.empty();
    }
  }
  CHECK(fell_back);
  for (const QuantScheme& scheme : quant_schemes()) {
    if (scheme.name == "copy" || scheme.name == "f32") continue;
    CHECK(seen.contains(std::string(scheme.name)));
  }
}

TEST_CASE("a row that no blocks fill is float16, and a scheme is found by its name") {
  const std::vector<NamedShape> tensors = {{"output.weight", {8, 256}},
                                           {"blk.0.ffn_up.weight", {16, 40}},
                                           {"blk.0.ffn_up.bias", {16, 256}}};
  const auto choices = choose_storage(*find_quant_scheme("Q4_K_M"), {}, tensors);
  CHECK(choices[0].storage == "q6_k");
  CHECK(choices[1].storage == "f16");
  CHECK(choices[1].wanted == "q4_k");
  CHECK(choices[2].storage.empty());
  for (const auto& choice : choose_storage(*find_quant_scheme("copy"), {}, tensors)) {
    CHECK(choice.storage.empty());
  }
  CHECK(find_quant_scheme("q4_k") == nullptr);
  CHECK(find_quant_scheme("") == nullptr);
}

}  // namespace
}  // namespace polaris
