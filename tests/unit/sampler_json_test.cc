#include "pipeline/sampler_json.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

namespace polaris {
namespace {

TEST_CASE("a sampler's file sets what it names and leaves the rest") {
  SamplerOptions base;
  base.min_p = 0.5f;
  const auto read = read_sampler_json(
      R"({"temperature": 0.25, "top_k": 7, "top_p": 0.5, "typical_p": 0.75, "mirostat": 2,
          "repetition_penalty": 1.5, "frequency_penalty": -1, "presence_penalty": 2,
          "penalty_window": 0, "mirostat_tau": 3, "mirostat_eta": 1e-1,
          "seed": 18446744073709551615, "sequence": 4, "logit_bias": {"5": -1.5, "7": false}})",
      base);
  REQUIRE_MESSAGE(read, read.error().message());
  const SamplerOptions& o = *read;
  CHECK(o.temperature == 0.25f);
  CHECK(o.top_k == 7);
  CHECK(o.top_p == 0.5f);
  CHECK(o.typical_p == 0.75f);
  CHECK(o.min_p == 0.5f);
  CHECK(o.repetition_penalty == 1.5f);
  CHECK(o.frequency_penalty == -1);
  CHECK(o.presence_penalty == 2);
  CHECK(o.penalty_window == 0);
  CHECK(o.mirostat == 2);
  CHECK(o.mirostat_tau == 3);
  CHECK(o.mirostat_eta == 0.1f);
  CHECK(o.seed == 18446744073709551615u);
  CHECK(o.sequence == 4);
  REQUIRE(o.logit_bias.size() == 2);
  CHECK(o.logit_bias[0].id == 5);
  CHECK(o.logit_bias[0].bias == -1.5f);
  CHECK(o.logit_bias[1].id == 7);
  CHECK(std::isinf(o.logit_bias[1].bias));
}

TEST_CASE("a sampler's file is strict") {
  const auto refused = [](const std::string& text, std::string_view what) {
    const auto read = read_sampler_json(text, {});
    CAPTURE(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code() == ErrorCode::kInvalid);
    CHECK_MESSAGE(read.error().message().find(what) != std::string::npos, read.error().message());
  };
  refused("", "[sampler]");
  refused("[]", "got no object");
  refused(R"({"temprature": 1})", "'temprature'");
  refused(R"({"top_k": 1, "top_k": 2})", "'top_k' twice");
  refused(R"({"top_k": 1.5})", "wanted a whole number");
  refused(R"({"top_k": 99999999999})", "wanted a whole number");
  refused(R"({"top_k": "7"})", "got no number");
  refused(R"({"temperature": null})", "got no number");
  refused(R"({"temperature": 1e300})", "temperature, got inf, wanted 0 to 1000");
  refused(R"({"top_p": 1.01})", "top_p");
  refused(R"({"seed": -1})", "seed");
  refused(R"({"logit_bias": [1]})", "logit_bias");
  refused(R"({"logit_bias": {"x": 1}})", "'x'");
  refused(R"({"logit_bias": {"5": true}})", "wanted a number or false");
  refused(R"({"logit_bias": {"5": 1, "05": 1}})", "token 5, got two");
  refused(R"({"mirostat": 1, "temperature": 0})", "mirostat draws");
}

}  // namespace
}  // namespace polaris
