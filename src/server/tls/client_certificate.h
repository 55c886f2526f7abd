#pragma once

#include <string>

#include "base/timestamp.h"

struct x509_st;

namespace dendro {

/// Who a TLS client's certificate says it is; the certificate was verified.
struct ClientCertificate {
  /// Its names, one a line, each with its kind: "URI:..", "DNS:..", "email:.." of its alternative names in this order,
  /// then "subject:.." (RFC 2253) and "CN:..". Never empty; the text of Credential::Kind::certificate.
  std::string names;
  Timestamp expires;
};

/// Names that hold a control character are left out: a line would not be one name.
ClientCertificate describe_client_certificate(x509_st* certificate);

/// `notAfter` of a certificate, or kTimestampMax if it cannot be read. Whole seconds.
Timestamp certificate_expiry(const x509_st* certificate);

/// What to call a server's certificate in messages: its first DNS name, else its CN, else "unnamed".
std::string certificate_label(x509_st* certificate);

}  // namespace dendro
