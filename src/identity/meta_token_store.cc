#include "identity/token_store.h"

namespace dendro {
namespace {

class MetaTokenStore final : public TokenStore {
 public:
  explicit MetaTokenStore(MetaDatabase& database) : table_(database) {}

  Status insert(const TokenRow& row) override { return table_.insert(row); }
  Result<std::optional<TokenRow>> find(const std::string& jti) override { return table_.find(jti); }
  Result<std::vector<TokenRow>> list(const std::string& tenant, const std::string& after_jti,
                                     std::size_t count_max) override {
    return table_.list(tenant, after_jti, count_max);
  }
  Status revoke(const std::string& jti, Timestamp now) override { return table_.revoke(jti, now); }

 private:
  TokenTable table_;
};

}  // namespace

std::unique_ptr<TokenStore> make_meta_token_store(MetaDatabase& database) {
  return std::make_unique<MetaTokenStore>(database);
}

}  // namespace dendro
