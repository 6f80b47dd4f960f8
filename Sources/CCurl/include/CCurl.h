#ifndef FREEZE_PROFILE_CCURL_H
#define FREEZE_PROFILE_CCURL_H

#include <stddef.h>
#include <stdint.h>

// libcurl, opened at run time. Linked, it costs every process that shares the pipeline's binary six megabytes of
// resident libraries (measured: 7.2 against 1.2 MB for a process that does nothing), and the monitor child, which
// never makes a request, is such a process. In C because curl_easy_setopt is variadic.

/// What is fetched, and the bounds within which it is.
struct ccurl_request {
    const char *_Nonnull url;
    const char *_Nonnull user_agent;
    /// Host names that are never reached through a proxy, comma separated.
    const char *_Nonnull no_proxy;
    /// The most bytes of body accepted, after decompression.
    int64_t maximum_bytes;
    long connect_timeout_ms;
    long total_timeout_ms;
    long maximum_redirects;
    /// Not zero: the server may send the body compressed.
    int accepts_compression;
    /// Header fields to send besides curl's own, such as `Range: bytes=100-`.
    const char *_Nonnull const *_Nullable fields;
    size_t field_count;
};

/// Takes a part of the body. Anything but 0 ends the transfer.
typedef int (*ccurl_sink)(void *_Nullable context, const uint8_t *_Nonnull bytes, size_t count);

/// Takes a header line of an answer, its line end included. With redirects those of every answer.
typedef void (*ccurl_header_sink)(void *_Nullable context, const uint8_t *_Nonnull bytes, size_t count);

/// Whether a connection to an address may be made: 4 bytes for IPv4, 16 for IPv6, in network order. Asked after the
/// host's name was resolved, for every connection, those to which a redirect leads included.
typedef int (*ccurl_address_filter)(
    void *_Nullable context, const uint8_t *_Nonnull address, size_t count, uint16_t port);

/// What is called while a request is performed.
struct ccurl_callbacks {
    void *_Nullable context;
    ccurl_sink _Nonnull body;
    ccurl_header_sink _Nonnull header;
    ccurl_address_filter _Nonnull allows;
};

/// How a request ended.
struct ccurl_outcome {
    /// A CURLcode: 0 when the whole body has arrived with a status below 400.
    int code;
    /// The last HTTP status, 0 when there was none.
    long status;
    /// Bytes of body handed to the sink.
    int64_t received;
    /// Not zero: the body was longer than `maximum_bytes`.
    int is_too_long;
    /// Not zero: the sink ended the transfer.
    int is_stopped_by_sink;
    /// Not zero: an address was refused by the filter.
    int is_address_refused;
};

/// Opens libcurl.so.4 and looks up the functions used here. Call it once before the others. Returns 0, or -1 with
/// the dynamic linker's words in `message`.
int ccurl_load(char *_Nonnull message, size_t message_size);

/// Performs a GET over http or https. `message` gets curl's words on failure, `effective_url` the address after all
/// redirects; both end with a zero.
struct ccurl_outcome ccurl_get(
    const struct ccurl_request *_Nonnull request, const struct ccurl_callbacks *_Nonnull callbacks,
    char *_Nonnull message, size_t message_size, char *_Nonnull effective_url, size_t effective_url_size);

/// Resolves a reference against a base address (RFC 3986). Returns 0, or -1 when the result is not an http or https
/// address or does not fit.
int ccurl_resolve(
    const char *_Nonnull base, const char *_Nonnull reference, char *_Nonnull resolved, size_t resolved_size);

#endif
