#include <CLI/CLI.hpp>

#include "apps/admin_command.h"
#include "apps/admin_progress.h"
#include "apps/cli.h"
#include "apps/inspect_files.h"

namespace dendro {
namespace {

constexpr std::string_view kInspectSummary = "print what a segment, WAL or manifest file is made of";

struct InspectFlags {
  std::string file;
  std::string output = "text";
};

std::shared_ptr<CLI::App> make_inspect_app_with(const std::shared_ptr<InspectFlags>& flags) {
  auto app = make_cli_app(
      "admin inspect", kInspectSummary,
      "  dendro admin inspect dendro-data/t/default/20260131/0000000000000007.seg\n"
      "  dendro admin inspect -o json dendro-data/wal/000042.wal | jq .records\n"
      "Needs no lock: it only reads. A damaged file is shown as far as it can be read.\n"
      "Exit codes: 0 undamaged, 1 damaged, 2 usage, or a file that cannot be read or is none of dendro's.\n");
  app->add_option("FILE", flags->file, "a file of a data folder")->required();
  app->add_option("-o,--output", flags->output, "text or json; default text")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json"}));
  return app;
}

std::shared_ptr<CLI::App> make_inspect_app() {
  const auto flags = std::make_shared<InspectFlags>();
  return keep_with(make_inspect_app_with(flags), flags);
}

using InspectFile = Result<Inspection> (*)(FileSystem&, const std::string&, InspectFormat);

/// By magic; by name where the magic is damaged. Null: none of ours.
InspectFile inspector_of(std::string_view front, std::string_view path) {
  if (front.starts_with("DNDRSEG")) return &inspect_segment;
  if (front.starts_with("DNDRWAL")) return &inspect_wal;
  if (front.starts_with("DNDRMAN")) return &inspect_manifest;
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (name.find(".seg") != std::string_view::npos) return &inspect_segment;
  if (name.find(".wal") != std::string_view::npos) return &inspect_wal;
  if (name.starts_with("MANIFEST-")) return &inspect_manifest;
  return nullptr;
}

int run_inspect(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<InspectFlags>();
  const auto app = make_inspect_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  const std::unique_ptr<FileSystem> files = make_posix_file_system();
  const auto reader = files->open_reader(flags->file);
  if (!reader) return report_failure(io, "admin inspect", reader.error().message(), 2);
  std::string front(8, '\0');
  const Result<std::size_t> count = (*reader)->read_at(0, front);
  if (!count) return report_failure(io, "admin inspect", count.error().message(), 2);
  front.resize(*count);
  const InspectFile inspect = inspector_of(front, flags->file);
  if (inspect == nullptr) {
    return report_failure(io, "admin inspect", "'" + flags->file + "' is no segment, WAL or manifest file", 2);
  }
  const InspectFormat format = flags->output == "json" ? InspectFormat::json : InspectFormat::text;
  const Result<Inspection> inspection = inspect(*files, flags->file, format);
  if (!inspection) return report_admin_error(io, "admin inspect", inspection.error());
  std::fputs(inspection->text.c_str(), io.out);
  return inspection->is_damaged ? 1 : 0;
}

}  // namespace

Command admin_inspect_command() {
  return {"inspect", kInspectSummary, &run_inspect, &make_inspect_app};
}

}  // namespace dendro
