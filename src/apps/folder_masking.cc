#include "apps/folder_masking.h"

#include "apps/setting_files.h"
#include "meta/meta_schema.h"
#include "meta/tenant_register.h"
#include "services/tenants/tenant.h"

namespace dendro {

Result<std::unique_ptr<FolderMasking>> FolderMasking::open(const std::string& directory, FileSystem& files,
                                                           const Clock& clock, RandomSource& random) {
  auto masking = std::make_unique<FolderMasking>();
  const std::string path = meta_database_path(directory);
  if (!files.exists(path)) return masking;
  DENDRO_TRY_ASSIGN(masking->database_, MetaDatabase::open(path, meta_schema()));
  masking->table_ = std::make_unique<PrivacyKeyTable>(*masking->database_);
  DENDRO_TRY(masking->read_rules());
  DENDRO_TRY_ASSIGN(LoadedSettings loaded, load_settings_from(SettingFiles{}, {}));
  masking->keys_ =
      std::make_unique<PrivacyKeys>(*masking->table_, std::move(loaded.settings.privacy_keys), clock, random);
  DENDRO_TRY(masking->keys_->open());
  const auto rules_of = [rules = masking->rules_](const TenantId&) -> Result<std::shared_ptr<const MaskRules>> {
    return rules;
  };
  masking->privacy_ = std::make_unique<PrivacyService>(*masking->keys_, rules_of);
  return masking;
}

Status FolderMasking::read_rules() {
  DENDRO_TRY_ASSIGN(const std::vector<TenantRow> rows, TenantRegister(*database_).list());
  FieldFaults faults;
  for (const TenantRow& row : rows) {
    if (row.id != TenantId::default_tenant() || row.state == TenantState::deleted) continue;
    TenantSettings settings;
    DENDRO_TRY_ASSIGN(const JsonValue document, parse_json_document(row.settings));
    read_tenant_settings(document, settings, faults);
    rules_ = settings.masking;
  }
  if (rules_ == nullptr) {
    DENDRO_TRY_ASSIGN(const std::string text, table_->default_rules());
    DENDRO_TRY_ASSIGN(const JsonValue document, parse_json_document(text));
    rules_ = std::make_shared<const MaskRules>(read_mask_rules(document, "masking", faults));
  }
  if (faults.empty()) return {};
  return Error(ErrorCode::unavailable, "the masking rules of the folder cannot be read by this version: " +
                                           faults[0].field + " " + faults[0].message);
}

}  // namespace dendro
