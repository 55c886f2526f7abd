#include "server/tls/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

#include "base/check.h"
#include "base/checksum.h"
#include "server/tls/client_certificate.h"
#include "server/tls/openssl_text.h"

namespace dendro {
namespace {

/// An authority, those between it and the client, and one to spare.
constexpr int kClientChainMax = 4;

template <typename T, void (*Free)(T*)>
struct TlsDeleter {
  void operator()(T* object) const { Free(object); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, TlsDeleter<SSL_CTX, SSL_CTX_free>>;
using StorePtr = std::unique_ptr<X509_STORE, TlsDeleter<X509_STORE, X509_STORE_free>>;
using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, TlsDeleter<X509_STORE_CTX, X509_STORE_CTX_free>>;

Error file_fault(std::string_view member, const std::string& path, const std::string& why) {
  return Error(ErrorCode::invalid_argument, "tls " + std::string(member) + " '" + path + "': " + why);
}

/// A key with a pass phrase would ask for it on the terminal.
int no_pass_phrase_for_key(char*, int, int, void*) {
  return -1;
}

/// Only HTTP/1.1 is spoken. A client that asks for others only is told so (RFC 7301, 3.2).
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_bytes, const unsigned char* offered,
                    unsigned int offered_bytes, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_bytes, kHttp11, sizeof(kHttp11) - 1, offered, offered_bytes) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

Result<std::string> bytes_of_file(std::string_view member, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  if (!file || !(bytes << file.rdbuf())) return file_fault(member, path, "cannot be read");
  return bytes.str();
}

/// Certificates and revocation lists of a file.
class PemParts {
 public:
  explicit PemParts(const std::string& bytes) {
    const std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())),
                                                  &BIO_free);
    parts_ = bio ? PEM_X509_INFO_read_bio(bio.get(), nullptr, &no_pass_phrase_for_key, nullptr) : nullptr;
    ERR_clear_error();
  }
  ~PemParts() { sk_X509_INFO_pop_free(parts_, X509_INFO_free); }
  PemParts(const PemParts&) = delete;
  PemParts& operator=(const PemParts&) = delete;

  std::vector<X509*> certificates() const { return all_of(&X509_INFO::x509); }
  std::vector<X509_CRL*> lists() const { return all_of(&X509_INFO::crl); }

 private:
  template <typename T>
  std::vector<T*> all_of(T* X509_INFO::* member) const {
    std::vector<T*> found;
    for (int i = 0; i < sk_X509_INFO_num(parts_); ++i) {
      if (T* const part = sk_X509_INFO_value(parts_, i)->*member) found.push_back(part);
    }
    return found;
  }
  STACK_OF(X509_INFO) * parts_;
};

}  // namespace

/// Fills a TlsContext.
class TlsContext::Loader {
 public:
  Loader(const TlsSettings& settings, TlsContext& out) : settings_(settings), out_(out) {}

  Status run() {
    DENDRO_TRY(check_tls_settings(settings_));
    DENDRO_TRY(read_trust());
    for (std::size_t i = 0; i < settings_.certificates.size(); ++i) DENDRO_TRY(add(i));
    SSL_CTX_set_tlsext_servername_callback(out_.contexts_.front(), &choose_certificate);
    SSL_CTX_set_tlsext_servername_arg(out_.contexts_.front(), &out_);
    return {};
  }

 private:
  /// Which certificate a client gets who names a host.
  static int choose_certificate(SSL* connection, int*, void* context) {
    const char* const host = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
    if (host == nullptr) return SSL_TLSEXT_ERR_NOACK;
    SSL_set_SSL_CTX(connection, static_cast<const TlsContext*>(context)->context_for(host));
    return SSL_TLSEXT_ERR_OK;
  }

  Status add(std::size_t index) {
    ContextPtr context(SSL_CTX_new(TLS_server_method()));
    if (!context) return Error(ErrorCode::internal, "TLS: " + openssl_reason());
    DENDRO_TRY(set_rules(context.get()));
    DENDRO_TRY(use_pair(context.get(), settings_.certificates[index], settings_.keys[index]));
    ask_for_clients(context.get());
    X509* const own = SSL_CTX_get0_certificate(context.get());
    out_.certificates_.push_back({certificate_label(own), certificate_expiry(own)});
    out_.contexts_.push_back(context.release());
    return {};
  }

  Status set_rules(SSL_CTX* context) const {
    const bool is_1_3 = settings_.min_version == TlsVersion::v1_3;
    SSL_CTX_set_min_proto_version(context, is_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 0);
    // Without AUTO_RETRY a buffer of records that hold no data comes back to TlsStream, which counts it.
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_alpn_select_cb(context, &choose_protocol, nullptr);
    SSL_CTX_set_default_passwd_cb(context, &no_pass_phrase_for_key);
    const std::string ciphers = settings_.ciphers.empty() ? std::string(kTlsCiphers) : settings_.ciphers;
    if (SSL_CTX_set_cipher_list(context, ciphers.c_str()) == 1) return {};
    return Error(ErrorCode::invalid_argument, "tls ciphers '" + ciphers + "': " + openssl_reason());
  }

