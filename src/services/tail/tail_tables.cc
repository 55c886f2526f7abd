#include "services/tail/tail_tables.h"

#include <utility>

#include "query/rows/subquery_rows.h"

namespace dendro {
namespace {

struct HeldTable {
  std::shared_ptr<const SubqueryRows> table;
  ByteLease lease;
};

class TailTables final : public LookupTables {
 public:
  TailTables(std::shared_ptr<const LookupTables> tables, std::shared_ptr<const TailMemory> memory)
      : tables_(std::move(tables)), memory_(std::move(memory)) {}

  Result<std::shared_ptr<const SubqueryRows>> find(std::string_view name) const override {
    DENDRO_TRY_ASSIGN(std::shared_ptr<const SubqueryRows> table, tables_->find(name));
    std::uint64_t bytes = 0;
    for (const TableRow& row : table->rows.table) {
      bytes += sizeof(TableRow);
      for (const Cell& cell : row) bytes += cell.bytes();
    }
    ByteLease lease(memory_->budget());
    if (!lease.grow_to(bytes)) {
      return Error(ErrorCode::resource_exhausted,
                   "the table \"" + std::string(name) + "\" takes " + std::to_string(bytes) +
                       " bytes of memory, more than live tails have left: they may hold " +
                       std::to_string(memory_->budget()->bytes_max()) + " together");
    }
    const SubqueryRows* const rows = table.get();
    const auto held = std::make_shared<HeldTable>(HeldTable{std::move(table), std::move(lease)});
    return std::shared_ptr<const SubqueryRows>(held, rows);
  }

 private:
  const std::shared_ptr<const LookupTables> tables_;
  const std::shared_ptr<const TailMemory> memory_;
};

}  // namespace

std::shared_ptr<const LookupTables> make_tail_tables(std::shared_ptr<const LookupTables> tables,
                                                     std::shared_ptr<const TailMemory> memory) {
  if (tables == nullptr) return nullptr;
  return std::make_shared<TailTables>(std::move(tables), std::move(memory));
}

}  // namespace dendro
