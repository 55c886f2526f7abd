#include "apps/verify_chain.h"

#include "apps/admin_progress.h"
#include "apps/cli.h"
#include "apps/serve_chain.h"
#include "apps/text_table.h"
#include "apps/url_text.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/random.h"
#include "services/evidence/chain_verifier.h"
#include "services/evidence/record_proof.h"
#include "storage/store.h"

namespace dendro {
namespace {

constexpr std::string_view kVerifyCommand = "admin verify";
constexpr std::uint64_t kInputFileBytesMax = std::uint64_t{256} << 20;
constexpr std::uint64_t kKeyTextBytesMax = std::uint64_t{64} << 10;

int report_usage(CommandIo& io, const Error& error) {
  return report_failure(io, kVerifyCommand, error.message(), 2);
}

/// Nothing where none was named.
Result<std::optional<Hash32>> read_public_key(FileSystem& files, const std::string& named) {
  if (named.empty()) return std::optional<Hash32>();
  if (const auto bytes = parse_hex(named)) {
    if (const auto key = hash_from_bytes(*bytes)) return std::optional(*key);
  }
  auto pem = read_whole_file(files, named, kKeyTextBytesMax);
  if (!pem)
    return Error(ErrorCode::invalid_argument, "--public-key: 64 hex digits or a PEM file: " + pem.error().message());
  DENDRO_TRY_ASSIGN(const SignatureKey key, SignatureKey::from_pem(*pem));
  DENDRO_TRY_ASSIGN(const Hash32 bytes, evidence_public_key(key));
  return std::optional(bytes);
}

Result<std::vector<AnchoredHead>> read_anchor_file(FileSystem& files, const std::string& path, const TenantId& tenant) {
  if (path.empty()) return std::vector<AnchoredHead>();
  DENDRO_TRY_ASSIGN(const std::string text, read_whole_file(files, path, kInputFileBytesMax));
  auto heads = read_anchored_heads(text, tenant);
  if (!heads) return Error(heads.error()).with_context(path);
  return heads;
}

/// Of this machine or told by a server: one form of words.
struct ChainVerdict {
  std::uint64_t entries = 0, covered = 0, matched = 0, removed = 0, declared_present = 0, not_covered = 0;
  std::uint64_t torn_bytes = 0, anchored = 0, fault_count = 0;
  std::string head_hash, head_time, public_key;
  std::vector<std::string> faults;
};

int print_verdict(const std::string& tenant, const ChainVerdict& verdict, CommandIo& io) {
  for (const std::string& fault : verdict.faults) std::fprintf(io.out, "%s\n", fault.c_str());
  if (verdict.declared_present > 0) {
    std::fprintf(io.err, "note: %s records are declared removed and still there: a removal was interrupted\n",
                 grouped_digits(verdict.declared_present).c_str());
  }
  if (verdict.not_covered > 0) {
    std::fprintf(io.err, "note: %s newer records are not covered yet\n", grouped_digits(verdict.not_covered).c_str());
  }
  if (verdict.torn_bytes > 0) {
    std::fprintf(io.err, "note: %s bytes behind the last entry are what a kill left\n",
                 grouped_digits(verdict.torn_bytes).c_str());
  }
  if (!verdict.head_hash.empty()) {
    std::fprintf(io.err, "head %s of %s, key %s\n", verdict.head_hash.c_str(), verdict.head_time.c_str(),
                 verdict.public_key.c_str());
  }
  const std::string result =
      verdict.fault_count == 0 ? "as they were" : grouped_digits(verdict.fault_count) + " faults";
  std::fprintf(
      io.err,
      "tenant %s: %s entries cover %s records; %s compared, %s removed and declared so, %s anchored heads: %s\n",
      tenant.c_str(), grouped_digits(verdict.entries).c_str(), grouped_digits(verdict.covered).c_str(),
      grouped_digits(verdict.matched).c_str(), grouped_digits(verdict.removed).c_str(),
      grouped_digits(verdict.anchored).c_str(), result.c_str());
  return verdict.fault_count == 0 ? 0 : 1;
}

/// Both ways tell it by the same document.
ChainVerdict verdict_of(const JsonValue& report) {
  ChainVerdict verdict;
  verdict.entries = count_of(report, "entries");
  verdict.covered = count_of(report, "covered");
  verdict.matched = count_of(report, "matched");
  verdict.removed = count_of(report, "removed");
  verdict.declared_present = count_of(report, "declared_present");
  verdict.not_covered = count_of(report, "not_covered");
  verdict.torn_bytes = count_of(report, "torn_bytes");
  verdict.anchored = count_of(report, "anchored");
  verdict.fault_count = count_of(report, "fault_count");
  verdict.head_hash = text_of(report, "head_hash");
  verdict.head_time = text_of(report, "head_time");
  verdict.public_key = text_of(report, "public_key");
  if (const JsonValue* faults = report.find("faults")) {
    for (const JsonValue& fault : faults->elements()) verdict.faults.emplace_back(fault.as_string().value_or(""));
  }
  return verdict;
}

Result<JsonValue> verify_on_folder(const std::string& directory, const TenantId& tenant, const std::string& anchor,
                                   const std::optional<Hash32>& trusted_key, FileSystem& files, CommandIo& io) {
  DENDRO_TRY_ASSIGN(std::vector<AnchoredHead> anchored, read_anchor_file(files, anchor, tenant));
  SystemClock clock;
  SystemRandom random;
  StoreOptions options;
  options.directory = directory;
  options.compacts_by_itself = false;
  DENDRO_TRY_ASSIGN(const auto store, Store::open(std::move(options), files, clock, random));
  DENDRO_TRY_ASSIGN(const auto snapshot, store->snapshot(tenant));
  const ChainVerification what{
      files, chain_folder_of(chain_folder(directory), tenant), tenant, snapshot, trusted_key, std::move(anchored)};
  AdminProgress progress(io);
  WorkWatch watch;
  watch.on_progress = [&progress](std::uint64_t done, std::uint64_t total) { progress.show_counts(done, total); };
  DENDRO_TRY_ASSIGN(const ChainReport report, verify_chain(what, watch));
  return parse_json_document(chain_report_json(report));
}

Result<JsonValue> verify_on_server(const AdminPlace& place, const TenantId& tenant, const std::string& anchor,
                                   FileSystem& files, CommandIo& io) {
  std::string heads;
  if (!anchor.empty()) {
    DENDRO_TRY_ASSIGN(heads, read_whole_file(files, anchor, kInputFileBytesMax));
    DENDRO_TRY(read_anchored_heads(heads, tenant));
  }
  DENDRO_TRY_ASSIGN(AdminRemote remote, AdminRemote::open(place, io));
  return remote.call("POST", "/api/v1/chain/verify?tenant=" + percent_encoded(tenant.text()), heads);
}

}  // namespace

int verify_tenant_chain(const AdminPlace& place, const VerifyChainFlags& flags, CommandIo& io) {
  const std::unique_ptr<FileSystem> files = make_posix_file_system();
  const auto tenant = TenantId::parse(flags.tenant);
  if (!tenant) return report_usage(io, tenant.error());
  const auto trusted = read_public_key(*files, flags.public_key);
  if (!trusted) return report_usage(io, trusted.error());
  if (!place.data.empty() && !files->exists(place.data + "/CURRENT")) {
    return report_failure(io, kVerifyCommand, "'" + place.data + "' is not a data folder of dendro", 2);
  }
  const Result<JsonValue> report = place.data.empty()
                                       ? verify_on_server(place, *tenant, flags.anchor, *files, io)
                                       : verify_on_folder(place.data, *tenant, flags.anchor, *trusted, *files, io);
  if (!report && report.error().code() == ErrorCode::not_found) {
    return report_failure(io, kVerifyCommand, "tenant " + tenant->text() + " has no chain", 1);
  }
  if (!report) return report_remote_error(io, kVerifyCommand, report.error());
  ChainVerdict verdict = verdict_of(*report);
  if (place.data.empty() && *trusted && verdict.public_key != to_hex(**trusted)) {
    verdict.faults.push_back("the chain is signed with another key than the one that is trusted");
    ++verdict.fault_count;
  }
  return print_verdict(tenant->text(), verdict, io);
}

int verify_proof_file(const VerifyChainFlags& flags, CommandIo& io) {
  const std::unique_ptr<FileSystem> files = make_posix_file_system();
  const auto trusted = read_public_key(*files, flags.public_key);
  if (!trusted) return report_usage(io, trusted.error());
  const auto text = read_whole_file(*files, flags.proof, kInputFileBytesMax);
  if (!text) return report_usage(io, text.error());
  const auto proof = parse_record_proof(*text);
  if (!proof) return report_failure(io, kVerifyCommand, proof.error().message(), 1);
  const auto proven = check_record_proof(*proof, *trusted);
  if (!proven) return report_failure(io, kVerifyCommand, proven.error().message(), 1);
  for (const auto& [path, value] : proven->fields) {
    std::fprintf(io.out, "%s: %s\n", path.c_str(), value ? value->c_str() : "(withheld)");
  }
  std::fprintf(io.err,
               "record %s of tenant %s: as it was when entry %s of the chain was made, %s; signed with key %s%s\n",
               proven->record_id.c_str(), proof->tenant.c_str(), std::to_string(proven->entry_index).c_str(),
               to_rfc3339(proven->covered).c_str(), to_hex(*trusted ? **trusted : proof->public_key).c_str(),
               *trusted ? "" : ", which is the proof's own word: name the server's with --public-key");
  return 0;
}

}  // namespace dendro
