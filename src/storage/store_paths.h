#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/timestamp.h"

namespace dendro {

/// Where the files of a store lie (engine.md 2.1). Immutable; thread-safe.
class StorePaths {
 public:
  explicit StorePaths(std::string root) : root_(std::move(root)) {}
  const std::string& root() const { return root_; }
  std::string lock_file() const { return root_ + "/LOCK"; }
  std::string current() const { return root_ + "/CURRENT"; }
  std::string manifest(std::uint64_t number) const { return root_ + "/" + manifest_name(number); }
  std::string wal_folder() const { return root_ + "/wal"; }
  std::string wal_file(WalNumber number) const;
  std::string queues_folder() const { return root_ + "/queue"; }
  /// Of the spool of this name.
  std::string queue_folder(const std::string& name) const { return queues_folder() + "/" + name; }
  std::string tenants_folder() const { return root_ + "/t"; }
  std::string tenant_folder(const TenantId& tenant) const;
  std::string segment_folder(const TenantId& tenant, Timestamp day) const;
  std::string segment(const TenantId& tenant, Timestamp day, SegmentId id) const;

  /// "MANIFEST-000017".
  static std::string manifest_name(std::uint64_t number);
  /// Nothing unless `name` is such a name.
  static std::optional<std::uint64_t> parse_manifest_name(std::string_view name);
  /// "000042.wal".
  static std::string wal_name(WalNumber number);
  static std::optional<WalNumber> parse_wal_name(std::string_view name);
  /// A tenant's folder: bytes outside [a-z0-9_-] as %XX, upper case too, since some file systems fold case.
  static std::string escape_tenant(const TenantId& tenant);

 private:
  std::string root_;
};

}  // namespace dendro
