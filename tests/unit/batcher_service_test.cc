// Many texts at once: what waits for what, what is kept of texts that are over, and whose it is.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "backend/cpu/cpu_device.h"
#include "base/os/files.h"
#include "base/strings.h"
#include "support/alloc_counter.h"
#include "support/device_wrapper.h"
#include "support/generation.h"
#include "support/gguf_builder.h"
#include "support/process.h"
#include "support/session_run.h"

namespace polaris {
namespace {

using namespace test;

constexpr std::int64_t kPage = 4;

LanguageModel stories(const std::string& storage = "q8_0") {
  ArchOptions arch;
  arch.page_size = kPage;
  return load_language_model(stories_path(storage), make_runtime({"cpu"}), arch);
}

BatcherOptions retaining(std::int64_t texts = 8) {
  BatcherOptions options;
  options.retained_texts_max = texts;
  return options;
}

GenerateRequest request_of(std::vector<TokenId> prompt, std::int64_t tokens,
                           const std::string& salt = {}) {
  GenerateRequest out;
  out.prompt = std::move(prompt);
  out.max_new_tokens = tokens;
  out.sampler.temperature = 0;
  out.salt = salt;
  return out;
}

std::vector<TokenId> some_ids(std::size_t count, int seed) {
  std::mt19937_64 random(static_cast<std::uint64_t>(seed));
  std::vector<TokenId> out = {1};
  while (out.size() < count) out.push_back(static_cast<TokenId>(300 + random() % 1000));
  return out;
}

/// Prompt tokens that a request had computed.
std::int64_t computed_by(Batcher& batcher, GenerateRequest request, Generated* out = nullptr) {
  const std::int64_t before = batcher.counters().computed_tokens;
  const auto id = batcher.add(std::move(request));
  REQUIRE_MESSAGE(id.ok(), id.error().message());
  std::vector<Generated> got;
  while (!batcher.idle()) {
    auto events = batcher.step();
    REQUIRE_MESSAGE(events.ok(), events.error().message());
    collect(*events, got);
  }
  if (out != nullptr) *out = got.back();
  return batcher.counters().computed_tokens - before;
}

TEST_CASE("batcher: a budget of time keeps running texts going beside long prompts") {
  const LanguageModel model = stories();
  BatcherOptions options;
  options.step_budget_ms = 100;
  // Each step takes a fixed time and some for each token, by a clock of our own.
  Batcher* batcher = nullptr;
  std::int64_t now = 0;
  bool running = false;
  std::vector<double> steps_ms;
  options.clock_ns = [&] {
    if (running) {
      const BatcherCounters& c = batcher->counters();
      steps_ms.push_back(5 + 2.0 * static_cast<double>(c.decoding + c.prompt));
      now += static_cast<std::int64_t>(steps_ms.back() * 1e6);
    }
    running = !running;
    return now;
  };
  TestBatcher test = make_batcher(model, 400, options);
  batcher = test.batcher.get();
  std::vector<Generated> got;
  const auto step = [&] {
    auto events = batcher->step();
    REQUIRE_MESSAGE(events.ok(), events.error().message());
    collect(*events, got);
  };
  REQUIRE(batcher->add(request_of(some_ids(10, 1), 60)));
  for (int i = 0; i < 5; ++i) step();
  REQUIRE(got[0].ids.size() == 5);
  REQUIRE(batcher->add(request_of(some_ids(450, 2), 3)));
  for (int i = 0; i < 4; ++i) step();
  CHECK(got[0].ids.size() == 9);  // one a step, with the long prompt beside it
  REQUIRE(got.size() == 1);
  REQUIRE(batcher->add(request_of(some_ids(20, 3), 3)));
  for (int i = 0; i < 3; ++i) step();
  REQUIRE(got.size() == 3);
  CHECK(got[2].ids.size() >= 1);
  CHECK(got[1].ids.empty());
  CHECK(got[0].ids.size() == 12);
  while (!batcher->idle()) step();
  CHECK(got[1].ids.size() == 3);
  for (std::size_t i = 1; i < steps_ms.size(); ++i) CHECK(steps_ms[i] <= 150);
  CHECK(*std::max_element(steps_ms.begin(), steps_ms.end()) > 60);
}

TEST_CASE("batcher: texts are the same whatever the budget and the neighbours") {
  const LanguageModel model = stories();
  std::vector<std::vector<TokenId>> alone;
  const auto prompt_of = [](int i) { return some_ids(static_cast<std::size_t>(10 + 37 * i), i); };
  for (int i = 0; i < 4; ++i) {
    TestBatcher test = make_batcher(model);
    alone.push_back(generate(*test.batcher, request_of(prompt_of(i), 12)).ids);
  }
  for (const double budget : {0.0, 1e-3, 1e6}) {
    BatcherOptions options = retaining();
    options.step_budget_ms = budget;
    TestBatcher test = make_batcher(model, 300, options);
    std::vector<Generated> got;
    for (int i = 0; i < 4; ++i) REQUIRE(test.batcher->add(request_of(prompt_of(i), 12)));
    while (!test.batcher->idle()) {
      auto events = test.batcher->step();
      REQUIRE(events);
      collect(*events, got);
    }
    for (std::size_t i = 0; i < 4; ++i) CHECK(got[i].ids == alone[i]);
  }
}

TEST_CASE("prefix cache: a prompt seen before costs one token's work") {
  const LanguageModel model = stories();
  TestBatcher test = make_batcher(model, 0, retaining());
  const auto prompt = some_ids(101, 1);
  Generated first;
  Generated second;
  CHECK(computed_by(*test.batcher, request_of(prompt, 8), &first) == 101);
  CHECK(test.batcher->retained_texts() == 1);
  CHECK(test.pool->free_pages() < test.pool->page_count());
  CHECK(computed_by(*test.batcher, request_of(prompt, 8), &second) == 1);
  CHECK(first.ids == second.ids);
  CHECK(test.batcher->retained_texts() == 1);  // not twice
  // A longer one: what is new, and the token that was picked last, which was never run.
  auto longer = prompt;
  longer.insert(longer.end(), first.ids.begin(), first.ids.end());
  longer.insert(longer.end(), {400, 401, 402});
  CHECK(computed_by(*test.batcher, request_of(longer, 4)) == 4);
  // One that parts from it early.
  auto other = prompt;
  other[50] = 299;
  CHECK(computed_by(*test.batcher, request_of(other, 4)) == 51);
  // Without retaining all is computed, and all pages are free.
  TestBatcher plain = make_batcher(model);
  CHECK(computed_by(*plain.batcher, request_of(prompt, 8)) == 101);
  CHECK(computed_by(*plain.batcher, request_of(prompt, 8)) == 101);
  CHECK(plain.pool->free_pages() == plain.pool->page_count());
}

TEST_CASE("prefix cache: two salts never share, running or retained") {
  const LanguageModel model = stories();
  TestBatcher test = make_batcher(model, 200, retaining());
  const auto prompt = some_ids(60, 1);
  CHECK(computed_by(*test.batcher, request_of(prompt, 4, "a")) == 60);
  CHECK(computed_by(*test.batcher, request_of(prompt, 4, "b")) == 60);
  CHECK(computed_by(*test.batcher, request_of(prompt, 4, "")) == 60);
  CHECK(computed_by(*test.batcher, request_of(prompt, 4, "a")) == 1);
  CHECK(test.batcher->retained_texts() == 3);
  // Beside one that runs.
  TestBatcher running = make_batcher(model, 200);
  REQUIRE(running.batcher->add(request_of(prompt, 40, "a")));
  REQUIRE(running.batcher->step());
  CHECK(computed_by(*running.batcher, request_of(prompt, 4, "b")) == 60);
  GenerateRequest long_salt = request_of(prompt, 4, std::string(1025, 'x'));
  CHECK(running.batcher->add(long_salt).error().code() == ErrorCode::kInvalid);
}

TEST_CASE("prefix cache: the least recently used gives way, and running texts get their pages") {
  const LanguageModel model = stories();
  TestBatcher test = make_batcher(model, 60, retaining());  // 240 tokens
  const auto a = some_ids(80, 1);
  const auto b = some_ids(80, 2);
  const auto c = some_ids(100, 3);
  Batcher& batcher = *test.batcher;
  CHECK(computed_by(batcher, request_of(a, 4)) == 80);
  CHECK(computed_by(batcher, request_of(b, 4)) == 80);
  CHECK(computed_by(batcher, request_of(a, 4)) == 1);  // now b is older
  CHECK(computed_by(batcher, request_of(c, 4)) == 100);
  CHECK(computed_by(batcher, request_of(a, 4)) == 1);
  const std::int64_t rest = computed_by(batcher, request_of(b, 4));
  CHECK(rest > 1);
  CHECK(rest < 80);  // its end went first
  CHECK(batcher.counters().preempted == 0);
  // A text as long as the pool, with all of it retained by others.
  Generated whole;
  computed_by(batcher, request_of(some_ids(230, 4), 300), &whole);
  CHECK(whole.finish == FinishReason::kCache);
  CHECK(230 + whole.ids.size() == 241);
  // No more texts than it may keep.
  TestBatcher few = make_batcher(model, 200, retaining(2));
  for (int i = 0; i < 4; ++i) computed_by(*few.batcher, request_of(some_ids(40, i), 2));
  CHECK(few.batcher->retained_texts() == 2);
  CHECK(computed_by(*few.batcher, request_of(some_ids(40, 3), 2)) == 1);
  CHECK(computed_by(*few.batcher, request_of(some_ids(40, 0), 2)) == 40);
}

TEST_CASE("prefix cache: what gives way is never a running text's") {
  const LanguageModel model = stories();
  GenerateRequest story = request_of(some_ids(60, 1), 150);
  TestBatcher lonely = make_batcher(model);
  const std::vector<TokenId> alone = generate(*lonely.batcher, story).ids;
  TestBatcher test = make_batcher(model, 100, retaining());  // 400 tokens
  Batcher& batcher = *test.batcher;
  std::vector<Generated> got;
  std::int64_t least_free = test.pool->page_count();
  REQUIRE(batcher.add(story));
  // Others come and go beside it, each with half of the pool.
  for (int other = 0; !batcher.idle();) {
    if (batcher.running() < 2 && other < 10)
      REQUIRE(batcher.add(request_of(some_ids(150, 10 + other++), 6)));
    auto events = batcher.step();
    REQUIRE_MESSAGE(events.ok(), events.error().message());
    collect(*events, got);
    least_free = std::min(least_free, test.pool->free_pages());
  }
  REQUIRE(got.size() == 11);
  CHECK(got[0].ids == alone);
  for (const Generated& text : got) CHECK(text.finish == FinishReason::kLength);
  CHECK(batcher.counters().preempted == 0);
  CHECK(batcher.retained_texts() >= 1);
  CHECK(least_free <= 8);  // it was full of texts that are over
}

/// Sixteen texts that come one after the other, where three whole contexts have room.
struct Pressure {
  std::string name;
  std::uint64_t prompt_max;
  std::int64_t tokens_max;
  std::int64_t retained;
};

BatcherCounters check_pressure(const LanguageModel& model, const Pressure& pressure,
                               std::uint64_t seed) {
  BatcherOptions options = retaining(pressure.retained);
  options.tokens_per_step = 64;
  TestBatcher test = make_batcher(model, 3 * model.context_tokens / kPage, options);
  Batcher& batcher = *test.batcher;
  std::mt19937_64 random(seed);
  std::vector<GenerateRequest> asked;
  std::vector<Generated> got;
  std::uint64_t wait = 0;
  std::int64_t most_running = 0;
  while (asked.size() < 16 || !batcher.idle()) {
    if (asked.size() < 16 && wait-- == 0) {
      const std::size_t length = 20 + random() % (pressure.prompt_max - 19);
      asked.push_back(request_of(
          some_ids(length, static_cast<int>(asked.size())),
          std::min<std::int64_t>(pressure.tokens_max,
                                 model.context_tokens - static_cast<std::int64_t>(length))));
      REQUIRE(batcher.add(asked.back()));
      wait = random() % 8;
    }
    auto events = batcher.step();
    REQUIRE_MESSAGE(events.ok(), events.error().message());
    collect(*events, got);
    most_running = std::max(most_running, batcher.running());
  }
  REQUIRE(got.size() == 16);
  for (std::size_t i = 0; i < got.size(); ++i) {
    CHECK(got[i].finish == FinishReason::kLength);
    CHECK(std::ssize(got[i].ids) == asked[i].max_new_tokens);
  }
  const BatcherCounters& counters = batcher.counters();
  MESSAGE(pressure.name << ": " << most_running << " at once, " << counters.preempted
                        << " pushed out, one " << counters.preempted_most << " times, "
                        << counters.recomputed_tokens << " tokens computed again, "
                        << counters.run_tokens << " run in all");
  CHECK(most_running >= 3);
  CHECK(counters.preempted_most <= 2);
  TestBatcher alone = make_batcher(model);
  for (const std::size_t i : {std::size_t{0}, std::size_t{7}, std::size_t{15}}) {
    CHECK(generate(*alone.batcher, asked[i]).ids == got[i].ids);
    alone = make_batcher(model);
  }
  return counters;
}

TEST_CASE("batcher: sixteen texts in a cache for three all finish, with little computed again") {
  const LanguageModel model = stories();
  REQUIRE(model.context_tokens == 512);
  std::int64_t preempted = 0;
  for (const Pressure& pressure : {Pressure{"prompts", 450, 60, 16}, Pressure{"both", 250, 250, 16},
                                   Pressure{"answers", 40, 470, 16}}) {
    for (const std::uint64_t seed : {1, 2}) {
      const BatcherCounters counters = check_pressure(model, pressure, seed);
      preempted += counters.preempted;
      CHECK(counters.recomputed_tokens * 10 <= counters.run_tokens);
    }
  }
  CHECK(preempted > 0);
  // What is pushed out is all lost here.
  check_pressure(model, {"nothing retained", 40, 470, 0}, 3);
}

TEST_CASE("prefix cache: a chat of ten turns computes at most 15 % of its prompt tokens") {
  const LanguageModel model = stories();
  TestBatcher test = make_batcher(model, 0, retaining(2));
  Batcher& batcher = *test.batcher;
  std::vector<TokenId> chat;
  std::int64_t computed = 0;
  std::int64_t prompts = 0;
  for (int turn = 0; turn < 10; ++turn) {
    const auto message = some_ids(20, turn);
    chat.insert(chat.end(), message.begin(), message.end());
    Generated answer;
    computed += computed_by(batcher, request_of(chat, 24), &answer);
    prompts += static_cast<std::int64_t>(chat.size());
    chat.insert(chat.end(), answer.ids.begin(), answer.ids.end());
  }
  MESSAGE(computed << " of " << prompts << " prompt tokens computed");
  CHECK(prompts == batcher.counters().prompt_tokens);
  CHECK(static_cast<double>(computed) <= 0.15 * static_cast<double>(prompts));
}

TEST_CASE("batcher: what cannot be sampled is refused before it waits") {
  const LanguageModel model = stories();
  TestBatcher test = make_batcher(model);
  GenerateRequest request = request_of(some_ids(5, 1), 4);
  request.sampler.top_p = -1;
  CHECK(test.batcher->add(request).error().code() == ErrorCode::kInvalid);
  request.sampler.top_p = 1;
  request.sampler.logit_bias = {{static_cast<TokenId>(model.vocabulary), 1}};
  CHECK(test.batcher->add(request).error().code() == ErrorCode::kInvalid);
  CHECK(test.batcher->idle());
}

/// Fails one submit in so many, when it is told to.
class FlakyDevice final : public DeviceWrapper {
 public:
  using DeviceWrapper::DeviceWrapper;
  Result<Fence> submit(Executable& executable, const SubmitArgs& args) override {
    if (fails_in > 0 && --fails_in == 0) return Error::device("[flaky] lost");
    return DeviceWrapper::submit(executable, args);
  }
  int fails_in = 0;
};

LanguageModel tiny_model(std::shared_ptr<Runtime> runtime) {
  const TemporaryFolder folder;
  TinyLlama sizes;
  sizes.context = 64;
  GgufBuilder builder = tiny_llama(sizes);
  add_tokenizer(builder, sizes);
  const std::vector<std::byte> file = builder.file();
  const std::string path = folder.file("tiny.gguf");
  REQUIRE(write_file(path, {reinterpret_cast<const char*>(file.data()), file.size()}));
  ArchOptions arch;
  arch.page_size = kPage;
  return load_language_model(path, std::move(runtime), arch);
}

/// A prompt that begins as many others do.
std::vector<TokenId> crowd_prompt(std::mt19937_64& random) {
  std::vector<TokenId> out;
  const std::uint64_t family = random() % 4;
  const std::uint64_t length = 1 + random() % 40;
  for (std::uint64_t i = 0; i < length; ++i) {
    const bool strays = i > 20 || random() % 50 == 0;
    out.push_back(static_cast<TokenId>(strays ? random() % 24 : (family * 7 + i * 5) % 24));
  }
  return out;
}

GenerateRequest crowd_request(std::mt19937_64& random, bool early) {
  const std::string salt(1, random() % 2 == 0 ? 'a' : 'b');
  GenerateRequest out =
      request_of(crowd_prompt(random), static_cast<std::int64_t>(1 + random() % 12), salt);
  if (early || random() % 2 == 0) out.max_new_tokens = 50;
  if (early) out.end_tokens = {3, 4, 5, 6, 7, 8};
  out.sampler.temperature = 1;
  out.sampler.seed = random();
  return out;
}

/// Thousands of arrivals, cancels and failures, of the device and of memory. No page is lost,
/// nothing stands still, and what finishes is what it would have been alone. With drafts, looked up
/// and of a model whose cache has hardly room for two, and with contexts that run full.
void check_crowd(std::int64_t pages, std::int64_t retained, std::uint64_t seed, int arrivals,
                 bool drafts = false) {
  auto cpu = make_cpu_device({});
  REQUIRE(cpu);
  std::vector<std::unique_ptr<Device>> devices;
  auto flaky = std::make_unique<FlakyDevice>(cpu.take());
  FlakyDevice* device = flaky.get();
  devices.push_back(std::move(flaky));
  const LanguageModel model =
      tiny_model(std::make_shared<Runtime>(std::move(devices), 1, OpSet::builtin()));
  BatcherOptions options = retaining(retained);
  options.sequences_max = 6;
  options.step_budget_ms = 1e-3;  // the least chunks
  options.bucket_min = 64;        // one plan for all
  const BatcherOptions without = options;
  options.speculation = {.draft_tokens = 4, .lookup_tokens = drafts ? 2 : 0, .adaptive = false};
  TestBatcher test = make_batcher(model, pages, options);
  TestBatcher draft = make_batcher(model, 16, {});
  if (drafts) {
    auto session = Session::create(model.program, draft.pool);
    REQUIRE(session);
    REQUIRE(test.batcher->set_draft_model(
        std::make_unique<DraftModel>(model, session.take(), draft.pool, 32)));
  }
  std::mt19937_64 random(seed);
  std::map<RequestId, GenerateRequest> asked;
  std::map<RequestId, std::vector<TokenId>> texts;
  std::vector<RequestId> finished;
  std::int64_t failures = 0;
  std::int64_t cancelled = 0;
  int idle_steps = 0;
  for (int arrived = 0; arrived < arrivals || !test.batcher->idle();) {
    for (; arrived < arrivals && random() % 2 == 0; ++arrived) {
      // For a while texts end early, so that more are let in than have room; then none does.
      GenerateRequest request = crowd_request(random, arrived / 40 % 2 == 0);
      if (drafts && random() % 8 == 0) {
        request.max_new_tokens = 60;
        request.shift_keep = static_cast<std::int64_t>(random() % 8);
      }
      const auto id = test.batcher->add(request);
      REQUIRE_MESSAGE(id.ok(), id.error().message());
      asked[*id] = std::move(request);
    }
    if (random() % 16 == 0) {
      // One of the last: most of those before are over.
      const std::uint64_t back = random() % std::min<std::size_t>(asked.size(), 16);
      const auto any = static_cast<RequestId>(asked.size() - back);
      if (test.batcher->cancel(any)) ++cancelled;
    }
    device->fails_in = random() % 40 == 0 ? 1 : 0;
    const bool memory_ends = AllocCounter::available() && random() % 10 == 0;
    const auto nth = static_cast<std::int64_t>(random() % 60);
    try {
      std::optional<AllocFailure> failure;
      if (memory_ends) failure.emplace(nth);
      auto events = test.batcher->step();
      failure.reset();
      if (!events) ++failures;
      idle_steps = events && events->empty() ? idle_steps + 1 : 0;
      REQUIRE(idle_steps < 100);
      for (std::size_t e = 0; events && e < events->size(); ++e) {
        const TokenEvent& event = (*events)[e];
        if (event.token >= 0) texts[event.request].push_back(event.token);
        if (event.finish != FinishReason::kNone) finished.push_back(event.request);
        REQUIRE(event.finish != FinishReason::kCache);
      }
    } catch (const std::bad_alloc&) {
      ++failures;
    }
  }
  device->fails_in = 0;
  const BatcherCounters counters = test.batcher->counters();
  MESSAGE(finished.size() << " finished, " << cancelled << " cancelled, " << failures
                          << " failures, " << counters.preempted << " preempted, "
                          << counters.recomputed_tokens << " tokens computed again, "
                          << test.batcher->retained_texts() << " texts retained");
  CHECK(failures > arrivals / 100);
  CHECK(cancelled > arrivals / 100);
  CHECK(static_cast<std::int64_t>(finished.size()) + cancelled == arrivals);
  CHECK((retained == 0) == (test.pool->free_pages() == test.pool->page_count()));
  test.batcher.reset();
  CHECK(test.pool->free_pages() == test.pool->page_count());
  CHECK(draft.pool->free_pages() == draft.pool->page_count());
  CHECK((counters.accepted > 100) == drafts);
  CHECK((counters.shifts > 0) == drafts);
  TestBatcher alone = make_batcher(model, 16, without);
  for (std::size_t i = 0; i < finished.size(); i += finished.size() / 40 + 1) {
    CAPTURE(finished[i]);
    CHECK(generate(*alone.batcher, asked[finished[i]]).ids == texts[finished[i]]);
    alone = make_batcher(model, 16, without);
  }
}

TEST_CASE("batcher: no page is lost among thousands of arrivals, cancels and failures") {
  check_crowd(60, 0, 1, 1000);
  check_crowd(60, 5, 2, 3000);
  // Hardly room for two: texts give their pages back.
  check_crowd(16, 5, 3, 1000);
  check_crowd(16, 64, 4, 1000);
}

/// A number that the soak shards set.
std::int64_t number_of(const char* variable, std::int64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? parse_i64(text).value_or(otherwise) : otherwise;
}

TEST_CASE("batcher: no page is lost in as many arrivals as are asked for") {
  const auto arrivals = static_cast<int>(number_of("POLARIS_CROWD_ARRIVALS", 400));
  const auto seed = static_cast<std::uint64_t>(number_of("POLARIS_CROWD_SEED", 100));
  check_crowd(16 + static_cast<std::int64_t>(seed % 3) * 22, 5, seed, arrivals, seed % 2 == 1);
}

TEST_CASE("batcher: no page is lost among drafts, full contexts, cancels and failures") {
  check_crowd(60, 5, 5, 1000, true);
  check_crowd(60, 0, 6, 500, true);
  check_crowd(20, 5, 7, 1000, true);
}

}  // namespace
}  // namespace polaris
