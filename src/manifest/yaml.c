#include "manifest/yaml.h"

#include "base/mem.h"
#include "base/text.h"

#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

struct anchor {
    const char *name;
    const struct yaml_node *node; /* NULL while its own content is being read */
};

struct reader {
    struct fy_parser *parser;
    struct arena *arena;
    struct problem_list *problems;
    struct anchor *anchors;
    size_t n_anchors, cap_anchors;
    size_t nodes;
    struct place last; /* of the last token that had one */
};

static struct place place_of(struct reader *r, struct fy_token *token)
{
    const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;
    if (mark)
        r->last = (struct place){mark->line + 1, mark->column + 1};
    return r->last;
}

static void quiet(struct fy_diag *diag, void *user, const char *text, size_t len)
{
    (void)diag, (void)user, (void)text, (void)len;
}

/* --- Bytes before YAML: encoding and control characters ----------------------------------------
 */

enum { MAX_BRACKETS = 256, MAX_LINE = 1 << 16 };

static struct place place_at(const char *text, size_t at)
{
    struct place p = {1, 1};
    for (size_t i = 0; i < at; i++) {
        if (text[i] == '\n') {
            p.line++;
            p.column = 1;
        } else if (((unsigned char)text[i] & 0xC0) != 0x80) {
            p.column++;
        }
    }
    return p;
}

/* libfyaml keeps every token of a line, and of nested flow lists, in memory until it knows whether
 * they are a key: gigabytes for a file of nothing but '['. Brackets in quotes count too, which is
 * harmless: they come in pairs. */
static int check_tokens(struct reader *r, const char *text, size_t len)
{
    size_t depth = 0, line_start = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n')
            line_start = i + 1;
        else if (text[i] == '[' || text[i] == '{')
            depth++;
        else if ((text[i] == ']' || text[i] == '}') && depth)
            depth--;
        if (depth > MAX_BRACKETS || i + 1 - line_start > MAX_LINE) {
            problem_add(r->problems, place_at(text, i), "",
                        depth > MAX_BRACKETS ? "more than %d brackets are open"
                                             : "a line of more than %d characters",
                        depth > MAX_BRACKETS ? MAX_BRACKETS : MAX_LINE);
            return -1;
        }
    }
    return 0;
}

static int check_bytes(struct reader *r, const char *text, size_t len)
{
    size_t bad = 0;
    if (!text_is_utf8(text, len, &bad)) {
        problem_add(r->problems, place_at(text, bad), "",
                    "byte 0x%02X is not valid UTF-8; save the file as UTF-8",
                    (unsigned)(unsigned char)text[bad]);
        return -1;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F) {
            problem_add(r->problems, place_at(text, i), "",
                        "control character 0x%02X; remove it or write it as \"\\x%02X\" in quotes",
                        (unsigned)c, (unsigned)c);
            return -1;
        }
    }
    return check_tokens(r, text, len);
}

/* --- Events ------------------------------------------------------------------------------------
 */

static const char *token_text(struct reader *r, struct fy_token *token, size_t *ret_len)
{
    size_t len = 0;
    const char *text = token ? fy_token_get_text(token, &len) : NULL;
    *ret_len = len;
    return arena_strndup(r->arena, text ? text : "", len);
}

static struct anchor *anchor_find(struct reader *r, const char *name)
{
    for (size_t i = r->n_anchors; i-- > 0;) /* the newest of a name counts */
        if (strcmp(r->anchors[i].name, name) == 0)
            return &r->anchors[i];
    return NULL;
}

enum { MAX_ANCHORS = 1000 };

/* Returns the anchor's index, -1 when the node has none, -2 on a problem. */
static int anchor_open(struct reader *r, struct fy_token *token)
{
    if (!token)
        return -1;
    if (r->n_anchors == MAX_ANCHORS) {
        problem_add(r->problems, place_of(r, token), "", "more than %d anchors", MAX_ANCHORS);
        return -2;
    }
    if (r->n_anchors == r->cap_anchors) {
        r->cap_anchors = r->cap_anchors ? r->cap_anchors * 2 : 16;
        r->anchors = mem_grow(r->anchors, r->cap_anchors, sizeof *r->anchors);
    }
    size_t len;
    r->anchors[r->n_anchors] = (struct anchor){token_text(r, token, &len), NULL};
    return (int)r->n_anchors++;
}

static const struct yaml_node *compose(struct reader *r, struct fy_event *event, int depth);

static const struct yaml_node *compose_alias(struct reader *r, const struct fy_event *event)
{
    size_t len;
    const char *name = token_text(r, event->alias.anchor, &len);
    struct place at = place_of(r, event->alias.anchor);
    const struct anchor *anchor = anchor_find(r, name);
    if (!anchor)
        problem_add(r->problems, at, "", "alias *%s has no anchor &%s before it", name, name);
    else if (!anchor->node)
        problem_add(r->problems, at, "", "alias *%s stands inside its own anchor: a cycle", name);
    return anchor ? anchor->node : NULL;
}

