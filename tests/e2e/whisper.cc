// Whisper base as a folder of Hugging Face's against faster-whisper's float32 run of the same
// weights (../shared/models/reference). POLARIS_MODELS names the folder in which the shared
// get_models.py has laid it out.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "load/load.h"
#include "support/generation.h"
#include "support/session_run.h"
#include "support/shared_files.h"
#include "support/skip.h"
#include "tensor/element.h"
#include "wire/value_file.h"

namespace polaris {
namespace {

using namespace test;
using Arrays = std::map<std::string, Tensor, std::less<>>;

struct Reference {
  std::string folder;
  Tensor source;  // [1500, 160]: two frames a position
  Tensor encoded;
  std::vector<TokenId> prompt;
  std::vector<TokenId> ids;
  std::vector<TokenId> never;  // what the peer did not pick from
};

Tensor array_of(const std::string& path, const std::string& wanted, DType dtype) {
  auto arrays = load_npz(path, [&](const std::string& name) -> Result<DType> {
    return name.ends_with("_ids") ? DType::kI64 : dtype;
  });
  REQUIRE_MESSAGE(arrays, arrays.error().message());
  for (auto& [name, tensor] : *arrays) {
    if (name == wanted) return std::move(tensor);
  }
  FAIL("no ", wanted, " in ", path);
  return {};
}

std::vector<TokenId> ids_of(const std::string& path, const std::string& name) {
  const Tensor ids = array_of(path, name, DType::kF32);
  std::vector<TokenId> out;
  for (std::int64_t i = 0; i < ids.elements(); ++i) {
    out.push_back(static_cast<TokenId>(element_as_i64(ids, i)));
  }
  return out;
}

/// Frames after one another, two of them a row.
Tensor frames_of(const Tensor& bands) {
  const std::int64_t count = bands.shape()[0];
  const std::int64_t frames = bands.shape()[1];
  auto out = Tensor::allocate(DType::kF32, Shape{frames / 2, 2 * count});
  REQUIRE(out);
  for (std::int64_t f = 0; f < frames; ++f) {
    for (std::int64_t c = 0; c < count; ++c) {
      out->mutable_data<float>()[f * count + c] = bands.data<float>()[c * frames + f];
    }
  }
  return out.take();
}

std::optional<Reference> read_reference() {
  const char* models = std::getenv("POLARIS_MODELS");
  if (models == nullptr) return skip("POLARIS_MODELS is not set"), std::nullopt;
  Reference out;
  out.folder = std::string(models) + "/whisper-base";
  if (path_kind(out.folder) == PathKind::kMissing) {
    return skip(out.folder + " is not there"), std::nullopt;
  }
  const auto arrays = shared_file("models/reference/whisper-base__jfk.npz");
  if (!arrays) return std::nullopt;
  out.source = frames_of(array_of(*arrays, "log_mel", DType::kF32));
  out.encoded = array_of(*arrays, "encoder_output", DType::kF32);
  out.prompt = ids_of(*arrays, "prompt_ids");
  out.ids = ids_of(*arrays, "greedy_ids");
  const auto config = read_file(out.folder + "/config.json", 1 << 20);
  REQUIRE(config);
  out.never = nlohmann::json::parse(*config).at("suppress_tokens").get<std::vector<TokenId>>();
  return out;
}

LanguageModel open(const Reference& reference, const std::string& device) {
  ArchOptions arch;
  arch.kv_type = KvType::kF32;
  return load_language_model(reference.folder, make_runtime({device}), arch);
}

void check_encoder(const Reference& reference, const LanguageModel& model) {
  auto pool = KvPool::create(model.program, 1);
  REQUIRE_MESSAGE(pool, pool.error().message());
  auto session = Session::create(model.program, *pool);
  REQUIRE_MESSAGE(session, session.error().message());
  const std::int64_t positions = reference.source.shape()[0];
  auto slots = Tensor::allocate(DType::kI32, Shape{positions});
  REQUIRE(slots);
  std::fill_n(slots->mutable_data<std::int32_t>(), positions, -1);  // kept nowhere
  Bindings bindings;
  bindings.input("source", reference.source);
  bindings.input("slots", slots.take());
  bindings.output("hidden");
  std::vector<Tensor> outputs;
  const Status status = (*session)->run("encoder", bindings, outputs);
  REQUIRE_MESSAGE(status, status.error().message());
  REQUIRE(outputs.size() == 1);
  const Tensor want = reference.encoded.reshaped(outputs[0].shape());
  const double off = max_difference(outputs[0], want) / largest_magnitude(want);
  MESSAGE("encoder: off by " << off << " of the largest");
  CHECK(off <= 1e-3);
}

void check_decoder(const Reference& reference, const LanguageModel& model) {
  TestBatcher test = make_batcher(model, 128);  // of 16 positions
  GenerateRequest request;
  request.prompt = reference.prompt;
  request.forced = reference.ids;
  request.max_new_tokens = static_cast<std::int64_t>(reference.ids.size());
  request.source = reference.source;
  const Generated got = generate(*test.batcher, std::move(request));
  REQUIRE(got.logits.size() == reference.ids.size());
  std::size_t same = 0;
  for (std::size_t step = 0; step < got.logits.size(); ++step) {
    std::vector<float> logits = got.logits[step];
    for (const TokenId id : reference.never) logits.at(static_cast<std::size_t>(id)) = -1e30f;
    const auto best = static_cast<TokenId>(std::ranges::max_element(logits) - logits.begin());
    same += best == reference.ids[step] ? 1 : 0;
  }
  MESSAGE("decoder: the peer's token is the likeliest in " << same << " of " << got.logits.size()
                                                           << " steps");
  CHECK(same == got.logits.size());
}

void check_whisper(const std::string& device) {
  const auto reference = read_reference();
  if (!reference || !make_runtime({device})) return;
  const LanguageModel model = open(*reference, device);
  check_encoder(*reference, model);
  check_decoder(*reference, model);
}

}  // namespace

TEST_CASE("Whisper base encodes and decodes as its peer does, on the cpu") { check_whisper("cpu"); }

}  // namespace polaris
