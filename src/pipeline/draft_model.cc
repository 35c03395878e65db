#include "pipeline/draft_model.h"

#include <algorithm>
#include <string>
#include <utility>

namespace polaris {
namespace {

/// Tokens at the end of a vocabulary that a larger model of a family has and a smaller one lacks,
/// as padding.
constexpr std::int64_t kPaddingMax = 128;
constexpr std::int64_t kTableWidthLeast = 64;  // pages: as of the batcher

Error differs(const std::string& what, const std::string& draft, const std::string& target) {
  return Error::invalid("[draft] " + what + " of the draft model, got " + draft + ", wanted " +
                        target + " as the model has it: both need the same vocabulary");
}

std::string special_text(const std::optional<TokenId>& id) {
  return id ? std::to_string(*id) : "none";
}

StepBuckets buckets_of(const LanguageModel& model) {
  StepBuckets out = model.bounds;
  out.least = 1;
  out.width_least = kTableWidthLeast;
  return out;
}

std::int64_t common_length(std::span<const TokenId> a, std::span<const TokenId> b) {
  const std::size_t most = std::min(a.size(), b.size());
  const auto end = a.begin() + static_cast<std::ptrdiff_t>(most);
  return std::mismatch(a.begin(), end, b.begin()).first - a.begin();
}

}  // namespace

Status check_same_vocabulary(const LanguageModel& target, const LanguageModel& draft) {
  const Vocabulary& a = draft.tokenizer->vocabulary();
  const Vocabulary& b = target.tokenizer->vocabulary();
  if (std::abs(a.size() - b.size()) > kPaddingMax) {
    return differs("count of tokens", std::to_string(a.size()), std::to_string(b.size()));
  }
  for (TokenId id = 0; id < std::min(a.size(), b.size()); ++id) {
    if (a.token(id).text == b.token(id).text) continue;
    return differs("token " + std::to_string(id), "'" + a.token(id).text + "'",
                   "'" + b.token(id).text + "'");
  }
  if (a.bos != b.bos) return differs("BOS", special_text(a.bos), special_text(b.bos));
  if (a.eos != b.eos) return differs("EOS", special_text(a.eos), special_text(b.eos));
  return Status::success();
}

DraftModel::DraftModel(LanguageModel model, std::unique_ptr<Session> session,
                       std::shared_ptr<KvPool> pool, std::int64_t tokens_per_step)
    : model_(std::move(model)),
      session_(std::move(session)),
      pool_(std::move(pool)),
      part_max_(std::min({tokens_per_step, model_.bounds.tokens_max, pool_->step_tokens_max()})),
      inputs_(model_.contract(), pool_, buckets_of(model_)),
      logits_(model_) {}

/// What the text's cache has of it; where the text is another one now, nothing.
void DraftModel::follow(Job& job) {
  DraftText& text = *job.text;
  if (!text.sampler) text.sampler.emplace(*job.sampler);
  const auto most = static_cast<std::int64_t>(job.tokens.size()) - 1;
  const std::int64_t common = std::min(common_length(text.ran, job.tokens), most);
  if (!text.sequence.started() || common < text.sequence.length()) {
    text.sequence = pool_->start();
    text.ran.clear();
    return;
  }
  text.ran.resize(static_cast<std::size_t>(common));
  pool_->commit(text.sequence, common);
}

/// For all but the last of the tokens that it will run; without it there is no draft.
bool DraftModel::make_room(Job& job, Status& status) {
  const auto size = static_cast<std::int64_t>(job.tokens.size());
  const std::int64_t limit = std::min(model_.context_tokens, pool_->tokens_max());
  const std::int64_t lag = size - static_cast<std::int64_t>(job.text->ran.size());
  job.count = std::min({job.count, kCountMax, limit - size + 1, part_max_ - lag + 1});
  if (job.count <= 0) return false;
  const Status reserved = pool_->reserve(job.text->sequence, size + job.count - 1);
  if (reserved) return true;
  if (reserved.error().code() != ErrorCode::kExhausted) status = reserved;
  return false;
}

Status DraftModel::run(std::span<const Part> parts, const RunOptions& options) {
  std::int64_t tokens = 0;
  std::int64_t rows = 0;
  std::vector<const Sequence*> sequences;
  for (const Part& part : parts) {
    DraftText& text = *part.job->text;
    text.ran.reserve(static_cast<std::size_t>(part.end));
    tokens += part.end - static_cast<std::int64_t>(text.ran.size());
    rows += part.logits ? 1 : 0;
    sequences.push_back(&text.sequence);
  }
  auto status = inputs_.begin(tokens, sequences, std::max<std::int64_t>(rows, 1));
  if (!status) return status;
  const auto token_at = [](const Job& job, std::int64_t at) {
    const auto size = static_cast<std::int64_t>(job.tokens.size());
    return at < size ? job.tokens[static_cast<std::size_t>(at)]
                     : (*job.drafts)[static_cast<std::size_t>(at - size)];
  };
  for (std::size_t row = 0; row < parts.size(); ++row) {
    const Part& part = parts[row];
    std::int32_t last = 0;
    for (auto p = static_cast<std::int64_t>(part.job->text->ran.size()); p < part.end; ++p) {
      last = inputs_.add_token(token_at(*part.job, p), p, static_cast<std::int32_t>(row));
    }
    if (part.logits) inputs_.add_logits(last);
  }
  if (status = logits_.run(*session_, inputs_.tensors(), options); !status) return status;
  for (const Part& part : parts) {
    std::vector<TokenId>& ran = part.job->text->ran;
    while (static_cast<std::int64_t>(ran.size()) < part.end) {
      ran.push_back(token_at(*part.job, static_cast<std::int64_t>(ran.size())));
    }
  }
  return Status::success();
}

Status DraftModel::read(std::span<Job> jobs, const RunOptions& options) {
  const std::int64_t limit = std::min(model_.context_tokens, pool_->tokens_max());
  for (Job& job : jobs) {
    follow(job);
    DraftText& text = *job.text;
    const auto size = static_cast<std::int64_t>(job.tokens.size());
    if (size > limit) continue;
    while (size - static_cast<std::int64_t>(text.ran.size()) > kLagMax) {
      const auto begin = static_cast<std::int64_t>(text.ran.size());
      const std::int64_t end = std::min(begin + part_max_, size - 1);
      const Status room = pool_->reserve(text.sequence, end);
      if (!room && room.error().code() == ErrorCode::kExhausted) break;
      if (!room) return room;
      const Part part{&job, end, false};
      if (auto status = run(std::span(&part, 1), options); !status) return status;
      pool_->commit(text.sequence, end);
    }
  }
  return Status::success();
}

Result<TokenId> DraftModel::pick(Job& job, std::int32_t row) {
  text_.assign(job.tokens.begin(), job.tokens.end());
  text_.insert(text_.end(), job.drafts->begin(), job.drafts->end());
  return logits_.sample(row, *job.text->sampler, text_, job.before, nullptr);
}

Status DraftModel::draft(std::span<Job> jobs, const RunOptions& options) {
  std::vector<Job*> writing;
  Status status;
  for (Job& job : jobs) {
    follow(job);
    job.drafts->clear();
    const auto lag = static_cast<std::int64_t>(job.tokens.size() - job.text->ran.size());
    if (lag > kLagMax) continue;
    if (make_room(job, status)) {
      job.drafts->reserve(static_cast<std::size_t>(job.count));
      writing.push_back(&job);
    }
    if (!status) return status;
  }
  std::vector<Part> parts;
  while (!writing.empty()) {
    parts.clear();
    for (Job* job : writing) {
      parts.push_back(
          {job, static_cast<std::int64_t>(job->tokens.size() + job->drafts->size()), true});
    }
    if (status = run(parts, options); !status) return status;
    for (std::size_t row = 0; row < writing.size(); ++row) {
      const auto token = pick(*writing[row], static_cast<std::int32_t>(row));
      if (!token) return token.error();
      writing[row]->drafts->push_back(*token);
    }
    std::erase_if(writing, [](const Job* job) {
      return static_cast<std::int64_t>(job->drafts->size()) >= job->count;
    });
  }
  return Status::success();
}

}  // namespace polaris
