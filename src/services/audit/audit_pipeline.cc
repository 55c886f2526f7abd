#include "services/audit/audit_pipeline.h"

#include <memory>
#include <utility>

#include "base/checksum.h"
#include "base/json_writer.h"
#include "base/utf8.h"
#include "services/audit/audit_draft.h"
#include "services/audit/compact_json.h"
#include "services/audit/limits.h"

namespace dendro {
namespace {

constexpr std::string_view kAuditKeyDialect = "audit";

/// "action: Field required; message: ...": for people who look into the dead letters.
std::string faults_text(const FieldFaults& faults) {
  std::string text;
  for (const FieldFault& fault : faults) {
    if (!text.empty()) text += "; ";
    if (!fault.field.empty()) text += fault.field + ": ";
    text += fault.message;
  }
  return text;
}

AuditIntakeOutcome failed(Error error) {
  AuditIntakeOutcome outcome;
  outcome.error = std::move(error);
  return outcome;
}
AuditIntakeOutcome refused(FieldFaults faults) {
  AuditIntakeOutcome outcome;
  outcome.faults = std::move(faults);
  return outcome;
}

}  // namespace

AuditPipeline::AuditPipeline(AuditStore& store, RandomSource& random, AuditSettingsOf settings_of)
    : store_(store), settings_of_(std::move(settings_of)), ids_(random) {}

AuditTenantSettings AuditPipeline::settings(const TenantId& tenant) const {
  return settings_of_ ? settings_of_(tenant) : AuditTenantSettings();
}

/// Nothing, and `done` has been told, if the retry key is none.
std::optional<AuditPipeline::Draft> AuditPipeline::begin(const AuditIntake& intake, const AuditIntakeDone& done) const {
  Draft draft;
  draft.put.tenant = intake.tenant;
  draft.put.receive_time = intake.receive_time;
  draft.put.request_id = intake.request_id;
  if (!intake.retry_key) return draft;
  const std::string& key = *intake.retry_key;
  if (key.empty() || !is_valid_utf8(key) || count_code_points(key) > kAuditRetryKeyCharactersMax) {
    done(refused({{"header", {}, "idempotency-key", "String should have 1 to 128 characters", "value_error"}}));
    return std::nullopt;
  }
  draft.put.key = BatchKey{batch_key_id(intake.tenant, kAuditKeyDialect, key), xxh3_128(intake.body)};
  return draft;
}

/// `index`: in the request; bad logs count too, so that a repeat gives each log its id whatever else changed.
void AuditPipeline::add_log(Draft& draft, AuditLog log, std::uint64_t index) {
  AuditPut& put = draft.put;
  log.id = put.key ? derived_audit_id(put.key->id, index) : ids_.next(put.receive_time);
  log.timestamp = floor_to_micros(put.receive_time);
  log.tenant = put.tenant;
  draft.outcome.message_ids.push_back(audit_message_id(log.id));
  put.logs.push_back(std::move(log));
}

void AuditPipeline::create(const AuditIntake& intake, AuditIntakeDone done) {
  std::optional<Draft> draft = begin(intake, done);
  if (!draft) return;
  FieldFaults faults;
  std::optional<AuditLog> log = AuditDraftReader(settings(intake.tenant)).read(intake.body, {}, faults);
  if (!log) {
    ++logs_rejected_;
    return done(refused(std::move(faults)));
  }
  add_log(*draft, std::move(*log), 0);
  store(std::move(*draft), std::move(done));
}

void AuditPipeline::create_bulk(const AuditIntake& intake, AuditIntakeDone done) {
  std::optional<Draft> draft = begin(intake, done);
  if (!draft) return;
  FieldFaults body_faults;
  auto elements = read_audit_bulk(intake.body, body_faults);
  if (!elements) return done(failed(elements.error()));
  if (!elements->has_value()) return done(refused(std::move(body_faults)));
  AuditDraftReader reader(settings(intake.tenant));
  std::uint64_t index = 0;
  for (const std::string& element : **elements) {
    FieldFaults faults;
    std::optional<AuditLog> log = reader.read(element, index, faults);
    if (log) {
      add_log(*draft, std::move(*log), index);
    } else {
      draft->put.dead_letters.push_back({faults_text(faults), masked_json(element)});
      draft->outcome.rejected.push_back({index, std::move(faults)});
    }
    ++index;
  }
  store(std::move(*draft), std::move(done));
}

void AuditPipeline::store(Draft draft, AuditIntakeDone done) {
  const std::uint64_t taken = draft.put.logs.size();
  const std::uint64_t rejected = draft.put.dead_letters.size();
  auto outcome = std::make_shared<AuditIntakeOutcome>(std::move(draft.outcome));
  if (taken == 0) {
    for (RejectedAuditLog& log : outcome->rejected) {
      for (FieldFault& fault : log.faults) outcome->faults.push_back(std::move(fault));
    }
  }
  store_.put(std::move(draft.put), [this, taken, rejected, outcome, done = std::move(done)](Result<AuditPutReply> put) {
    if (!put) return done(failed(std::move(put).error()));
    if (!put->replayed) {
      logs_taken_ += taken;
      logs_rejected_ += rejected;
    }
    outcome->replayed = put->replayed;
    done(std::move(*outcome));
  });
}

}  // namespace dendro