static int check_text(struct reader *r, struct yaml_node *node, size_t len)
{
    const char *bad = NULL;
    for (size_t i = 0; i < len && !bad; i++) {
        unsigned char c = (unsigned char)node->text[i];
        if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7F)
            bad = node->text + i;
    }
    if (!bad)
        return 0;
    problem_add(r->problems, node->place, "", "the value holds control character 0x%02X",
                (unsigned)(unsigned char)*bad);
    return -1;
}

static const struct yaml_node *compose_scalar(struct reader *r, const struct fy_event *event,
                                              struct yaml_node *node)
{
    struct fy_token *value = event->scalar.value;
    size_t len;
    node->kind = YAML_SCALAR;
    node->text = token_text(r, value, &len);
    bool plain = !value || fy_token_scalar_style(value) == FYSS_PLAIN;
    node->null = plain && (len == 0 || !strcmp(node->text, "~") || !strcmp(node->text, "null"));
    return check_text(r, node, len) ? NULL : node;
}

static int by_key(const void *a, const void *b)
{
    const struct yaml_item *x = *(struct yaml_item *const *)a, *y = *(struct yaml_item *const *)b;
    int order = strcmp(x->key, y->key);
    if (order)
        return order;
    if (x->key_place.line != y->key_place.line)
        return x->key_place.line < y->key_place.line ? -1 : 1;
    return x->key_place.column < y->key_place.column ? -1 : 1;
}

static void refuse_double_keys(struct reader *r, const struct yaml_node *map)
{
    if (map->n < 2)
        return;
    struct yaml_item **sorted = mem_array(map->n, sizeof(void *));
    size_t n = 0;
    for (struct yaml_item *item = map->items; item; item = item->next)
        sorted[n++] = item;
    qsort(sorted, n, sizeof(void *), by_key);
    for (size_t i = 1, first = 0; i < n; i++) {
        if (strcmp(sorted[i]->key, sorted[first]->key) != 0)
            first = i;
        else
            problem_add(r->problems, sorted[i]->key_place, sorted[i]->key,
                        "stands twice; the first is at %d:%d", sorted[first]->key_place.line,
                        sorted[first]->key_place.column);
    }
    free(sorted);
}

static int compose_key(struct reader *r, struct fy_event *event, struct yaml_item *item)
{
    if (event->type != FYET_SCALAR) {
        problem_add(r->problems, r->last, "", "a key must be a plain word");
        return -1;
    }
    struct yaml_node key = {.place = place_of(r, event->scalar.value)};
    if (!compose_scalar(r, event, &key))
        return -1;
    item->key = key.text;
    item->key_place = key.place;
    return 0;
}

/* Reads items until the list or map ends. */
static const struct yaml_node *compose_items(struct reader *r, struct yaml_node *node, int depth)
{
    enum fy_event_type end = node->kind == YAML_MAP ? FYET_MAPPING_END : FYET_SEQUENCE_END;
    struct yaml_item **tail = &node->items;
    struct fy_event *event;
    bool ok = true;
    while (ok && (event = fy_parser_parse(r->parser)) && event->type != end) {
        struct yaml_item *item = arena_alloc(r->arena, sizeof *item);
        item->key = "";
        if (node->kind == YAML_MAP) {
            ok = compose_key(r, event, item) == 0;
            fy_parser_event_free(r->parser, event);
            event = ok ? fy_parser_parse(r->parser) : NULL;
        }
        item->value = event ? compose(r, event, depth + 1) : NULL;
        ok = item->value != NULL;
        fy_parser_event_free(r->parser, event);
        if (!ok)
            return NULL;
        node->expanded += item->value->expanded;
        node->n++;
        *tail = item;
        tail = &item->next;
        if (node->expanded > YAML_MAX_NODES) {
            problem_add(r->problems, node->place, "",
                        "more than %d values once aliases are expanded", YAML_MAX_NODES);
            return NULL;
        }
    }
    if (!ok || !event)
        return NULL;
    fy_parser_event_free(r->parser, event);
    if (node->kind == YAML_MAP)
        refuse_double_keys(r, node);
    return node;
}

static struct fy_token *event_anchor(const struct fy_event *event)
{
    return event->type == FYET_SCALAR          ? event->scalar.anchor
           : event->type == FYET_MAPPING_START ? event->mapping_start.anchor
                                               : event->sequence_start.anchor;
}

static struct fy_token *event_tag(const struct fy_event *event)
{
    return event->type == FYET_SCALAR          ? event->scalar.tag
           : event->type == FYET_MAPPING_START ? event->mapping_start.tag
                                               : event->sequence_start.tag;
}

