#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
#include <string>

#include "base/os/environment.h"
#include "command.h"
#include "context_table.h"
#include "generator.h"
#include "ir/nested.h"
#include "load/load.h"
#include "model_io.h"
#include "session/cache_groups.h"
#include "session/estimate_memory.h"
#include "session/page_row.h"
#include "simulated.h"
#include "size_option.h"

namespace polaris::cli {
namespace {

/// Nodes by op, subgraphs included.
void count_ops(const Graph& root, std::map<std::string, std::int64_t>& counts) {
  for (const Graph* graph : graphs_within(root)) {
    for (NodeId id : graph->order()) ++counts[op_full_name(*graph->node(id).op)];
  }
}

void write_values(JsonWriter& json, const Graph& graph, const std::vector<ValueId>& ids,
                  const std::vector<std::string>* names) {
  json.begin_array();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Value& value = graph.value(ids[i]);
    json.begin_object().field("name", names != nullptr ? (*names)[i] : value.name);
    write_kind(json, value.type.kind);
    json.field("dtype", dtype_name(value.type.dtype)).key("shape");
    write_shape(json, graph, value.type.shape);
    json.end_object();
  }
  json.end_array();
}

class Inspect final : public Action {
 public:
  void declare(CLI::App& app) override {
    declare_generator(app, generator_);
    app.add_option("--function", function_, "function to look at");
    app.add_flag("--weights", weights_, "list every tensor of the file");
    app.add_option("--gpu", gpu_,
                   "simulate a run on rx470, rx480, rx570, rx580 or rx590, with :MHz for another "
                   "clock; no card is needed");
    app.add_flag("--fit", fit_only_,
                 "with --gpu: say what fits at which context, and simulate nothing");
    app.add_option("--programs", programs_,
                   "machine code for --gpu: what is compiled is added to this file, and taken from "
                   "it where Mesa's driver is missing (default: polaris10.programs beside polaris, "
                   "read only)");
  }

  Status run(const Common& common) override {
    auto opened = open(common);
    if (!opened) return opened.error();
    Model& model = opened->model;
    Graph graph;
    const bool runnable = !model.functions.empty();
    std::vector<std::string> functions;
    for (const auto& [name, unused] : model.functions) functions.push_back(name);
    std::vector<MemoryUse> memory;
    std::string memory_reason;
    if (runnable) {
      auto taken = take_function(model, function_);
      if (!taken) return taken.error().with_context("'" + generator_.model + "'");
      graph = taken.take();
      auto types = input_types(*opened, graph, common);
      if (!types) return types.error();
      auto use = estimate_memory(*opened->runtime, graph, *types, cached_tokens_, opened->options);
      if (use) {
        memory = use.take();
      } else {
        memory_reason = use.error().message();
      }
    }
    if (runnable && model.decoder && graph.name == "main") {
      if (auto status = fit_contexts(common, *opened); !status) {
        return status.error().with_context("'" + generator_.model + "'");
      }
      if (const ContextRow* row = asked_row(); row != nullptr && gpu_.empty()) {
        memory = row->fit.memory;
        memory_reason.clear();
      }
    }
    std::vector<SimulatedRun> runs;
    if (timer_ != nullptr && runnable) {
      auto made = runs_of(*opened, graph, common);
      if (!made) return made.error();
      runs = made.take();
      auto done = simulate(common, *timer_, *opened, graph, cached_tokens_, runs);
      if (!done) return done.error().with_context("'" + generator_.model + "'");
      if (!programs_.empty()) {
        if (auto saved = compiled_->save(programs_); !saved) return saved;
      }
    }
    if (common.json) {
      print_json(model, graph, functions, memory, memory_reason, runs);
    } else {
      print_text(model, graph, functions, memory, memory_reason);
      for (const ContextTable& table : tables_) print_contexts(table);
      if (!runs.empty()) print_simulated(*timer_, runs);
    }
    return Status::success();
  }

 private:
  /// A language model is planned for a full prompt step over a cache of --context tokens, other
  /// models for the sizes that --dim gives.
  Result<std::vector<TensorType>> input_types(const Opened& opened, const Graph& graph,
                                              Common common) {
    if (opened.model.decoder && graph.name == "main") {
      // The model was built for no more positions than --context.
      cached_tokens_ = trained_context(opened.model).value_or(0);
      const std::int64_t step = BatcherOptions{}.tokens_per_step;
      const std::int64_t tokens = bucket_of(std::min(cached_tokens_, step), 1, step);
      std::vector<std::string> sizes = decoder_dims(graph, *opened.model.decoder, tokens);
      // Before those of --dim, which win.
      common.dims.insert(common.dims.begin(), sizes.begin(), sizes.end());
    }
    return concrete_inputs(graph, common);
  }

