#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parse/json_reader.h"
#include "parse/record_plan.h"
#include "parse/text_sweep.h"

namespace dendro {

// Lines of one program repeat their names, their order and their blanks. So what stands between the values of an
// object,
// `{"time": "`, `, "msg": "`, is learned once, and a line met later costs a comparison of these texts and a step over
// each value:
//   L1 the learned texts form a tree: the text before the first value, behind it those that may follow, and so on,
//   since
//      members may be there or not; a line is of a layout if it is a way from the root to an end;
//   L2 each text came from an object that JsonReader had read, in the same place of the grammar; each value is checked
//      whole by the same rules. So a line of a layout is JSON, and JsonReader finds the same members and values in it;
//   L3 a value that opens an object is no value here: its members are. An empty one is.
//   L4 whatever is not understood is no line of a layout: it is read the general way, and perhaps learned.

/// One way through the tree: what its names decide, and room for the values of a line.
struct JsonLayout {
  std::deque<std::string> keys;
  std::vector<JsonNode> nodes;             ///< of the object; keys borrow `keys`
  std::vector<std::uint32_t> value_nodes;  ///< of nodes, the leaves in order
  std::vector<std::uint32_t>
      value_steps;                       ///< of value_nodes, their steps of the plan; kNoStep: a later member is meant
  std::vector<std::uint32_t> looked_at;  ///< of value_nodes, those the plan looks at
  RecordPlan plan;
  static constexpr std::uint32_t kNoStep = static_cast<std::uint32_t>(-1);
};

/// Layouts of JSON lines met lately. Not thread-safe.
class JsonLayouts {
 public:
  explicit JsonLayouts(int depth_max) : values_reader_(depth_max) {}

  struct Match {
    JsonLayout* layout = nullptr;  ///< null: of none that is known
    std::size_t last = 0;          ///< offset behind the object
    std::size_t line_end = 0;      ///< offset of its line feed, which must be there
    bool has_escapes = false;      ///< a backslash stands in it
  };
  /// The layout of the line at text[offset], which begins with `{`.
  Match match(std::string_view text, std::size_t offset);
  /// Reads the values that the plan of the line matched last looks at into its layout's nodes; they borrow the text and
  /// this object until the next match().
  void read_values(const Match& match);
  /// Reads those besides in which a text of `searched` stands, or which are written with escapes; their steps,
  /// ascending, until the next call.
  const std::vector<std::uint32_t>& read_searched(const Match& match, TextSweep& searched);

  /// False: lines repeat too little for another match to be worth its time.
  bool is_worth_it() const { return pause_lines_ == 0; }
  /// Another line has gone by without a match being tried.
  void pass_line() {
    if (pause_lines_ > 0) --pause_lines_;
  }
  /// Learns the object that `reader` has read from text[first, last); `plan_of(nodes)` makes its plan.
  template <typename PlanOf>
  void learn(std::string_view object, const std::vector<JsonNode>& nodes, PlanOf&& plan_of) {
    JsonLayout* layout = learn_texts(object, nodes);
    if (layout != nullptr) finish(*layout, plan_of(layout->nodes));
  }

 private:
  static constexpr std::size_t kMaxMembers = 512;
  static constexpr std::size_t kMaxLayouts = 1'024;
  static constexpr std::size_t kMaxTextBytes = std::size_t{1} << 20;  ///< of all learned texts
  static constexpr std::size_t kMaxWays = 64;                         ///< from one place in the tree
  /// A line that is of no layout costs as much as some that are; once that is owed many times, a rest.
  static constexpr std::uint32_t kDebtOfMiss = 8, kDebtMax = 4'096, kPauseLines = 65'536;

  struct Place;
  struct Way {
    std::string text;
    std::unique_ptr<Place> place;        ///< behind the text a value stands
    std::unique_ptr<JsonLayout> layout;  ///< behind the text the object has ended
  };
  struct Place {
    std::vector<Way> ways;
    std::size_t last_taken = 0;
  };
  /// A value of the line at hand.
  struct Span {
    const char* first = nullptr;
    const char* last = nullptr;
    bool is_plain_string = false;
    bool has_escapes = false;
    bool is_searched = false;
    bool has_high_bytes = false;
  };

  static bool leads_on(const Way& way, const char* at, const char* end);
  static Way* find_other_way(Place& place, const char* at, const char* end);
  const char* step_over(const char* at, const char* end, Span& span);
  const char* step_over_escapes(const char* at, const char* end);
  const char* step_over_container(const char* at, Span& span);
  void read_value(const Match& match, std::size_t value);
  Match note_miss();
  JsonLayout* learn_texts(std::string_view object, const std::vector<JsonNode>& nodes);
  bool cut_texts(std::string_view object, const std::vector<JsonNode>& nodes);
  static void finish(JsonLayout& layout, RecordPlan plan);
  void forget();

  JsonReader values_reader_;
  std::unique_ptr<Place> root_ = std::make_unique<Place>();
  std::size_t layouts_ = 0;
  std::size_t text_bytes_ = 0;
  std::uint32_t debt_ = 0;
  std::uint32_t pause_lines_ = 0;
  // The line at hand.
  std::string_view text_;
  std::vector<Span> spans_;
  std::vector<std::uint32_t> searched_steps_;
  std::size_t line_first_ = 0;
  std::size_t line_end_ = 0;  ///< where it was looked for; 0: not yet
  bool has_escapes_ = false;
  std::vector<std::string_view> texts_;  ///< of the object being learned
};

}  // namespace dendro
