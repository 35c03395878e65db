// Strings, sequences and optionals through the C ABI.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "polaris/polaris_c.h"

namespace {

std::string message_of(polaris_error* error) {
  if (error == nullptr) return "";
  std::string out = polaris_error_message(error);
  polaris_error_free(error);
  return out;
}

constexpr const char* kText = R"(graph {
  input %words : string[?]
  input %s : seq(float32[?])
  input %o : opt(seq(string[?]))
  const %end : string[] = "!"
  %loud = StringConcat(%words, %end)
  %pair = SequenceConstruct(%words, %loud)
  %has = OptionalHasElement(%o)
  %either = If(%has, %o, %pair) graph {
    input %o : opt(seq(string[?]))
    input %pair : seq(string[?])
    %x = OptionalGetElement(%o)
    output %x
  } graph {
    input %o : opt(seq(string[?]))
    input %pair : seq(string[?])
    output %pair
  }
  %n = SequenceLength(%s)
  output %loud
  output %either
  output %n
  output %o "o"
})";

std::string text_at(const polaris_tensor* tensor, size_t index) {
  size_t length = 0;
  const char* text = polaris_tensor_string(tensor, index, &length);
  REQUIRE(text != nullptr);
  return std::string(text, length);
}

TEST_CASE("c abi: values of every kind go in and come out") {
  polaris_runtime_options options = {};
  options.size = sizeof options;
  options.devices = "cpu";
  options.threads = 1;
  polaris_runtime* runtime = nullptr;
  polaris_program* program = nullptr;
  polaris_session* session = nullptr;
  REQUIRE(message_of(polaris_runtime_create(&options, &runtime)) == "");
  REQUIRE(message_of(polaris_program_parse(runtime, kText, &program)) == "");
  REQUIRE(message_of(polaris_session_create(program, &session)) == "");

  polaris_type type = {};
  REQUIRE(polaris_function_input(program, nullptr, 1, &type) != nullptr);
  CHECK(type.dtype == POLARIS_F32);
  CHECK(type.rank == 1);
  CHECK(polaris_function_input_kind(program, nullptr, 0) == POLARIS_TENSOR);
  CHECK(polaris_function_input_kind(program, nullptr, 1) == POLARIS_SEQUENCE);
  CHECK(polaris_function_input_kind(program, nullptr, 2) == POLARIS_OPTIONAL_SEQUENCE);
  CHECK(polaris_function_input_kind(program, nullptr, 9) == POLARIS_TENSOR);
  CHECK(polaris_function_output_kind(program, nullptr, 1) == POLARIS_SEQUENCE);
  CHECK(polaris_function_output_kind(program, "none", 0) == POLARIS_TENSOR);

  const int64_t dims[] = {2};
  const char* const words[] = {"ab\0c", "\xc3\xa9"};
  const size_t lengths[] = {4, 2};
  polaris_tensor* in[3] = {};
  REQUIRE(message_of(polaris_strings_create(1, dims, words, lengths, &in[0])) == "");
  const float numbers[] = {1, 2, 3};
  const polaris_type float_type = {POLARIS_F32, 1, {3}};
  polaris_tensor* item = nullptr;
  REQUIRE(message_of(polaris_tensor_create(&float_type, numbers, sizeof numbers, &item)) == "");
  const polaris_tensor* const items[] = {item, item};
  REQUIRE(message_of(polaris_sequence_create(POLARIS_F32, items, 2, &in[1])) == "");
  polaris_tensor_free(item);
  REQUIRE(message_of(polaris_optional_create(POLARIS_SEQUENCE, POLARIS_STRING, nullptr, &in[2])) ==
          "");

  polaris_tensor* out[4] = {};
  REQUIRE(message_of(polaris_session_run(session, in, 3, out, 4)) == "");
  CHECK(text_at(out[0], 0) == std::string("ab\0c!", 5));
  CHECK(text_at(out[0], 1) == "\xc3\xa9!");
  CHECK(polaris_tensor_string(out[0], 2, nullptr) == nullptr);
  size_t bytes = 1;
  CHECK(polaris_tensor_bytes(out[0], &bytes) == nullptr);
  CHECK(bytes == 0);
  CHECK(polaris_tensor_kind(out[1]) == POLARIS_SEQUENCE);
  REQUIRE(polaris_tensor_item_count(out[1]) == 2);
  polaris_tensor* second = nullptr;
  REQUIRE(message_of(polaris_tensor_item(out[1], 1, &second)) == "");
  polaris_tensor_free(out[1]);
  CHECK(text_at(second, 1) == "\xc3\xa9!");
  polaris_tensor_free(second);
  CHECK(*static_cast<const int64_t*>(polaris_tensor_bytes(out[2], nullptr)) == 2);
  CHECK(polaris_tensor_kind(out[3]) == POLARIS_OPTIONAL_SEQUENCE);
  CHECK(polaris_tensor_item_count(out[3]) == 0);
  CHECK(message_of(polaris_tensor_item(out[3], 0, &second)).find("got 0 of 0") !=
        std::string::npos);

  // Another kind than the program's is refused by the input's name.
  polaris_tensor* const wrong[] = {in[0], in[0], in[2]};
  CHECK(
      message_of(polaris_session_run(session, wrong, 3, out, 4)).find("input 's', got string[2]") !=
      std::string::npos);
  for (polaris_tensor* tensor : {out[0], out[2], out[3], in[0], in[1], in[2]}) {
    polaris_tensor_free(tensor);
  }
  polaris_session_free(session);
  polaris_program_free(program);
  polaris_runtime_free(runtime);
}

TEST_CASE("c abi: values that cannot be are refused") {
  polaris_tensor* out = nullptr;
  const char* const none[] = {nullptr};
  const char* const one[] = {"a"};
  const int64_t negative[] = {-1};
  const int64_t single[] = {1};
  const int64_t huge[] = {INT64_MAX, 2};
  CHECK(message_of(polaris_strings_create(1, single, none, nullptr, &out)) != "");
  CHECK(message_of(polaris_strings_create(1, negative, one, nullptr, &out)) != "");
  CHECK(message_of(polaris_strings_create(2, huge, one, nullptr, &out)) != "");
  CHECK(message_of(polaris_strings_create(99, single, one, nullptr, &out)) != "");
  CHECK(message_of(polaris_strings_create(-1, single, one, nullptr, &out)) != "");
  CHECK(message_of(polaris_strings_create(1, nullptr, one, nullptr, &out)) != "");
  const polaris_type text = {POLARIS_STRING, 1, {1}};
  CHECK(message_of(polaris_tensor_create(&text, "abcdefgh", 8, &out)) != "");
  CHECK(message_of(polaris_sequence_create(static_cast<polaris_dtype>(99), nullptr, 0, &out)) !=
        "");
  CHECK(message_of(polaris_optional_create(POLARIS_OPTIONAL, POLARIS_F32, nullptr, &out)) != "");
  REQUIRE(message_of(polaris_strings_create(1, single, one, nullptr, &out)) == "");
  const polaris_tensor* const items[] = {out, nullptr};
  polaris_tensor* sequence = nullptr;
  CHECK(message_of(polaris_sequence_create(POLARIS_F32, items, 1, &sequence)) != "");
  CHECK(message_of(polaris_sequence_create(POLARIS_STRING, items, 2, &sequence)) != "");
  CHECK(message_of(polaris_optional_create(POLARIS_SEQUENCE, POLARIS_STRING, out, &sequence)) !=
        "");
  CHECK(sequence == nullptr);
  polaris_tensor_free(out);
}

}  // namespace
