#define CURL_DISABLE_TYPECHECK
#include "CCurl.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static struct {
    CURLcode (*global_init)(long);
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_perform)(CURL *);
    CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
    void (*easy_cleanup)(CURL *);
    const char *(*easy_strerror)(CURLcode);
    CURLU *(*url)(void);
    CURLUcode (*url_set)(CURLU *, CURLUPart, const char *, unsigned int);
    CURLUcode (*url_get)(CURLU *, CURLUPart, char **, unsigned int);
    void (*url_cleanup)(CURLU *);
    void (*release)(void *);
    struct curl_slist *(*list_append)(struct curl_slist *, const char *);
    void (*list_free)(struct curl_slist *);
} curl;

static int find(void *library, const char *name, void *slot) {
    void *address = dlsym(library, name);
    if (!address) return -1;
    memcpy(slot, &address, sizeof address);
    return 0;
}

int ccurl_load(char *message, size_t message_size) {
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library || find(library, "curl_global_init", &curl.global_init) ||
        find(library, "curl_easy_init", &curl.easy_init) || find(library, "curl_easy_setopt", &curl.easy_setopt) ||
        find(library, "curl_easy_perform", &curl.easy_perform) ||
        find(library, "curl_easy_getinfo", &curl.easy_getinfo) ||
        find(library, "curl_easy_cleanup", &curl.easy_cleanup) ||
        find(library, "curl_easy_strerror", &curl.easy_strerror) || find(library, "curl_url", &curl.url) ||
        find(library, "curl_url_set", &curl.url_set) || find(library, "curl_url_get", &curl.url_get) ||
        find(library, "curl_url_cleanup", &curl.url_cleanup) || find(library, "curl_free", &curl.release) ||
        find(library, "curl_slist_append", &curl.list_append) ||
        find(library, "curl_slist_free_all", &curl.list_free)) {
        const char *words = dlerror();
        snprintf(message, message_size, "%s", words ? words : "no reason given");
        return -1;
    }
    if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        snprintf(message, message_size, "curl_global_init failed");
        return -1;
    }
    return 0;
}

struct transfer {
    const struct ccurl_request *request;
    const struct ccurl_callbacks *callbacks;
    struct curl_slist *fields;
    struct ccurl_outcome *outcome;
};

static size_t receive(char *bytes, size_t size, size_t count, void *opaque) {
    struct transfer *transfer = opaque;
    struct ccurl_outcome *outcome = transfer->outcome;
    size_t length = size * count;
    if ((int64_t)length > transfer->request->maximum_bytes - outcome->received) {
        outcome->is_too_long = 1;
        return 0;
    }
    if (transfer->callbacks->body(transfer->callbacks->context, (const uint8_t *)bytes, length) != 0) {
        outcome->is_stopped_by_sink = 1;
        return 0;
    }
    outcome->received += (int64_t)length;
    return length;
}

static size_t receive_header(char *bytes, size_t size, size_t count, void *opaque) {
    struct transfer *transfer = opaque;
    transfer->callbacks->header(transfer->callbacks->context, (const uint8_t *)bytes, size * count);
    return size * count;
}

// Called with the address that is about to be connected to, so a name that resolves to another address next time gains
// nothing.
static curl_socket_t open_socket(void *opaque, curlsocktype purpose, struct curl_sockaddr *target) {
    (void)purpose;
    struct transfer *transfer = opaque;
    const uint8_t *address = NULL;
    size_t count = 0;
    uint16_t port = 0;
    if (target->family == AF_INET) {
        const struct sockaddr_in *internet = (const void *)&target->addr;
        address = (const uint8_t *)&internet->sin_addr;
        count = 4;
        port = ntohs(internet->sin_port);
    } else if (target->family == AF_INET6) {
        const struct sockaddr_in6 *internet = (const void *)&target->addr;
        address = (const uint8_t *)&internet->sin6_addr;
        count = 16;
        port = ntohs(internet->sin6_port);
    }
    if (!address || !transfer->callbacks->allows(transfer->callbacks->context, address, count, port)) {
        transfer->outcome->is_address_refused = 1;
        return CURL_SOCKET_BAD;
    }
    return socket(target->family, target->socktype | SOCK_CLOEXEC, target->protocol);
}

static CURLcode configure(CURL *handle, const struct ccurl_request *request, struct transfer *transfer, char *words) {
    CURLcode code = CURLE_OK;
#define SET(option, value) \
    if (code == CURLE_OK) code = curl.easy_setopt(handle, option, value)
    SET(CURLOPT_ERRORBUFFER, words);
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_USERAGENT, request->user_agent);
    SET(CURLOPT_NOPROXY, request->no_proxy);
    // A feed may name any address and redirect anywhere: only these two schemes, never file, ftp or gopher.
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 1L);
    SET(CURLOPT_MAXREDIRS, request->maximum_redirects);
    SET(CURLOPT_FAILONERROR, 1L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, request->connect_timeout_ms);
    SET(CURLOPT_TIMEOUT_MS, request->total_timeout_ms);
    // A server that stalls is given up long before the total time is over.
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, 30L);
    SET(CURLOPT_WRITEFUNCTION, receive);
    SET(CURLOPT_WRITEDATA, transfer);
    SET(CURLOPT_HEADERFUNCTION, receive_header);
    SET(CURLOPT_HEADERDATA, transfer);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, transfer);
    if (transfer->fields) SET(CURLOPT_HTTPHEADER, transfer->fields);
    if (request->accepts_compression) SET(CURLOPT_ACCEPT_ENCODING, "");
#undef SET
    return code;
}

struct ccurl_outcome ccurl_get(
    const struct ccurl_request *request, const struct ccurl_callbacks *callbacks, char *message, size_t message_size,
    char *effective_url, size_t effective_url_size) {
    struct ccurl_outcome outcome = {.code = CURLE_FAILED_INIT};
    char words[CURL_ERROR_SIZE] = "";
    message[0] = effective_url[0] = 0;
    CURL *handle = curl.easy_init();
    if (!handle) {
        snprintf(message, message_size, "curl_easy_init failed");
        return outcome;
    }
    struct transfer transfer = {request, callbacks, NULL, &outcome};
    for (size_t index = 0; index < request->field_count; index++)
        transfer.fields = curl.list_append(transfer.fields, request->fields[index]);
    CURLcode code = configure(handle, request, &transfer, words);
    if (code == CURLE_OK) code = curl.easy_perform(handle);
    outcome.code = (int)code;
    curl.easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &outcome.status);
    char *effective = NULL;
    if (curl.easy_getinfo(handle, CURLINFO_EFFECTIVE_URL, &effective) == CURLE_OK && effective)
        snprintf(effective_url, effective_url_size, "%s", effective);
    if (code != CURLE_OK) snprintf(message, message_size, "%s", words[0] ? words : curl.easy_strerror(code));
    curl.easy_cleanup(handle);
    curl.list_free(transfer.fields);
    return outcome;
}

int ccurl_resolve(const char *base, const char *reference, char *resolved, size_t resolved_size) {
    CURLU *url = curl.url();
    if (!url) return -1;
    char *text = NULL, *scheme = NULL;
    int outcome = -1;
    if (curl.url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK &&
        curl.url_set(url, CURLUPART_URL, reference, CURLU_URLENCODE) == CURLUE_OK &&
        curl.url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
        curl.url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK && strlen(text) < resolved_size) {
        strcpy(resolved, text);
        outcome = 0;
    }
    curl.release(text);
    curl.release(scheme);
    curl.url_cleanup(url);
    return outcome;
}