  static std::string dim_name(const Graph& graph, std::size_t input, int axis) {
    const std::int64_t dim = graph.value(graph.inputs()[input]).type.shape[axis];
    return is_symbol_dim(dim) ? graph.symbols()[static_cast<std::size_t>(symbol_of(dim))].name : "";
  }

  /// `NAME=SIZE` of the dims of a step: its tokens, and the pages of rows that hold the context.
  std::vector<std::string> decoder_dims(const Graph& graph, const DecoderContract& contract,
                                        std::int64_t tokens) const {
    std::vector<std::string> out;
    const auto add = [&](const std::string& name, std::int64_t size) {
      if (!name.empty()) out.push_back(name + "=" + std::to_string(size));
    };
    add(dim_name(graph, contract.tokens, 0), tokens);
    const CacheNeed need{1, cached_tokens_, tokens, 1};
    const std::vector<std::int64_t> pages = pages_for(contract.groups, need);
    for (std::size_t g = 0; g < pages.size(); ++g) {
      add(dim_name(graph, contract.groups[g].block_table, 1), pages[g]);
    }
    return out;
  }

  /// Machine code that came with the program; "" where none did.
  static std::string shipped() {
    std::error_code none;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", none);
    const auto path = self.parent_path() / "polaris10.programs";
    return !none && std::filesystem::is_regular_file(path, none) ? path.string() : "";
  }

  /// Memory of the cards that a name stands for.
  std::vector<std::int64_t> card_sizes(const Common& common) const {
    if (!common.vram.empty()) return {parse_size(common.vram).value_or(0)};
    return {std::int64_t{8} << 30, std::int64_t{4} << 30};
  }

  /// What a program may use of a card that also draws the desktop.
  static std::int64_t card_budget(std::int64_t bytes, const Common& common) {
    constexpr std::int64_t kDesktopBytes = std::int64_t{512} << 20;
    constexpr std::int64_t kStagingBytes = std::int64_t{16} << 20;
    std::int64_t keep = std::max(kDesktopBytes, bytes / 10);
    if (common.gpu_share > 0) {
      keep = bytes - static_cast<std::int64_t>(static_cast<double>(bytes) * common.gpu_share);
    }
    return std::max<std::int64_t>(bytes - keep - kStagingBytes, 0);
  }

  /// Each context is planned as a model that is loaded for it.
  Status fit_contexts(const Common& common, const Opened& opened) {
    const auto load = [&](std::int64_t context) {
      GenerationOptions generation = generation_options(generator_);
      ArchOptions arch = generator_arch_options(generation);
      arch.context_max = context;
      return open_model_on(opened.runtime, common, generator_.model, arch);
    };
    auto longest = load(0);
    if (!longest) return longest.error();
    const auto most = trained_context(longest->model);
    if (!most) return Status::success();
    FitOptions fitting;
    fitting.program = opened.options;
    const auto fit_at = [&](std::int64_t context, bool all) -> Result<std::optional<LayerFit>> {
      auto model = load(context);
      if (!model) return model.error();
      GenerationOptions generation = generation_options(generator_);
      generation.context = context;
      fitting.layers = all ? std::optional(INT64_MAX) : generation.gpu_layers;
      return fit_layers(*opened.runtime, model->model, fit_need(model->model, generation), fitting);
    };
    const auto add = [&](const std::string& card) -> Status {
      auto table = context_table(*most, cached_tokens_, fit_at);
      if (!table) return table.error();
      table->card = card;
      if (!table->rows.empty()) tables_.push_back(table.take());
      return Status::success();
    };
    if (gpu_.empty()) return add("");
    for (const std::int64_t bytes : card_sizes(common)) {
      fitting.capacity_bytes = {card_budget(bytes, common), capacity_of(*opened.runtime, 1)};
      const std::string name = gpu_.substr(0, gpu_.find(':'));
      if (auto status = add(name + ", " + bytes_text(bytes)); !status) return status;
    }
    return Status::success();
  }

  /// What fits at the context that was asked for.
  const ContextRow* asked_row() const {
    for (const ContextTable& table : tables_) {
      for (const ContextRow& row : table.rows) {
        if (row.context == cached_tokens_) return &row;
      }
    }
    return nullptr;
  }

