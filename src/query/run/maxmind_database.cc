#include <arpa/inet.h>
#include <maxminddb.h>
#include <netinet/in.h>

#include <cstring>
#include <optional>

#include "query/plan/geo_database.h"

namespace dendro {
namespace {

/// Of kGeoFields, where it stands in the databases of countries, cities and networks.
constexpr std::array<std::array<const char*, 4>, kGeoFields.size()> kPaths = {{
    {"continent", "code", nullptr, nullptr},
    {"country", "iso_code", nullptr, nullptr},
    {"country", "names", "en", nullptr},
    {"subdivisions", "0", "iso_code", nullptr},
    {"city", "names", "en", nullptr},
    {"postal", "code", nullptr, nullptr},
    {"location", "latitude", nullptr, nullptr},
    {"location", "longitude", nullptr, nullptr},
    {"autonomous_system_number", nullptr, nullptr, nullptr},
    {"autonomous_system_organization", nullptr, nullptr, nullptr},
}};

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

std::optional<SocketAddress> parse_socket_address(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.empty() || text.size() >= terminated.size()) return std::nullopt;
  std::memcpy(terminated.data(), text.data(), text.size());
  SocketAddress address{};
  if (inet_pton(AF_INET, terminated.data(), &address.v4.sin_addr) == 1) {
    address.v4.sin_family = AF_INET;
    return address;
  }
  if (inet_pton(AF_INET6, terminated.data(), &address.v6.sin6_addr) == 1) {
    address.v6.sin6_family = AF_INET6;
    return address;
  }
  return std::nullopt;
}

/// Null for types that no field has.
Value value_of_entry(const MMDB_entry_data_s& data) {
  switch (data.type) {
    case MMDB_DATA_TYPE_UTF8_STRING:
      return value_of_string({data.utf8_string, data.data_size});
    case MMDB_DATA_TYPE_DOUBLE:
      return Value::of_float64(data.double_value);
    case MMDB_DATA_TYPE_FLOAT:
      return Value::of_float64(static_cast<double>(data.float_value));
    case MMDB_DATA_TYPE_UINT16:
      return Value::of_int64(data.uint16);
    case MMDB_DATA_TYPE_UINT32:
      return Value::of_int64(data.uint32);
    case MMDB_DATA_TYPE_INT32:
      return Value::of_int64(data.int32);
    default:
      return Value::of_null();
  }
}

class MaxMindDatabase final : public GeoDatabase {
 public:
  MaxMindDatabase(const MMDB_s& database, std::string path) : database_(database), path_(std::move(path)) {}
  ~MaxMindDatabase() override { MMDB_close(&database_); }
  MaxMindDatabase(const MaxMindDatabase&) = delete;
  MaxMindDatabase& operator=(const MaxMindDatabase&) = delete;

  Status find(std::string_view text, std::vector<Found>& found) const override {
    found.clear();
    const std::optional<SocketAddress> address = parse_socket_address(text);
    if (!address) return {};
    int fault = MMDB_SUCCESS;
    MMDB_lookup_result_s result = MMDB_lookup_sockaddr(&database_, &address->any, &fault);
    if (fault == MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR) return {};
    if (fault != MMDB_SUCCESS) return damaged(fault);
    if (!result.found_entry) return {};
    for (std::size_t field = 0; field < kPaths.size(); ++field) {
      MMDB_entry_data_s data{};
      fault = MMDB_aget_value(&result.entry, &data, kPaths[field].data());
      if (fault == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR) continue;
      if (fault != MMDB_SUCCESS) return damaged(fault);
      if (!data.has_data) continue;
      if (const Value value = value_of_entry(data); !value.is_missing()) found.push_back({field, value});
    }
    return {};
  }

 private:
  Error damaged(int fault) const {
    return Error(ErrorCode::corruption, "geoip: database " + path_ + ": " + MMDB_strerror(fault));
  }

  MMDB_s database_;
  const std::string path_;
};

}  // namespace

Result<std::shared_ptr<const GeoDatabase>> open_maxmind_database(const std::string& path) {
  MMDB_s database{};
  const int fault = MMDB_open(path.c_str(), MMDB_MODE_MMAP, &database);
  if (fault != MMDB_SUCCESS) {
    const ErrorCode code = fault == MMDB_FILE_OPEN_ERROR ? ErrorCode::not_found
                           : fault == MMDB_IO_ERROR      ? ErrorCode::io_error
                                                         : ErrorCode::invalid_argument;
    return Error(code, "geoip: database " + path + ": " + MMDB_strerror(fault));
  }
  return std::shared_ptr<const GeoDatabase>(std::make_shared<MaxMindDatabase>(database, path));
}

}  // namespace dendro
