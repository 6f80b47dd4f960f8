#include "CXML.h"

#include <dlfcn.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <string.h>

static struct {
    void (*init_parser)(void);
    xmlParserCtxtPtr (*create_context)(const char *, int);
    int (*use_options)(xmlParserCtxtPtr, int);
    int (*parse_document)(xmlParserCtxtPtr);
    void (*stop_parser)(xmlParserCtxtPtr);
    void (*free_context)(xmlParserCtxtPtr);
    void (*free_document)(xmlDocPtr);
    int (*line_number)(void *);
} xml;

static int find(void *library, const char *name, void *slot) {
    void *address = dlsym(library, name);
    if (!address) return -1;
    memcpy(slot, &address, sizeof address);
    return 0;
}

int cxml_load(char *message, size_t message_size) {
    void *library = dlopen("libxml2.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!library || find(library, "xmlInitParser", &xml.init_parser) ||
        find(library, "xmlCreateMemoryParserCtxt", &xml.create_context) ||
        find(library, "xmlCtxtUseOptions", &xml.use_options) ||
        find(library, "xmlParseDocument", &xml.parse_document) ||
        find(library, "xmlStopParser", &xml.stop_parser) || find(library, "xmlFreeParserCtxt", &xml.free_context) ||
        find(library, "xmlFreeDoc", &xml.free_document) ||
        find(library, "xmlSAX2GetLineNumber", &xml.line_number)) {
        const char *words = dlerror();
        snprintf(message, message_size, "%s", words ? words : "no reason given");
        return -1;
    }
    // Before any thread uses it.
    xml.init_parser();
    return 0;
}

struct parsing {
    const struct cxml_handler *handler;
    void *context;
    xmlParserCtxtPtr parser;
};

/// More attributes of one element than this are left out.
enum { maximum_attributes = 32 };

static void start_element(
    void *opaque, const xmlChar *local, const xmlChar *prefix, const xmlChar *name_space, int namespace_count,
    const xmlChar **namespaces, int attribute_count, int defaulted_count, const xmlChar **raw) {
    (void)namespace_count, (void)namespaces, (void)defaulted_count;
    struct parsing *parsing = opaque;
    struct cxml_attribute attributes[maximum_attributes];
    size_t count = 0;
    for (int index = 0; index < attribute_count && count < maximum_attributes; index++, raw += 5) {
        attributes[count++] = (struct cxml_attribute){
            (const char *)raw[1], (const char *)raw[2], (const char *)raw[0], raw[3], (size_t)(raw[4] - raw[3])};
    }
    int stops = parsing->handler->start(
        parsing->context, (const char *)prefix, (const char *)name_space, (const char *)local,
        xml.line_number(parsing->parser), attributes, count);
    if (stops) xml.stop_parser(parsing->parser);
}

static void end_element(void *opaque, const xmlChar *local, const xmlChar *prefix, const xmlChar *name_space) {
    (void)local, (void)prefix, (void)name_space;
    struct parsing *parsing = opaque;
    parsing->handler->end(parsing->context);
}

static void characters(void *opaque, const xmlChar *bytes, int count) {
    struct parsing *parsing = opaque;
    parsing->handler->text(parsing->context, bytes, (size_t)count);
}

static void fault(void *opaque, xmlErrorPtr error) {
    struct parsing *parsing = opaque;
    parsing->handler->fault(
        parsing->context, error->line, error->int2, error->message ? error->message : "no reason given");
}

int cxml_parse(const uint8_t *bytes, size_t count, const struct cxml_handler *handler, void *context) {
    if (count == 0) {
        handler->fault(context, 1, 1, "the document is empty");
        return 0;
    }
    xmlParserCtxtPtr parser = xml.create_context((const char *)bytes, (int)count);
    if (!parser) return -1;
    struct parsing parsing = {handler, context, parser};
    memset(parser->sax, 0, sizeof *parser->sax);
    parser->sax->initialized = XML_SAX2_MAGIC;
    parser->sax->startElementNs = start_element;
    parser->sax->endElementNs = end_element;
    parser->sax->characters = characters;
    parser->sax->ignorableWhitespace = characters;
    parser->sax->cdataBlock = characters;
    parser->sax->serror = fault;
    parser->userData = &parsing;
    // NOENT, so that &amp; in an attribute arrives as the character; a document type is never passed on to this parser.
    xml.use_options(parser, XML_PARSE_RECOVER | XML_PARSE_NOENT | XML_PARSE_NONET | XML_PARSE_IGNORE_ENC | XML_PARSE_HUGE);
    xml.parse_document(parser);
    if (parser->myDoc) xml.free_document(parser->myDoc);
    parser->myDoc = NULL;
    xml.free_context(parser);
    return 0;
}
