#pragma once

#include <curl/curl.h>
#include <stdbool.h>

struct loop;

/*
 * The sockets of a libcurl multi handle, watched by an epoll of their own that hangs on the loop as
 * one descriptor. A handle of libuv's for each would cost six system calls a connection; here it is
 * two, and none for a request over a kept connection: a socket that libcurl no longer asks about
 * stays registered until it stirs or is closed. Only inside net/.
 *
 * Life cycle: http_sockets_new, http_sockets_free after curl_multi_cleanup. One thread.
 */
struct http_sockets;

/* Called after libcurl was told of what is ready: time to look for what has ended. */
typedef void http_sockets_fn(void *arg);

struct http_sockets *http_sockets_new(struct loop *loop, CURLM *multi, http_sockets_fn *fn,
                                      void *arg);
void http_sockets_free(struct http_sockets *s);

/* For CURLOPT_OPENSOCKETFUNCTION: tells of each socket that was made. libcurl closes one whose
 * connection never came about without a word, and the kernel gives its number out again. */
void http_sockets_opened(struct http_sockets *s, curl_socket_t fd);

/* For CURLOPT_CLOSESOCKETFUNCTION, with the http_sockets as its data: each easy handle must have
 * it. */
int http_sockets_close(void *sockets, curl_socket_t fd);
