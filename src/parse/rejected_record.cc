#include "parse/rejected_record.h"

namespace dendro {

std::string_view reject_reason_name(RejectReason reason) {
  switch (reason) {
    case RejectReason::parse_error:
      return "parse_error";
    case RejectReason::record_too_large:
      return "record_too_large";
    case RejectReason::too_old:
      return "too_old";
    case RejectReason::too_new:
      return "too_new";
    case RejectReason::name_too_long:
      return "name_too_long";
    case RejectReason::unsupported_action:
      return "unsupported_action";
    case RejectReason::id_conflict:
      return "id_conflict";
  }
  return "";
}

}  // namespace dendro