  static Status use_pair(SSL_CTX* context, const std::string& certificate, const std::string& key) {
    if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
      return file_fault("certificate", certificate, openssl_reason());
    }
    if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
      return file_fault("key", key, openssl_reason());
    }
    if (SSL_CTX_check_private_key(context) != 1) return file_fault("key", key, openssl_reason());
    return {};
  }

  Status read_trust() {
    if (settings_.client_ca.empty()) return {};
    DENDRO_TRY_ASSIGN(const std::string authorities, bytes_of_file("client_ca", settings_.client_ca));
    std::string lists;
    if (!settings_.client_crl.empty()) {
      DENDRO_TRY_ASSIGN(lists, bytes_of_file("client_crl", settings_.client_crl));
    }
    out_.trust_hash_ = xxh3(authorities + '\0' + lists, HashSeed(0));
    trust_.reset(X509_STORE_new());
    DENDRO_CHECK(trust_ != nullptr);
    DENDRO_TRY(add_authorities(authorities));
    return settings_.client_crl.empty() ? Status() : add_lists(lists);
  }

  Status add_authorities(const std::string& bytes) {
    authority_names_.reset(sk_X509_NAME_new_null());
    const PemParts parts(bytes);
    for (X509* const authority : parts.certificates()) {
      if (X509_check_ca(authority) == 0) {
        return file_fault("client_ca", settings_.client_ca, "holds a certificate that may not sign others");
      }
      X509_STORE_add_cert(trust_.get(), authority);
      sk_X509_NAME_push(authority_names_.get(), X509_NAME_dup(X509_get_subject_name(authority)));
    }
    if (sk_X509_NAME_num(authority_names_.get()) > 0) return {};
    return file_fault("client_ca", settings_.client_ca, "holds no certificate in PEM");
  }

  Status add_lists(const std::string& bytes) {
    const PemParts parts(bytes);
    for (X509_CRL* const list : parts.lists()) {
      X509_STORE_add_crl(trust_.get(), list);
      const Timestamp next = timestamp_of(X509_CRL_get0_nextUpdate(list));
      out_.crl_expires_ = std::min(out_.crl_expires_.value_or(kTimestampMax), next);
    }
    if (!out_.crl_expires_) return file_fault("client_crl", settings_.client_crl, "holds no revocation list in PEM");
    X509_STORE_set_flags(trust_.get(), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return {};
  }

  void ask_for_clients(SSL_CTX* context) const {
    if (!trust_) return;
    const bool is_required = settings_.client_certificates == ClientCertificates::required;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (is_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
    SSL_CTX_set_verify_depth(context, kClientChainMax);
    SSL_CTX_set1_verify_cert_store(context, trust_.get());
    SSL_CTX_set_client_CA_list(context, SSL_dup_CA_list(authority_names_.get()));
  }

  struct NamesDeleter {
    void operator()(STACK_OF(X509_NAME) * names) const { sk_X509_NAME_pop_free(names, X509_NAME_free); }
  };
  const TlsSettings& settings_;
  TlsContext& out_;
  StorePtr trust_;
  std::unique_ptr<STACK_OF(X509_NAME), NamesDeleter> authority_names_;
};

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsSettings& settings) {
  ERR_clear_error();
  const std::shared_ptr<TlsContext> context(new TlsContext());
  const Status loaded = Loader(settings, *context).run();
  ERR_clear_error();
  if (!loaded) return loaded.error();
  return std::shared_ptr<const TlsContext>(context);
}

TlsContext::~TlsContext() {
  for (SSL_CTX* const context : contexts_) SSL_CTX_free(context);
}

SSL* TlsContext::new_connection() const {
  SSL* const connection = SSL_new(contexts_.front());
  DENDRO_CHECK(connection != nullptr);
  SSL_set_accept_state(connection);
  return connection;
}

SSL_CTX* TlsContext::context_for(const char* host) const {
  const auto found = std::ranges::find_if(contexts_, [host](SSL_CTX* context) {
    return X509_check_host(SSL_CTX_get0_certificate(context), host, 0, 0, nullptr) == 1;
  });
  return found == contexts_.end() ? contexts_.front() : *found;
}

bool TlsContext::trusts_client_of(const SSL* connection, const TlsContext& began_with) const {
  if (trust_hash_ == began_with.trust_hash_) return true;
  X509_STORE* store = nullptr;
  SSL_CTX_get0_verify_cert_store(contexts_.front(), &store);
  X509* const certificate = SSL_get0_peer_certificate(connection);
  const StoreContextPtr check(X509_STORE_CTX_new());
  if (store == nullptr || certificate == nullptr || !check ||
      X509_STORE_CTX_init(check.get(), store, certificate, SSL_get_peer_cert_chain(connection)) != 1) {
    return false;
  }
  X509_STORE_CTX_set_default(check.get(), "ssl_client");
  X509_STORE_CTX_set_depth(check.get(), kClientChainMax);
  const bool is_good = X509_verify_cert(check.get()) == 1;
  ERR_clear_error();
  return is_good;
}

}  // namespace dendro
