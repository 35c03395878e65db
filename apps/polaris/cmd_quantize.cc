#include <CLI/CLI.hpp>

#include "command.h"
#include "gguf_convert.h"

namespace polaris::cli {
namespace {

class Quantize final : public Action {
 public:
  void declare(CLI::App& app) override {
    app.add_option("model", what_.model, "GGUF file, or the first of several")->required();
    app.add_option("-o,--output", what_.output, "GGUF file to write")->required();
    declare_gguf_options(app, what_, "")->required();
  }

  Status run(const Common& common) override { return convert_gguf(common, what_); }

 private:
  GgufConversion what_;
};

}  // namespace

extern const Command command_quantize;
constinit const Command command_quantize{
    "quantize", "write a GGUF model with smaller weights (`convert` to .gguf)",
    make_action<Quantize>};

}  // namespace polaris::cli
