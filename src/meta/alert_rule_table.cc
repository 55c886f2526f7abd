#include "meta/alert_rule_table.h"

#include <array>

#include "base/hex.h"

namespace dendro {
namespace {

std::string alert_id(RandomSource& random) {
  std::array<std::uint8_t, 8> id{};
  random.fill(id);
  return to_hex(id);
}

constexpr std::string_view kSelectRule = "SELECT id, tenant, name, document, created, updated FROM alert_rules ";

Result<AlertRuleRow> alert_rule_of(const MetaRow& row) {
  DENDRO_TRY_ASSIGN(TenantId tenant, TenantId::parse(row.text(1)));
  return AlertRuleRow{row.text(0), std::move(tenant),         row.text(2),
                      row.text(3), Timestamp(row.integer(4)), Timestamp(row.integer(5))};
}

Error no_such_rule(std::string_view id) {
  return Error(ErrorCode::not_found, "no alert rule has the id \"" + std::string(id) + "\"");
}

Error rule_name_taken(const Error& error, const std::string& name) {
  if (error.code() != ErrorCode::already_exists) return error;
  return Error(ErrorCode::already_exists, "name: \"" + name + "\" is taken by another alert rule");
}

Status check_room(MetaTransaction& meta, const TenantId& tenant, const std::string& table, std::size_t count_max) {
  DENDRO_TRY_ASSIGN(const auto count, meta.row("SELECT COUNT(*) FROM " + table + " WHERE tenant = ?", {tenant.text()}));
  if (count->integer(0) < static_cast<std::int64_t>(count_max)) return {};
  return Error(ErrorCode::resource_exhausted,
               "the tenant has " + std::to_string(count_max) + " of them; delete one first");
}

}  // namespace

Result<std::vector<AlertRuleRow>> AlertRuleTable::list() const {
  return database_.transact([](MetaTransaction& meta) -> Result<std::vector<AlertRuleRow>> {
    DENDRO_TRY_ASSIGN(const auto rows, meta.rows(std::string(kSelectRule) + "ORDER BY tenant, name"));
    std::vector<AlertRuleRow> rules;
    for (const MetaRow& row : rows) {
      DENDRO_TRY_ASSIGN(AlertRuleRow rule, alert_rule_of(row));
      rules.push_back(std::move(rule));
    }
    return rules;
  });
}

Result<AlertRuleRow> AlertRuleTable::create(const TenantId& tenant, const std::string& name,
                                            const std::string& document) {
  const Timestamp now = clock_.now();
  const AlertRuleRow rule{alert_id(random_), tenant, name, document, now, now};
  auto created = database_.transact([&](MetaTransaction& meta) -> Result<AlertRuleRow> {
    DENDRO_TRY(check_room(meta, tenant, "alert_rules", kPerTenantMax));
    DENDRO_TRY(
        meta.change("INSERT INTO alert_rules (id, tenant, name, document, created, updated) VALUES (?, ?, ?, ?, ?, ?)",
                    {rule.id, tenant.text(), name, document, now.number(), now.number()}));
    return rule;
  });
  if (!created) return rule_name_taken(created.error(), name);
  return created;
}

Result<AlertRuleRow> AlertRuleTable::replace(const TenantId& tenant, std::string_view id, const std::string& name,
                                             const std::string& document) {
  auto replaced = database_.transact([&](MetaTransaction& meta) -> Result<AlertRuleRow> {
    DENDRO_TRY_ASSIGN(
        const std::uint64_t changed,
        meta.change("UPDATE alert_rules SET name = ?, document = ?, updated = ? WHERE tenant = ? AND id = ?",
                    {name, document, clock_.now().number(), tenant.text(), std::string(id)}));
    if (changed == 0) return no_such_rule(id);
    DENDRO_TRY_ASSIGN(const auto row, meta.row(std::string(kSelectRule) + "WHERE id = ?", {std::string(id)}));
    return alert_rule_of(*row);
  });
  if (!replaced) return rule_name_taken(replaced.error(), name);
  return replaced;
}

Status AlertRuleTable::remove(const TenantId& tenant, std::string_view id) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY_ASSIGN(const std::uint64_t changed, meta.change("DELETE FROM alert_rules WHERE tenant = ? AND id = ?",
                                                               {tenant.text(), std::string(id)}));
    if (changed == 0) return no_such_rule(id);
    for (const char* table : {"alert_progress", "alert_instances", "alert_seen", "alert_history"}) {
      DENDRO_TRY(meta.change("DELETE FROM " + std::string(table) + " WHERE tenant = ? AND rule = ?",
                             {tenant.text(), std::string(id)}));
    }
    return {};
  });
}

Result<std::vector<AlertSilenceRow>> AlertSilenceTable::list(const TenantId& tenant) const {
  return database_.transact([&](MetaTransaction& meta) -> Result<std::vector<AlertSilenceRow>> {
    DENDRO_TRY_ASSIGN(const auto rows, meta.rows("SELECT id, matchers, starts, ends, comment, created FROM "
                                                 "alert_silences WHERE tenant = ? ORDER BY starts DESC, id",
                                                 {tenant.text()}));
    std::vector<AlertSilenceRow> silences;
    for (const MetaRow& row : rows) {
      silences.push_back({row.text(0), row.text(1), Timestamp(row.integer(2)), Timestamp(row.integer(3)), row.text(4),
                          Timestamp(row.integer(5))});
    }
    return silences;
  });
}

Result<AlertSilenceRow> AlertSilenceTable::create(const TenantId& tenant, AlertSilenceRow row) {
  row.id = alert_id(random_);
  row.created = clock_.now();
  const std::int64_t shown_from = row.created.number() - std::chrono::nanoseconds(kShownAfterEnd).count();
  return database_.transact([&](MetaTransaction& meta) -> Result<AlertSilenceRow> {
    DENDRO_TRY(meta.change("DELETE FROM alert_silences WHERE ends < ?", {shown_from}));
    DENDRO_TRY(check_room(meta, tenant, "alert_silences", kPerTenantMax));
    DENDRO_TRY(
        meta.change("INSERT INTO alert_silences (id, tenant, matchers, starts, ends, comment, created) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    {row.id, tenant.text(), row.matchers, row.starts.number(), row.ends.number(), row.comment,
                     row.created.number()}));
    return row;
  });
}

Status AlertSilenceTable::remove(const TenantId& tenant, std::string_view id) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY_ASSIGN(const std::uint64_t changed, meta.change("DELETE FROM alert_silences WHERE tenant = ? AND id = ?",
                                                               {tenant.text(), std::string(id)}));
    if (changed > 0) return {};
    return Error(ErrorCode::not_found, "no silence has the id \"" + std::string(id) + "\"");
  });
}

}  // namespace dendro