  /// On the card that is simulated, where one is.
  Result<Opened> open(const Common& common) {
    if (gpu_.empty())
      return open_model(common, generator_.model, arch_options(generation_options(generator_)));
    const auto chip = gcn::find_chip(gpu_);
    if (!chip) return chip.error().with_context("--gpu");
    if (fit_only_) {
      auto runtime = gcn::ModelTimer::runtime_to_plan(OpSet::builtin());
      if (!runtime) return runtime.error();
      return open_model_on(runtime.take(), common, generator_.model,
                           arch_options(generation_options(generator_)));
    }
    auto programs = gcn::ModelTimer::open_compiler(programs_.empty() ? shipped() : programs_);
    if (!programs) return programs.error();
    compiled_ = *programs;
    auto runtime = gcn::ModelTimer::runtime_for(*programs, OpSet::builtin());
    if (!runtime) return runtime.error();
    // What was timed before would not be compiled again.
    const std::string folder = programs_.empty() ? user_cache_folder() : "";
    timer_ = std::make_unique<gcn::ModelTimer>(
        programs.take(), *chip, folder.empty() ? folder : folder + "/polaris/simulated.txt");
    return open_model_on(runtime.take(), common, generator_.model,
                         arch_options(generation_options(generator_)));
  }

  /// A prompt step and a step of generation of a language model, one run of any other.
  Result<std::vector<SimulatedRun>> runs_of(const Opened& opened, const Graph& graph,
                                            const Common& common) {
    std::vector<SimulatedRun> out;
    if (cached_tokens_ == 0) {
      auto types = input_types(opened, graph, common);
      if (!types) return types.error();
      auto inputs = random_inputs(graph, *types, 1);
      if (!inputs) return inputs.error();
      out.push_back({"run", 0, inputs.take(), {}});
      return out;
    }
    for (const bool prompt : {true, false}) {
      Common sized = common;
      const std::int64_t tokens =
          prompt ? std::min<std::int64_t>(cached_tokens_, kPromptTokens) : 1;
      const DecoderContract& contract = *opened.model.decoder;
      sized.dims.push_back(dim_name(graph, contract.tokens, 0) + "=" + std::to_string(tokens));
      auto types = input_types(opened, graph, sized);
      if (!types) return types.error();
      const std::int64_t depth = prompt ? 0 : std::min(cached_tokens_ - 1, kDepth);
      auto inputs = step_inputs(contract, *types, depth);
      if (!inputs) return inputs.error();
      out.push_back({prompt ? "prompt" : "generation", tokens, inputs.take(), {}});
    }
    return out;
  }

  /// A step whose first token stands at position `depth` of the only sequence.
  static Result<std::vector<Tensor>> step_inputs(const DecoderContract& contract,
                                                 std::span<const TensorType> types,
                                                 std::int64_t depth) {
    std::vector<Tensor> out;
    for (const TensorType& type : types) {
      auto tensor = Tensor::allocate(type);
      if (!tensor) return tensor.error();
      std::fill_n(tensor->mutable_data<std::int32_t>(), tensor->elements(), 0);
      out.push_back(tensor.take());
    }
    const auto count = [&](std::size_t input, std::int64_t first) {
      auto* data = out[input].mutable_data<std::int32_t>();
      std::iota(data, data + out[input].elements(), static_cast<std::int32_t>(first));
    };
    count(contract.positions, depth);
    for (const CacheGroup& group : contract.groups) {
      count(group.block_table, 0);
      if (group.cross) continue;
      // Whole pages behind the window are gone.
      const std::int64_t page = group.page_size;
      const std::int64_t first = first_needed(depth, group.window) / page * page;
      count(group.positions, depth - first);
      count(group.slots, depth - first);
    }
    return out;
  }

  static bool fits(const MemoryUse& use) {
    return use.weight_bytes + use.arena_bytes + use.state_bytes <= use.budget_bytes;
  }