static struct fy_token *event_start(const struct fy_event *event)
{
    return event->type == FYET_SCALAR          ? event->scalar.value
           : event->type == FYET_MAPPING_START ? event->mapping_start.mapping_start
                                               : event->sequence_start.sequence_start;
}

/* The node that begins with `event`, which the caller frees; NULL after a problem or when the
 * parser stopped (it then keeps its own diagnosis). */
static const struct yaml_node *compose(struct reader *r, struct fy_event *event, int depth)
{
    if (event->type == FYET_ALIAS)
        return compose_alias(r, event);
    struct yaml_node *node = arena_alloc(r->arena, sizeof *node);
    node->expanded = 1;
    node->text = "";
    node->place = place_of(r, event_start(event));
    if (event_tag(event)) {
        problem_add(r->problems, place_of(r, event_tag(event)), "",
                    "tags (!...) have no meaning here; remove it");
        return NULL;
    }
    if (depth > YAML_MAX_DEPTH) {
        problem_add(r->problems, node->place, "", "nested deeper than %d levels", YAML_MAX_DEPTH);
        return NULL;
    }
    if (++r->nodes > YAML_MAX_NODES) {
        problem_add(r->problems, node->place, "", "more than %d values", YAML_MAX_NODES);
        return NULL;
    }
    int anchor = anchor_open(r, event_anchor(event));
    if (anchor == -2)
        return NULL;

    const struct yaml_node *done;
    if (event->type == FYET_SCALAR) {
        done = compose_scalar(r, event, node);
    } else {
        node->kind = event->type == FYET_MAPPING_START ? YAML_MAP : YAML_LIST;
        done = compose_items(r, node, depth);
    }
    if (anchor >= 0)
        r->anchors[anchor].node = done;
    return done;
}

/* --- The document ------------------------------------------------------------------------------
 */

/* NULL at the end of the stream or when the parser stopped; *ret_end tells which. */
static struct fy_event *next_document(struct reader *r, bool *ret_end)
{
    struct fy_event *event;
    *ret_end = false;
    while ((event = fy_parser_parse(r->parser))) {
        enum fy_event_type type = event->type;
        if (type == FYET_DOCUMENT_START)
            return event;
        *ret_end = type == FYET_STREAM_END;
        fy_parser_event_free(r->parser, event);
        if (*ret_end)
            return NULL;
    }
    return NULL;
}

static const struct yaml_node *compose_document(struct reader *r)
{
    bool end;
    const struct yaml_node *root = NULL;
    struct fy_event *event = next_document(r, &end);
    if (!event) {
        if (end)
            problem_add(r->problems, (struct place){1, 1}, "",
                        "the file is empty; `trine init` writes one to begin with");
        return NULL;
    }
    fy_parser_event_free(r->parser, event);
    event = fy_parser_parse(r->parser);
    if (event)
        root = compose(r, event, 1);
    fy_parser_event_free(r->parser, event);
    if (!root)
        return NULL;

    event = next_document(r, &end);
    if (event) {
        problem_add(r->problems, place_of(r, event->document_start.document_start), "",
                    "a second document begins; a manifest is one document");
        fy_parser_event_free(r->parser, event);
        return NULL;
    }
    return end ? root : NULL;
}

static void add_diagnosis(struct reader *r, struct fy_diag *diag)
{
    void *iterator = NULL;
    const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &iterator);
    if (error) /* later ones are echoes of the first */
        problem_add(r->problems, (struct place){error->line, error->column}, "", "%s",
                    error->msg ? error->msg : "not YAML");
    else
        problem_add(r->problems, r->last, "", "not YAML from here on");
}

const struct yaml_node *yaml_read(const char *text, size_t len, struct arena *a,
                                  struct problem_list *l)
{
    struct reader r = {.arena = a, .problems = l, .last = {1, 1}};
    if (check_bytes(&r, text, len))
        return NULL;

    struct fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    diag_cfg.output_fn = quiet;
    struct fy_diag *diag = fy_diag_create(&diag_cfg);
    const struct fy_parse_cfg cfg = {.search_path = "", .flags = FYPCF_QUIET, .diag = diag};
    r.parser = diag ? fy_parser_create(&cfg) : NULL;
    if (!r.parser)
        abort(); /* libfyaml fails here only when memory is out */
    fy_diag_set_collect_errors(diag, true);

    size_t before = l->n + l->more;
    const struct yaml_node *root = NULL;
    if (len == 0) /* libfyaml takes a length of 0 as "until NUL" */
        problem_add(l, (struct place){1, 1}, "",
                    "the file is empty; `trine init` writes one to begin with");
    else if (fy_parser_set_string(r.parser, text, len) == 0)
        root = compose_document(&r);
    if (!root && l->n + l->more == before)
        add_diagnosis(&r, diag);

    fy_parser_destroy(r.parser);
    fy_diag_destroy(diag);
    free(r.anchors);
    return root;
}
