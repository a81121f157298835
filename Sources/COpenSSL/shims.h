#ifndef FOLDSERVE_COPENSSL_SHIMS_H
#define FOLDSERVE_COPENSSL_SHIMS_H

#include <openssl/err.h>
#include <openssl/ssl.h>

// OpenSSL's function-like macros, which Swift does not import.

static inline int copenssl_set_minimum_version(SSL_CTX *context) {
    return (int)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}

/// Partial writes from a buffer that may move, and no idle record buffers.
static inline void copenssl_set_modes(SSL_CTX *context) {
    SSL_CTX_set_mode(
        context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
}

/// No renegotiation, no compression, the server's order of ciphers; a missing close_notify is an ordinary end.
static inline void copenssl_set_options(SSL_CTX *context) {
    SSL_CTX_set_options(
        context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE
                     | SSL_OP_IGNORE_UNEXPECTED_EOF);
}

/// One read takes as many records as the socket has.
static inline void copenssl_set_read_ahead(SSL_CTX *context) {
    SSL_CTX_set_read_ahead(context, 1);
}

static inline void copenssl_disable_session_cache(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

#endif
