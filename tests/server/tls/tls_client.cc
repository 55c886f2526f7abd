#include "tests/server/tls/tls_client.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <csignal>

#include "base/check.h"

namespace dendro {

struct TlsClient::Parts {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = nullptr;
};

namespace {

X509* certificate_of_pem(const std::string& pem) {
  BIO* const bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* const certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  DENDRO_CHECK(certificate != nullptr);
  return certificate;
}

void show_certificate(SSL_CTX* context, const TlsClientOptions& options) {
  X509* const certificate = certificate_of_pem(options.certificate);
  DENDRO_CHECK(SSL_CTX_use_certificate(context, certificate) == 1);
  X509_free(certificate);
  BIO* const bio = BIO_new_mem_buf(options.key.data(), static_cast<int>(options.key.size()));
  EVP_PKEY* const key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  DENDRO_CHECK(SSL_CTX_use_PrivateKey(context, key) == 1);
  EVP_PKEY_free(key);
}

std::string wire_form(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& name : protocols) wire += static_cast<char>(name.size()) + name;
  return wire;
}

}  // namespace

TlsClient::TlsClient(std::uint16_t port, const TlsClientOptions& options)
    : RawClient(port), parts_(std::make_unique<Parts>()) {
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT: OpenSSL's socket writes raise it
  SSL_CTX* const context = parts_->context;
  SSL_CTX_set_security_level(context, 0);  // what the server refuses is its own doing
  if (options.version != 0) {
    SSL_CTX_set_min_proto_version(context, options.version);
    SSL_CTX_set_max_proto_version(context, options.version);
  }
  if (!options.ciphers.empty()) SSL_CTX_set_cipher_list(context, options.ciphers.c_str());
  if (!options.authority.empty()) {
    X509* const authority = certificate_of_pem(options.authority);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority);
    X509_free(authority);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  }
  if (!options.certificate.empty()) show_certificate(context, options);
  parts_->ssl = SSL_new(context);
  const std::string wire = wire_form(options.protocols);
  if (!wire.empty()) {
    SSL_set_alpn_protos(parts_->ssl, reinterpret_cast<const unsigned char*>(wire.data()),
                        static_cast<unsigned>(wire.size()));
  }
  if (!options.host.empty()) SSL_set_tlsext_host_name(parts_->ssl, options.host.c_str());
  SSL_set_fd(parts_->ssl, fd());
  if (options.shakes_hands) shake_hands();
}

TlsClient::~TlsClient() {
  SSL_free(parts_->ssl);
  SSL_CTX_free(parts_->context);
}

bool TlsClient::shake_hands() {
  ERR_clear_error();
  is_open_ = SSL_connect(parts_->ssl) == 1;
  return is_open_;
}

std::string TlsClient::version() const {
  return SSL_get_version(parts_->ssl);
}
std::string TlsClient::cipher() const {
  return SSL_get_cipher_name(parts_->ssl);
}
std::string TlsClient::protocol() const {
  const unsigned char* name = nullptr;
  unsigned bytes = 0;
  SSL_get0_alpn_selected(parts_->ssl, &name, &bytes);
  return {reinterpret_cast<const char*>(name), bytes};
}
std::string TlsClient::server_name() const {
  X509* const certificate = SSL_get0_peer_certificate(parts_->ssl);
  char name[256] = "";
  if (certificate != nullptr) {
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
  }
  return name;
}
bool TlsClient::was_resumed() const {
  return SSL_session_reused(parts_->ssl) == 1;
}
bool TlsClient::has_session() const {
  const SSL_SESSION* const session = SSL_get0_session(parts_->ssl);
  unsigned bytes = 0;
  if (session != nullptr) SSL_SESSION_get_id(session, &bytes);
  return session != nullptr && (SSL_SESSION_has_ticket(session) == 1 || (version() == "TLSv1.2" && bytes > 0));
}

bool TlsClient::renegotiate() {
  ERR_clear_error();
  return SSL_renegotiate(parts_->ssl) == 1 && SSL_do_handshake(parts_->ssl) == 1;
}
bool TlsClient::update_key() {
  ERR_clear_error();
  return SSL_key_update(parts_->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 && SSL_do_handshake(parts_->ssl) == 1;
}

void TlsClient::send_close_notify() {
  SSL_shutdown(parts_->ssl);
}
bool TlsClient::got_close_notify() const {
  return (SSL_get_shutdown(parts_->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}

ssize_t TlsClient::receive_bytes(char* out, std::size_t size) {
  ERR_clear_error();
  errno = 0;  // OpenSSL may fail without a system call
  std::size_t count = 0;
  if (SSL_read_ex(parts_->ssl, out, size, &count) == 1) return static_cast<ssize_t>(count);
  return SSL_get_error(parts_->ssl, 0) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

ssize_t TlsClient::send_bytes(const char* bytes, std::size_t size) {
  ERR_clear_error();
  std::size_t count = 0;
  return SSL_write_ex(parts_->ssl, bytes, size, &count) == 1 ? static_cast<ssize_t>(count) : -1;
}

}  // namespace dendro
