#include "apps/identity_folder.h"

#include <CLI/CLI.hpp>

#include "meta/meta_schema.h"
#include "query/language/query_parser.h"

namespace dendro {

void add_identity_place_options(CLI::App& app, IdentityPlace& place) {
  app.add_option("--data", place.data, "data folder, whether a server uses it or not; default: as of dendro serve")
      ->type_name("DIR");
  app.add_option("--server", place.server,
                 "address of a running server instead of a folder; default DENDRO_SERVER, unless --data is given")
      ->type_name("URL");
  app.add_option("--api-key", place.api_key, "API key or token for it; better: the variable DENDRO_API_KEY")
      ->type_name("KEY");
  add_setting_file_options(app, place.files);
}

Result<std::unique_ptr<IdentityFolder>> IdentityFolder::open(const IdentityPlace& place, WhenMissing when_missing) {
  std::map<std::string, std::vector<std::string>> flags;
  if (!place.data.empty()) flags["--data"] = {place.data};
  DENDRO_TRY_ASSIGN(LoadedSettings loaded, load_settings_from(place.files, flags));
  const std::string& directory = loaded.settings.store.directory;
  std::unique_ptr<IdentityFolder> folder(new IdentityFolder());
  const std::string path = meta_database_path(directory);
  if (when_missing == WhenMissing::make) {
    DENDRO_TRY(folder->files_->create_directories(directory));
  } else if (!folder->files_->exists(path)) {
    return Error(ErrorCode::invalid_argument,
                 directory + ": is no data folder (it has no meta.db); name one with --data");
  }
  DENDRO_TRY_ASSIGN(folder->database_, MetaDatabase::open(path, meta_schema()));
  loaded.settings.identity.oidc = {};
  loaded.settings.identity.issuers.clear();  // nobody is asked who they are here
  DENDRO_TRY_ASSIGN(folder->parts_, IdentityParts::open(std::move(loaded.settings.identity),
                                                        {*folder->database_, *folder->files_, nullptr, folder->clock_,
                                                         folder->random_, &check_row_filter}));
  return folder;
}

Status check_row_filter(const std::string& filter) {
  QueryFault fault;
  DENDRO_TRY_ASSIGN(const ParsedQuery query, parse_query(filter, ParseOptions(), fault));
  const auto wrong = [](const std::string& what) { return Error(ErrorCode::invalid_argument, what); };
  if (!query.pipes.empty()) return wrong("a filter only: leave out the \"|\" and what follows it");
  if (!query.subqueries.empty()) return wrong("a filter without a query inside it");
  bool asks_time = false;
  for_each_field(query.filter, [&asks_time](std::string_view field) { asks_time |= field == "_time"; });
  return asks_time ? wrong("a filter without _time") : Status();
}

}  // namespace dendro
