#include <algorithm>

#include "query/edit/row_editors.h"
#include "query/plan/geo_database.h"
#include "query/rows/row_field.h"

namespace dendro {
namespace {

/// `geoip`: where an address is. A row without an address, or with one that nobody knows, stays as it is.
class GeoipEditor final : public RowEditor {
 public:
  GeoipEditor(const GeoipPipe& pipe, const RowShape& shape, std::shared_ptr<const GeoDatabase> database,
              QueryContext& context)
      : database_(std::move(database)), address_(pipe.at, shape), context_(context) {
    for (std::size_t i = 0; i < kGeoFields.size(); ++i) {
      if (is_geo_field_wanted(pipe, kGeoFields[i])) names_[i] = pipe.prefix + std::string(kGeoFields[i]);
    }
  }

  void edit(const RowBatch& rows, std::size_t index, RowEdits& edits) override {
    const Value value = address_.read(rows, index);
    if (value.is_missing()) return;
    if (const Status status = database_->find(value_text(value, scratch_), found_); !status) {
      context_.note_error(status.error());
      return;
    }
    for (const GeoDatabase::Found& found : found_) {
      if (!names_[found.field].empty()) edits.set(names_[found.field], found.value);
    }
  }

 private:
  const std::shared_ptr<const GeoDatabase> database_;
  RowField address_;
  QueryContext& context_;
  std::array<std::string, kGeoFields.size()> names_;  ///< empty: not wanted
  std::vector<GeoDatabase::Found> found_;
  std::string scratch_;
};

}  // namespace

bool is_geo_field_wanted(const GeoipPipe& pipe, std::string_view field) {
  return pipe.fields.empty() || std::any_of(pipe.fields.begin(), pipe.fields.end(),
                                            [field](const NamePattern& name) { return name.matches(field); });
}

std::unique_ptr<RowEditor> make_geoip_editor(const GeoipPipe& pipe, const RowShape& shape,
                                             std::shared_ptr<const GeoDatabase> database, QueryContext& context) {
  return std::make_unique<GeoipEditor>(pipe, shape, std::move(database), context);
}

}  // namespace dendro
