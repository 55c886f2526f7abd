#include "meta/short_links.h"

#include "base/url.h"

namespace dendro {
namespace {

constexpr std::size_t kCodeCharacters = 10;

Status check_path(const std::string& path) {
  if (!is_own_path(path)) {
    return Error(ErrorCode::invalid_argument, "path: must be a path of this server, such as /explore?q=error");
  }
  if (path.size() > ShortLinks::kPathBytesMax) {
    return Error(ErrorCode::too_large, "path: has " + std::to_string(path.size()) + " bytes, at most " +
                                           std::to_string(ShortLinks::kPathBytesMax) + " are taken");
  }
  return {};
}

}  // namespace

Result<ShortLink> ShortLinks::create(const TenantId& tenant, const std::string& path) {
  DENDRO_TRY(check_path(path));
  const Timestamp now = clock_.now();
  const ShortLink link{random_base62(random_, kCodeCharacters), path,
                       Timestamp(now.number() + std::chrono::nanoseconds(kLifetime).count())};
  return database_.transact([&](MetaTransaction& meta) -> Result<ShortLink> {
    DENDRO_TRY(meta.change("DELETE FROM short_links WHERE expires <= ?", {now.number()}));
    DENDRO_TRY_ASSIGN(const auto count, meta.row("SELECT COUNT(*) FROM short_links"));
    if (count->integer(0) >= static_cast<std::int64_t>(kLinksMax)) {
      return Error(ErrorCode::resource_exhausted, "there are " + std::to_string(kLinksMax) + " short links already");
    }
    DENDRO_TRY_ASSIGN(const auto own, meta.row("SELECT COUNT(*) FROM short_links WHERE tenant = ?", {tenant.text()}));
    if (own->integer(0) >= static_cast<std::int64_t>(kPerTenantMax)) {
      return Error(ErrorCode::resource_exhausted,
                   "the tenant has " + std::to_string(kPerTenantMax) + " short links already");
    }
    DENDRO_TRY(meta.change("INSERT INTO short_links (code, path, expires, tenant) VALUES (?, ?, ?, ?)",
                           {link.code, link.path, link.expires.number(), tenant.text()}));
    return link;
  });
}

Result<ShortLink> ShortLinks::open(std::string_view code) const {
  return database_.transact([&](MetaTransaction& meta) -> Result<ShortLink> {
    DENDRO_TRY_ASSIGN(const auto row,
                      meta.row("SELECT code, path, expires FROM short_links WHERE code = ? AND expires > ?",
                               {std::string(code), clock_.now().number()}));
    if (!row) return Error(ErrorCode::not_found, "no such short link, or it has expired");
    return ShortLink{row->text(0), row->text(1), Timestamp(row->integer(2))};
  });
}

}  // namespace dendro