  void print_json(const Model& model, const Graph& graph, const std::vector<std::string>& functions,
                  const std::vector<MemoryUse>& memory, const std::string& memory_reason,
                  const std::vector<SimulatedRun>& runs) const {
    JsonWriter json;
    json.begin_object().field("format", model.format).field("architecture", model.architecture);
    json.key("functions").begin_array();
    for (const std::string& name : functions) json.value(name);
    json.end_array().key("inputs");
    write_values(json, graph, graph.inputs(), nullptr);
    json.key("outputs");
    write_values(json, graph, graph.outputs(), &graph.output_names());
    std::map<std::string, std::int64_t> ops;
    count_ops(graph, ops);
    json.key("ops").begin_object();
    for (const auto& [name, count] : ops) json.field(name, count);
    json.end_object().field("parameters", model.parameter_count);
    json.field("file_bytes", model.file_bytes).key("memory").begin_object();
    for (const MemoryUse& use : memory) {
      json.key(use.device).begin_object().field("weight_bytes", use.weight_bytes);
      json.field("working_bytes", use.arena_bytes).field("state_bytes", use.state_bytes);
      json.field("budget_bytes", use.budget_bytes).field("fits", fits(use));
      json.field("launches", use.launches).end_object();
    }
    json.end_object();
    if (!memory_reason.empty()) json.field("memory_unknown", memory_reason);
    if (!model.no_function_reason.empty()) json.field("not_runnable", model.no_function_reason);
    if (weights_) {
      json.key("weights").begin_array();
      for (const Weight& weight : model.weights) {
        json.begin_object().field("name", weight.name).field("storage", weight.storage);
        json.key("shape");
        write_shape(json, graph, weight.shape);
        json.field("bytes", weight.bytes).end_object();
      }
      json.end_array();
    }
    if (!tables_.empty()) {
      json.key("contexts").begin_array();
      for (const ContextTable& table : tables_) write_contexts(json, table);
      json.end_array();
    }
    if (!runs.empty()) write_simulated(json.key("simulated"), *timer_, runs);
    json.end_object();
    print_line(json.text());
  }

  void print_text(const Model& model, const Graph& graph, const std::vector<std::string>& functions,
                  const std::vector<MemoryUse>& memory, const std::string& memory_reason) const {
    print_line("format      " + model.format +
               (model.architecture.empty() ? "" : " (" + model.architecture + ")"));
    print_line("file        " + bytes_text(model.file_bytes));
    print_line("parameters  " + std::to_string(model.parameter_count));
    for (const std::string& name : functions) print_line("function    " + name);
    for (ValueId id : graph.inputs()) {
      const Value& value = graph.value(id);
      print_line("input       " + value.name + ": " + type_text(graph, value.type));
    }
    for (std::size_t o = 0; o < graph.outputs().size(); ++o) {
      print_line("output      " + graph.output_names()[o] + ": " +
                 type_text(graph, graph.value(graph.outputs()[o]).type));
    }
    std::map<std::string, std::int64_t> ops;
    count_ops(graph, ops);
    for (const auto& [name, count] : ops)
      print_line("op          " + name + " x" + std::to_string(count));
    for (const MemoryUse& use : memory) {
      std::string state;
      if (cached_tokens_ > 0) state = " for " + std::to_string(cached_tokens_) + " tokens";
      if (use.state_bytes > 0) state.insert(0, ", states " + bytes_text(use.state_bytes));
      print_line("memory      " + use.device + ": weights " + bytes_text(use.weight_bytes) +
                 ", working " + bytes_text(use.arena_bytes) + state + " of " +
                 bytes_text(use.budget_bytes) + (fits(use) ? ", fits" : ", does not fit"));
    }
    if (!memory_reason.empty()) print_line("memory      unknown: " + memory_reason);
    if (!model.no_function_reason.empty()) print_line("not runnable: " + model.no_function_reason);
    if (!weights_) return;
    for (const Weight& weight : model.weights) {
      print_line("weight      " + weight.name + ": " + weight.storage + weight.shape.to_string() +
                 ", " + bytes_text(weight.bytes));
    }
  }

  // What the published figures of other programs are of.
  static constexpr std::int64_t kPromptTokens = 512;
  static constexpr std::int64_t kDepth = 128;

  GeneratorOptions generator_;
  std::string function_;
  std::string gpu_;
  std::string programs_;
  std::shared_ptr<gcn::ProgramCache> compiled_;
  std::unique_ptr<gcn::ModelTimer> timer_;  // where a card is simulated
  std::int64_t cached_tokens_ = 0;
  std::vector<ContextTable> tables_;
  bool weights_ = false;
  bool fit_only_ = false;
};

}  // namespace

extern const Command command_inspect;
constinit const Command command_inspect{
    "inspect", "format, functions, inputs, outputs, ops, parameters, memory per device",
    make_action<Inspect>};

}  // namespace polaris::cli
