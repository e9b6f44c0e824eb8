#pragma once

#include "base/err.h"
#include "probe/check.h"

#include <stddef.h>

struct http_timing;
struct http_reply;

/*
 * The http check: a GET whose answer must have the expected status, and when asked for a header, a
 * text in the body, a value in its JSON (json_path.h). Redirects are not followed: a 302 is the
 * answer. A body may have CHECK_HTTP_BODY_MAX bytes, unpacked: a longer or endless one, or one that
 * unpacks to more, is a failure that says so. Each probe has a connection of its own, so that it
 * measures name look-up, connect and TLS as a first visitor meets them, unless the target says
 * keep_connection. The ops are in check.h.
 */
enum { CHECK_HTTP_BODY_MAX = 1 << 20 };

/* Is "Name: part" an expectation that can be checked? -1: ERR_MANIFEST. */
int check_http_header_valid(const char *expect, struct err *e);

/* What every check that is an HTTP request says of it: its phases so far, and for an answer also
 * whether it left, whether the target was there, and the status; never whether it is ok. */
struct check_answer check_http_times(const struct http_timing *t);
struct check_answer check_http_seen(const struct http_reply *r);
