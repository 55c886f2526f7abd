#include "storage/segment/segment_survey.h"

#include "storage/limits.h"
#include "storage/segment/row_group_reader.h"
#include "storage/segment/segment.h"

namespace dendro {
namespace {

constexpr std::size_t kSurveyCacheBytes = 0;  // each piece is looked at once

/// Walks the row groups of one open segment.
class SegmentSurveyor {
 public:
  SegmentSurveyor(const Segment& segment, SegmentSurvey& survey) : segment_(segment), survey_(survey) {}

  void run() {
    const Result<std::shared_ptr<const SegmentTables>> tables = segment_.tables();
    if (!tables) {
      survey_.faults.push_back(StorageFault::of(segment_.path(), tables.error()));
      return;
    }
    tables_ = *tables;
    name_columns();
    for (std::uint32_t i = 0; i < tables_->row_groups.size(); ++i) survey_row_group(i);
  }

 private:
  void name_columns() {
    const SegmentDictionary& dictionary = *tables_->dictionary;
    survey_.shape_count = dictionary.shapes().size();
    survey_.stream_count = dictionary.streams().size();
    for (std::size_t i = 0; i < dictionary.columns().size(); ++i) {
      ColumnSurvey& column = survey_.columns.emplace_back();
      column.path = dictionary.columns()[i].path;
      column.type = dictionary.columns()[i].type;
      const std::size_t templates = dictionary.templates(i).templates.size();
      column.templates = templates > 0 ? templates - 1 : 0;  // number 0 is none
      survey_.template_count += column.templates;
    }
  }

  void survey_row_group(std::uint32_t index) {
    const RowGroupEntry& group = tables_->row_groups[index];
    RowGroupSurvey& of_group = survey_.row_groups.emplace_back();
    of_group.records = group.record_count;
    of_group.raw_bytes = group.raw_bytes;
    of_group.blocks = static_cast<std::uint32_t>(group.blocks.size());
    if (!group.blocks.empty()) of_group.first_offset = group.blocks.front().offset;
    of_group.min_timestamp = group.min_timestamp;
    of_group.max_timestamp = group.max_timestamp;
    of_group.first_sequence = group.first_sequence;
    of_group.last_sequence = group.last_sequence;
    for (const BlockPlace& block : group.blocks) of_group.stored_bytes += block.stored_bytes;

    add(survey_.timestamps, group, group.timestamps);
    add(survey_.sequences, group, group.sequences);
    add(survey_.severities, group, group.severities);
    add(survey_.shapes, group, group.shapes);
    add(survey_.streams, group, group.streams);
    add(survey_.filter, group, group.filter);
    RowGroupReader reader(segment_, *tables_, index, cache_);
    for (const ColumnEntry& entry : group.columns) survey_column(group, entry, reader);
    for (const BlockPlace& block : group.blocks) {
      const Result<std::string> plain = segment_.read_block(block);
      if (!plain) survey_.faults.push_back(StorageFault::of(segment_.path(), plain.error()));
    }
  }

  static void add(StoredBytes& bytes, const RowGroupEntry& group, const ChunkPlace& place) {
    if (!place.is_empty()) bytes.add(group.blocks[place.block], place.bytes);
  }

  void survey_column(const RowGroupEntry& group, const ColumnEntry& entry, RowGroupReader& reader) {
    ColumnSurvey& column = survey_.columns[entry.column];
    ++column.layouts[static_cast<std::size_t>(entry.layout)];
    column.groups_in_filter += entry.is_in_filter ? 1 : 0;
    column.values += entry.value_count;
    StoredBytes own;
    add(own, group, entry.place);
    if (entry.layout == ColumnLayout::templates) {
      column.head += own;
      survey_templates(group, entry, reader, column, own);
    }
    column.bytes += own;
  }

  /// What cannot be read is told by the walk over the blocks.
  void survey_templates(const RowGroupEntry& group, const ColumnEntry& entry, RowGroupReader& reader,
                        ColumnSurvey& column, StoredBytes& own) {
    const auto head = reader.templates(entry);
    if (!head) return;
    const auto add_part = [&](StoredBytes& part, const ChunkPlace& place) {
      add(part, group, place);
      add(own, group, place);
    };
    add_part(column.codes, (*head)->codes_place);
    add_part(column.whole, (*head)->whole);
    for (const TemplateColumn::PoolBlock& block : (*head)->pool) add_part(column.pool, block.place);
    column.whole_values += (*head)->whole_count;
    column.local_templates += (*head)->locals.size();
    for (const TemplateColumn::Slot& slot : (*head)->slots) {
      ++column.slots_by_mode[static_cast<std::size_t>(slot.mode)];
      if (slot.mode == SlotMode::chunk) add_part(column.slot_chunks, slot.chunk);
    }
  }

  const Segment& segment_;
  SegmentSurvey& survey_;
  std::shared_ptr<const SegmentTables> tables_;
  PieceCache cache_{kSurveyCacheBytes};
};

}  // namespace

Result<SegmentSurvey> survey_segment(FileSystem& files, const std::string& path) {
  SegmentSurvey survey;
  const Status described = describe_segment(files, path, survey.file);
  if (!described) {
    const ErrorCode code = described.error().code();
    if (code != ErrorCode::corruption && code != ErrorCode::unimplemented) return described.error();
    survey.faults.push_back(StorageFault::of(path, described.error()));
    return survey;
  }
  survey.has_meta = true;
  const auto segment = Segment::open(files, path, survey.file.header.store_id, survey.file.meta.info);
  if (segment->damage()) {
    survey.faults.push_back(StorageFault::of(path, *segment->damage()));
    return survey;
  }
  SegmentSurveyor(*segment, survey).run();
  return survey;
}

}  // namespace dendro
